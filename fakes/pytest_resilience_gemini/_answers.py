"""Makes GenerateContentResponses of a reply: one for all, or one for each event of a stream."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from pytest_resilience_gemini import _functions, _models, _safety, _tokens
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._reply import Reply

MOST_EVENTS = 16
"""Into how many events a text is cut that was not cut by who wrote it."""

Response = dict[str, Any]
Part = dict[str, Any]


class Answerer:
    """Makes the responses to one prompt.

    Args:
        prompt: What was asked.
        reply: What is to be said.
        asked: The prompt's tokens by modality.
        random: For the names of responses and calls.
    """

    def __init__(
        self, prompt: Prompt, reply: Reply, asked: list[dict[str, Any]], random: Random
    ) -> None:
        self._model = _models.meant(prompt.model)
        self._asked = asked
        self._ratings = _safety.rated(reply.ratings, prompt.body.get("safety_settings", ()))
        if any("blocked" in rating for rating in self._ratings):
            reply = replace(reply, pieces=(), calls=(), finish="SAFETY")
        self._reply = _fitted(reply, prompt.config)
        self._response_id = _name(random, 17)
        wanted = prompt.body.get("service_tier", "unspecified")
        self.tier = "standard" if wanted == "unspecified" else wanted
        """Of the service; there is always room in the one that was asked for."""
        self._count = prompt.config.get("candidate_count", 1)
        self._calls = self._call_parts(random)

    def _call_parts(self, random: Random) -> list[Part]:
        """The reply's calls; with an id each, and a signature for all, where the model does so."""
        parts: list[Part] = [
            {"functionCall": {"name": name, "args": dict(arguments)}}
            for name, arguments in self._reply.calls
        ]
        if parts and _functions.thinks_in_signatures(self._model):
            for part in parts:
                part["functionCall"]["id"] = _name(random, 6)
            parts[0]["thoughtSignature"] = base64.b64encode(random.randbytes(24)).decode()
        return parts

    def whole(self) -> Response:
        """The one answer of ``generateContent``."""
        reply = self._reply
        texts: list[Part] = [{"text": reply.text}] if reply.pieces else []
        return self._response(texts + self._calls, self._said(reply.text, calls=True), reply.finish)

    def events(self) -> list[Response]:
        """The events of a stream: cumulative usage, and ``finishReason`` in the last only.

        The first models said it in every event (one-api#1477, litellm#2195); from late in
        2024 on they did not any more (one-hub#402).
        """
        pieces = self._reply.pieces
        if len(pieces) == 1:
            pieces = words(pieces[0])
        told = [
            ([{"text": piece}], self._said("".join(pieces[: n + 1])))
            for n, piece in enumerate(pieces)
        ]
        if self._calls:
            told.append((self._calls, self._said(self._reply.text, calls=True)))
        if not told:
            return [self.whole()]
        always = self._model.startswith(("gemini-1.0", "gemini-pro"))
        last = len(told) - 1
        return [
            self._response(parts, said, self._reply.finish if always or n == last else None)
            for n, (parts, said) in enumerate(told)
        ]

    def _said(self, text: str, *, calls: bool = False) -> int:
        """How many tokens so much of the answer is."""
        called = sum(_tokens.of_text(json.dumps(part)) for part in self._calls if calls)
        return (_tokens.of_text(text) + called) * self._count  # type: ignore[no-any-return]

    def _response(self, parts: list[Part], said: int, finish: str | None) -> Response:
        response: Response = {}
        if self._reply.block is not None:
            response["promptFeedback"] = {"blockReason": self._reply.block}
        else:
            response["candidates"] = [
                self._candidate(parts, finish, index) for index in range(self._count)
            ]
        return {
            **response,
            "usageMetadata": self._usage(said),
            "modelVersion": self._model,
            "responseId": self._response_id,
        }

    def _candidate(self, parts: list[Part], finish: str | None, index: int) -> dict[str, Any]:
        candidate: dict[str, Any] = {}
        if parts:
            candidate["content"] = {"parts": parts, "role": "model"}
        elif finish in ("STOP", "MAX_TOKENS"):
            candidate["content"] = {"role": "model"}
        if finish is not None:
            candidate["finishReason"] = finish
        candidate["index"] = index
        if self._ratings:
            candidate["safetyRatings"] = self._ratings
        return candidate

    def _usage(self, said: int) -> dict[str, Any]:
        """Tokens: total = prompt + candidates + thoughts (llm-gemini#97); what is 0 is left out."""
        asked, thoughts = _tokens.total(self._asked), self._reply.thoughts
        usage: dict[str, Any] = {"promptTokenCount": asked}
        if said:
            usage["candidatesTokenCount"] = said
        usage["totalTokenCount"] = asked + said + thoughts
        usage["promptTokensDetails"] = self._asked
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        usage["serviceTier"] = self.tier
        return usage


def _name(random: Random, size: int) -> str:
    return base64.urlsafe_b64encode(random.randbytes(size)).decode().rstrip("=")


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
        return replace(reply, pieces=_cut(reply.pieces, int(room)), calls=(), finish="MAX_TOKENS")
    if stop < len(reply.text):
        return replace(reply, pieces=_cut(reply.pieces, stop), calls=(), finish="STOP")
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
