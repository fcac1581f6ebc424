"""Whether a fake keeps the promises that every fake makes, whatever service it imitates."""
