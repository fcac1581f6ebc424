"""The events of an answer that is on its way, to be looked at and replaced by a fault."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pytest_resilience import Answer
from pytest_resilience_gemini import _wire


@dataclass(frozen=True, slots=True)
class Events:
    """The body of an answer as its events: texts of JSON, without what stands around them."""

    answer: Answer
    texts: tuple[str, ...]
    form: str
    """``"sse"``, ``"array"``, or ``"whole"`` for an answer that is no stream."""

    @classmethod
    def of(cls, answer: Answer) -> Events:
        """The events of an answer that the fake has made."""
        pieces = [piece.decode() for piece in answer.body if piece]
        if answer.header("Content-Type") == _wire.SSE_TYPE:
            texts = [piece.removeprefix("data: ").rstrip("\r\n") for piece in pieces]
            return cls(answer, tuple(texts), "sse")
        if pieces[0].startswith("["):
            return cls(answer, tuple(piece.lstrip("[,\r\n") for piece in pieces[:-1]), "array")
        return cls(answer, tuple(pieces), "whole")

    def data(self) -> list[Any]:
        """What the events say."""
        return [json.loads(text) for text in self.texts]

    def write(self, data: Any) -> str:
        """An event's text as the service writes it in this form."""
        return _wire.compact(data) if self.form == "sse" else _wire.pretty(data)

    def answered(self, texts: Iterable[str], tail: str | None = None) -> Answer:
        """The same answer with these events, and perhaps with something behind them.

        Nothing closes an array that has a tail.
        """
        if self.form == "sse":
            pieces = _wire.sse_pieces(texts)
        elif self.form == "array":
            pieces = _wire.array_pieces(texts)[: None if tail is None else -1]
        else:
            pieces = [text.encode() for text in texts]
        if tail is not None:
            pieces.append(tail.encode())
        if self.form != "whole":
            pieces.append(b"")  # so that it stays chunked, however few they are
        return replace(self.answer.without("Content-Length"), body=tuple(pieces))
