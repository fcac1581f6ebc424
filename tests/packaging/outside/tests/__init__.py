"""This project's own tests are a package, as pytest's default import mode likes them."""
