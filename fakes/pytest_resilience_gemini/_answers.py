"""Makes GenerateContentResponses of a reply: one for all, or one for each event of a stream."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pytest_resilience_gemini import _tokens
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._reply import Reply

MOST_EVENTS = 16
"""Into how many events a text is cut that was not cut by who wrote it."""

Response = dict[str, Any]


class Answerer:
    """Makes the responses to one prompt."""

    def __init__(self, prompt: Prompt, reply: Reply, response_id: str) -> None:
        self._prompt = prompt
        self._reply = _fitted(reply, prompt.config)
        self._response_id = response_id
        self._count = prompt.config.get("candidate_count", 1)

    def whole(self) -> Response:
        """The one answer of ``generateContent``."""
        reply = self._reply
        text = reply.text if reply.pieces else None
        return self._response(text, reply.text, reply.finish)

    def events(self) -> list[Response]:
        """The events of a stream: cumulative usage, and ``finishReason`` in the last only."""
        pieces = self._reply.pieces
        if len(pieces) == 1:
            pieces = words(pieces[0])
        if not pieces:
            return [self.whole()]
        last = len(pieces) - 1
        return [
            self._response(
                piece, "".join(pieces[: n + 1]), self._reply.finish if n == last else None
            )
            for n, piece in enumerate(pieces)
        ]

    def _response(self, text: str | None, so_far: str, finish: str | None) -> Response:
        response: Response = {}
        if self._reply.block is not None:
            response["promptFeedback"] = {"blockReason": self._reply.block}
        else:
            response["candidates"] = [
                _candidate(text, finish, index) for index in range(self._count)
            ]
        return {
            **response,
            "usageMetadata": self._usage(_tokens.of_text(so_far) * self._count),
            "modelVersion": self._prompt.model,
            "responseId": self._response_id,
        }

    def _usage(self, said: int) -> dict[str, Any]:
        """Tokens: total = prompt + candidates + thoughts (llm-gemini#97); what is 0 is left out."""
        details = _tokens.details(self._prompt.body)
        asked, thoughts = _tokens.total(details), self._reply.thoughts
        usage: dict[str, Any] = {"promptTokenCount": asked}
        if said:
            usage["candidatesTokenCount"] = said
        usage["totalTokenCount"] = asked + said + thoughts
        usage["promptTokensDetails"] = details
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        return usage


def _candidate(text: str | None, finish: str | None, index: int) -> dict[str, Any]:
    candidate: dict[str, Any] = {}
    if text is not None:
        candidate["content"] = {"parts": [{"text": text}], "role": "model"}
    elif finish in ("STOP", "MAX_TOKENS"):
        candidate["content"] = {"role": "model"}
    if finish is not None:
        candidate["finishReason"] = finish
    candidate["index"] = index
    return candidate


def words(text: str) -> tuple[str, ...]:
    """A text cut behind its blanks, into `MOST_EVENTS` pieces at the most."""
    found = re.findall(r"\s*\S+\s*", text) or [text]
    size = math.ceil(len(found) / MOST_EVENTS)
    return tuple("".join(found[n : n + size]) for n in range(0, len(found), size))


def _fitted(reply: Reply, config: Mapping[str, Any]) -> Reply:
    """The reply as far as stop sequences and ``maxOutputTokens`` let it come."""
    stop = _stop(reply.text, config.get("stop_sequences", ()))
    room = 4 * config.get("max_output_tokens", math.inf)
    if room < min(stop, len(reply.text)):
        return replace(reply, pieces=_cut(reply.pieces, int(room)), finish="MAX_TOKENS")
    if stop < len(reply.text):
        return replace(reply, pieces=_cut(reply.pieces, stop), finish="STOP")
    return reply


def _stop(text: str, sequences: Iterable[str]) -> int:
    """Where the first of these sequences begins; the text's end when there is none."""
    places = [text.find(sequence) for sequence in sequences if sequence]
    return min((place for place in places if place >= 0), default=len(text))


def _cut(pieces: tuple[str, ...], length: int) -> tuple[str, ...]:
    """The first so many characters; a text that is cut down to nothing stays a text."""
    kept = []
    for piece in pieces:
        if length <= 0:
            break
        kept.append(piece[:length])
        length -= len(piece)
    return tuple(kept) or ("",)
