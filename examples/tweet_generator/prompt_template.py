"""The prompt a tweet is asked for with."""

PROMPT = "Generate a {tone} tweet about {topic} with no more than {max_words} words."


def create_prompt(topic: str, tone: str, max_words: int) -> str:
    """The prompt, on one line.

    Raises:
        ValueError: A topic or tone that is empty or no text, or fewer than one word.
    """
    return PROMPT.format(
        tone=_one_line("tone", tone), topic=_one_line("topic", topic), max_words=_count(max_words)
    )


def _one_line(name: str, text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"{name} must be text, not {text!r}")  # noqa: TRY004 - as for the others
    line = " ".join(text.split())
    if not line:
        raise ValueError(f"{name} must not be empty")
    return line


def _count(max_words: int) -> int:
    if isinstance(max_words, bool) or not isinstance(max_words, int) or max_words < 1:
        raise ValueError(f"max_words must be a whole number of at least 1, not {max_words!r}")
    return max_words
