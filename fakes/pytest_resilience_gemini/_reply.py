"""`Reply`: what the model is to say, where a plain text does not say it all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pytest_resilience import PlanError
from pytest_resilience_gemini import _safety

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

FunctionCall = tuple[str, Mapping[str, Any]]
"""A function's name, and what it is called with."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the model. The traps are answers too: 200, and no text where one looks.

    ::

        gemini.say(Reply.call("get_weather", city="Paris"), "It rains.")
        gemini.say(Reply.json({"name": "Ada"}))
        gemini.say(Reply.rated("Mild stuff.", HARASSMENT="LOW"))
        gemini.say(Reply.blocked(), Reply.safety(), Reply.max_tokens(), Reply.empty())
        gemini.say(Reply(("Hello ", "world")))      # two events when it is streamed

    Args:
        pieces: The text. Each piece is an event of its own when it is streamed; a single
            piece is cut at words. Without any the answer has no text: no ``content`` at
            all, or for ``MAX_TOKENS`` and ``STOP`` a content without ``parts``.
        finish: Why the model stopped.
        block: Why the prompt was blocked: then there are no candidates.
        thoughts: How many tokens the model has thought.
        calls: Functions that the model calls, behind its text; of each the name and the
            arguments.
        ratings: How likely the text does harm, by category: NEGLIGIBLE, LOW, MEDIUM or
            HIGH. It is withheld where the request's safety settings say so.

    Raises:
        PlanError: A reason that the service does not know, or a value of the wrong kind.
    """

    pieces: tuple[str, ...] = ()
    finish: str = "STOP"
    block: str | None = None
    thoughts: int = 0
    calls: tuple[FunctionCall, ...] = field(default=(), hash=False)
    ratings: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _texts(self.pieces)
        _one_of("finish", self.finish, FINISH)
        if self.block is not None:
            _one_of("block", self.block, BLOCK)
        if type(self.thoughts) is not int or self.thoughts < 0:
            raise PlanError(
                f"Reply(thoughts={self.thoughts!r}): want a number of tokens, 0 or more"
            )
        _calls(self.calls)
        _ratings(self.ratings)

    @classmethod
    def call(cls, name: str, /, **arguments: Any) -> Self:
        """The model calls a function. Several at once are ``Reply(calls=((name, {...}), ...))``."""
        return cls(calls=((name, arguments),))

    @classmethod
    def json(cls, data: Any) -> Self:
        """The data as JSON text, as in JSON mode."""
        try:
            return cls((json.dumps(data, ensure_ascii=False, allow_nan=False),))
        except (TypeError, ValueError) as error:
            raise PlanError(f"Reply.json({data!r}): {error}") from None

    @classmethod
    def rated(cls, text: str, **ratings: str) -> Self:
        """A text that may do harm: ``Reply.rated("...", HARASSMENT="HIGH")``."""
        return cls((text,), ratings={f"HARM_CATEGORY_{name}": r for name, r in ratings.items()})

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
        allowed = [one.name for one in fields(cls)]
        unknown = sorted(data.keys() - set(allowed))
        if unknown:
            names = ", ".join(allowed)
            raise PlanError(f"a reply has no field {unknown[0]!r}; there are: {names}")
        given: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in data.items()
        }
        if "calls" in given:
            given["calls"] = _calls_from_json(given["calls"])
        return cls(**given)

    def to_json(self) -> Any:
        """What `from_json` makes this reply of."""
        if self == Reply((self.text,)):
            return self.text
        data: dict[str, Any] = {
            "pieces": list(self.pieces),
            "finish": self.finish,
            "block": self.block,
            "thoughts": self.thoughts,
        }
        if self.calls:
            data["calls"] = [{"name": name, "args": args} for name, args in self.calls]
        if self.ratings:
            data["ratings"] = dict(self.ratings)
        return data

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def _texts(value: object) -> None:
    if not isinstance(value, tuple) or not all(isinstance(piece, str) for piece in value):
        raise PlanError(f"Reply(pieces={value!r}): want a tuple of texts")


def _calls(value: object) -> None:
    pairs = value if isinstance(value, tuple) else (None,)
    for pair in pairs:
        match pair:
            case (str(), Mapping()):
                pass
            case _:
                wanted = 'a tuple of names and arguments, such as (("get_weather", {}),)'
                raise PlanError(f"Reply(calls={value!r}): want {wanted}")


def _calls_from_json(listed: Any) -> tuple[FunctionCall, ...]:
    calls: list[Any] = []
    for entry in listed if isinstance(listed, tuple) else (listed,):
        if not isinstance(entry, Mapping) or not entry.keys() <= {"name", "args"}:
            raise PlanError(f'a reply\'s call is {{"name": ..., "args": {{...}}}}, not {entry!r}')
        calls.append((entry.get("name"), entry.get("args", {})))
    return tuple(calls)


def _ratings(value: object) -> None:
    if not isinstance(value, Mapping):
        raise PlanError(f"Reply(ratings={value!r}): want probabilities by category")
    for category, probability in value.items():
        _one_of("ratings: a category", category, _safety.SETTABLE)
        _one_of(f"ratings[{category!r}]", probability, _safety.PROBABILITIES)


def _one_of(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PlanError(f"Reply({field}={value!r}): want one of {', '.join(allowed)}")
