"""`Reply`: what the model is to say, where a plain text does not say it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pytest_resilience import PlanError

# Candidate.FinishReason and PromptFeedback.BlockReason, google-genai 3.4.0.
FINISH = (
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
)
BLOCK = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "JAILBREAK")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the model. The traps are answers too: 200, and no text where one looks.

    ::

        gemini.say(Reply.blocked(), Reply.safety(), Reply.max_tokens(), Reply.empty())
        gemini.say(Reply(("Hello ", "world")))      # two events when it is streamed

    Args:
        pieces: The text. Each piece is an event of its own when it is streamed; a single
            piece is cut at words. Without any the answer has no text: no ``content`` at
            all, or for ``MAX_TOKENS`` and ``STOP`` a content without ``parts``.
        finish: Why the model stopped.
        block: Why the prompt was blocked: then there are no candidates.
        thoughts: How many tokens the model has thought.

    Raises:
        PlanError: A reason that the service does not know, or a value of the wrong kind.
    """

    pieces: tuple[str, ...] = ()
    finish: str = "STOP"
    block: str | None = None
    thoughts: int = 0

    def __post_init__(self) -> None:
        _texts(self.pieces)
        _one_of("finish", self.finish, FINISH)
        if self.block is not None:
            _one_of("block", self.block, BLOCK)
        if type(self.thoughts) is not int or self.thoughts < 0:
            raise PlanError(
                f"Reply(thoughts={self.thoughts!r}): want a number of tokens, 0 or more"
            )

    @classmethod
    def blocked(cls, reason: str = "PROHIBITED_CONTENT") -> Self:
        """The prompt is blocked: ``promptFeedback``, and no ``candidates`` (vercel/ai#19758)."""
        return cls(block=reason)

    @classmethod
    def safety(cls, reason: str = "SAFETY") -> Self:
        """The text is withheld: a candidate without ``content``."""
        return cls(finish=reason)

    @classmethod
    def max_tokens(cls, thoughts: int = 100) -> Self:
        """Every token went into thoughts: a ``content`` without ``parts``."""
        return cls(finish="MAX_TOKENS", thoughts=thoughts)

    @classmethod
    def empty(cls) -> Self:
        """The model is done and has said nothing: STOP, and a ``content`` without ``parts``."""
        return cls()

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """A reply of a text, or of an object with some of this class's fields.

        Raises:
            PlanError: It is neither, or has a field that there is not.
        """
        if isinstance(data, str):
            return cls((data,))
        if not isinstance(data, Mapping):
            raise PlanError(f"a reply is a text or an object, not {data!r}")
        unknown = sorted(data.keys() - {"pieces", "finish", "block", "thoughts"})
        if unknown:
            allowed = "pieces, finish, block, thoughts"
            raise PlanError(f"a reply has no field {unknown[0]!r}; there are: {allowed}")
        pieces = data.get("pieces", ())
        fields = {**data, "pieces": tuple(pieces) if isinstance(pieces, list) else pieces}
        return cls(**fields)

    def to_json(self) -> Any:
        """What `from_json` makes this reply of."""
        if self == Reply((self.text,)):
            return self.text
        return {
            "pieces": list(self.pieces),
            "finish": self.finish,
            "block": self.block,
            "thoughts": self.thoughts,
        }

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def _texts(value: object) -> None:
    if not isinstance(value, tuple) or not all(isinstance(piece, str) for piece in value):
        raise PlanError(f"Reply(pieces={value!r}): want a tuple of texts")


def _one_of(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PlanError(f"Reply({field}={value!r}): want one of {', '.join(allowed)}")
