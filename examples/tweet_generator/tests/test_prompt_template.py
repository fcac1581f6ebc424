"""The prompt."""

from typing import Any

import pytest

from prompt_template import create_prompt


def test_the_prompt_says_what_is_wanted() -> None:
    """Topic, tone and number of words are in the prompt."""
    assert create_prompt("Artificial Intelligence", "professional", 25) == (
        "Generate a professional tweet about Artificial Intelligence with no more than 25 words."
    )


def test_the_prompt_is_one_line() -> None:
    """Line breaks and blanks in a topic do not tear the prompt apart."""
    assert create_prompt("  a\n\n b ", "\tdry ", 1) == (
        "Generate a dry tweet about a b with no more than 1 words."
    )


def test_braces_are_just_text() -> None:
    """A topic is never taken for a template."""
    assert "about {tone} {0}" in create_prompt("{tone} {0}", "dry", 1)


@pytest.mark.parametrize(
    ("topic", "tone", "max_words", "message"),
    [
        ("", "dry", 1, "topic must not be empty"),
        (" \n", "dry", 1, "topic must not be empty"),
        ("a", "", 1, "tone must not be empty"),
        (None, "dry", 1, "topic must be text, not None"),
        ("a", 5, 1, "tone must be text, not 5"),
        ("a", "dry", 0, "max_words must be a whole number of at least 1, not 0"),
        ("a", "dry", -3, "max_words must be a whole number of at least 1, not -3"),
        ("a", "dry", 2.5, "max_words must be a whole number of at least 1, not 2.5"),
        ("a", "dry", "25", "max_words must be a whole number of at least 1, not '25'"),
        ("a", "dry", True, "max_words must be a whole number of at least 1, not True"),
    ],
)
def test_a_prompt_needs_something_to_say(
    topic: Any, tone: Any, max_words: Any, message: str
) -> None:
    """A topic or tone that is empty or no text, or no words at all, is refused and named."""
    with pytest.raises(ValueError, match=message):
        create_prompt(topic, tone, max_words)
