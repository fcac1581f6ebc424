"""A class that derives from Gemini: what it answers otherwise counts, as with every fake."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from werkzeug.exceptions import abort

from pytest_resilience import route
from pytest_resilience_gemini import Gemini

MODELS = "/v1beta/models/gemini-3.8-flash"
BODY = {"contents": [{"parts": [{"text": "hi"}]}]}


class Gateway(Gemini):
    """One in front of the service, which has errors of its own."""

    stream_generate_content: Any = None
    answer_of_count: Any = None

    def generate_content(self, request: Any, version: str, model: str) -> Any:
        """As ever, but for one more header."""
        response = super().generate_content(request, version, model)
        response.headers["X-Gateway"] = "1"
        return response

    def count_tokens(self, request: Any, version: str, model: str) -> Any:
        """What it is told to answer."""
        return self.answer_of_count or abort(409)

    @route("POST", "/<version>/embed/<model>")
    def embed_content(self, request: Any, version: str, model: str) -> Any:
        """Somewhere else."""
        return {"embedding": {"values": [1]}}

    @property
    def presets(self) -> Any:
        """One more, and one in other words."""
        words = {"over_budget": lambda: (402, {"error": {"code": 402, "message": "no money"}})}
        return {**super().presets, **words, "overloaded": lambda: self.error(503, "busy")}


def post(gemini: Gemini, path: str) -> requests.Response:
    headers = {"x-goog-api-key": gemini.api_key}
    return requests.post(gemini.url + path, json=BODY, headers=headers, timeout=10)


def test_a_method_that_overrides_another_answers_in_its_place() -> None:
    """Whatever it returns, and wherever."""
    with Gateway() as gemini:
        assert post(gemini, f"{MODELS}:generateContent").headers["X-Gateway"] == "1"
        aborted = post(gemini, f"{MODELS}:countTokens")
        gemini.answer_of_count = (418, {"error": {"code": 418}}, {"X-Tea": "1"})
        said = post(gemini, f"{MODELS}:countTokens")
        gemini.answer_of_count = {"totalTokens": 7}
        counted = post(gemini, f"{MODELS}:countTokens")
        embedded = post(gemini, "/v1/embed/mine")

    assert (aborted.status_code, aborted.json()["error"]["status"]) == (409, "ABORTED")
    assert (said.status_code, said.json(), said.headers["X-Tea"]) == (
        418,
        {"error": {"code": 418}},
        "1",
    )
    assert (counted.status_code, counted.json()) == (200, {"totalTokens": 7})
    assert embedded.json() == {"embedding": {"values": [1]}}


@pytest.mark.parametrize("method", ["streamGenerateContent", "embedContent"])
def test_a_route_that_was_taken_away_is_not_there(method: str) -> None:
    """With None, or with another one in its place."""
    with Gateway() as gemini:
        assert post(gemini, f"{MODELS}:{method}").status_code == 404
        assert gemini.trace[-1].unmatched


def test_a_preset_may_be_added_or_worded_otherwise() -> None:
    """Those of the service stay what they were."""
    with Gateway() as gemini:
        gemini.fail("over_budget", "overloaded", "internal_short", "no_parts")
        answers = [post(gemini, f"{MODELS}:generateContent").json() for _ in range(4)]

    assert [answer["error"]["message"] for answer in answers[:3]] == [
        "no money",
        "busy",
        "Internal error encountered.",
    ]
    assert answers[3]["candidates"][0]["finishReason"] == "MAX_TOKENS"
