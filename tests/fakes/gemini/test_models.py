"""Which models there are, and what is said of those that are not."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini, Reply

Ask = Callable[..., requests.Response]
Get = Callable[..., requests.Response]


@pytest.fixture
def get(gemini: Gemini) -> Get:
    """GET with the right key."""

    def send(path: str, **query: str) -> requests.Response:
        headers = {"x-goog-api-key": gemini.api_key}
        return requests.get(gemini.url + path, params=query, headers=headers, timeout=10)

    return send


def names_of(answer: dict[str, Any]) -> list[str]:
    """The names on a page."""
    return [model["name"] for model in answer["models"]]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_the_models_are_those_of_2026(get: Get, version: str) -> None:
    """No 1.5, no 2.0, and all on one page."""
    response = get(f"/{version}/models")

    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert "nextPageToken" not in response.json()
    assert names_of(response.json()) == [
        "models/gemini-3.8-flash",
        "models/gemini-3.7-flash",
        "models/gemini-3.6-flash",
        "models/gemini-3.5-flash",
        "models/gemini-3.5-flash-lite",
        "models/gemini-3.1-pro-preview",
        "models/gemini-2.5-flash",
        "models/gemini-2.5-pro",
        "models/gemini-flash-latest",
        "models/gemini-flash-lite-latest",
        "models/gemini-pro-latest",
        "models/gemini-embedding-001",
    ]


def test_a_model_is_a_resource(get: Get) -> None:
    """With limits, methods and defaults."""
    assert get("/v1beta/models/gemini-3.8-flash").json() == {
        "name": "models/gemini-3.8-flash",
        "version": "001",
        "displayName": "Gemini 3.8 Flash",
        "description": "Gemini 3.8 Flash, imitated by pytest-resilience",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": [
            "generateContent",
            "countTokens",
            "createCachedContent",
            "batchGenerateContent",
        ],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def test_pages_follow_each_other(get: Get) -> None:
    """Each model once, and the last page has no token."""
    first = get("/v1beta/models", pageSize="5").json()
    second = get("/v1beta/models", pageSize="5", pageToken=first["nextPageToken"]).json()
    third = get("/v1beta/models", pageSize="5", pageToken=second["nextPageToken"]).json()

    assert [len(page["models"]) for page in (first, second, third)] == [5, 5, 2]
    assert names_of(second)[0] == "models/gemini-3.1-pro-preview"
    assert "nextPageToken" not in third


def test_a_page_has_fifty_models_unless_told_otherwise() -> None:
    """And a thousand at the most."""
    with Gemini(models=[f"m{n}" for n in range(1001)]) as gemini:
        url, headers = f"{gemini.url}/v1/models", {"x-goog-api-key": gemini.api_key}
        sizes = [
            len(requests.get(url, params=query, headers=headers, timeout=10).json()["models"])
            for query in ({}, {"pageSize": "0"}, {"pageSize": "2000"})
        ]

    assert sizes == [50, 50, 1000]


@pytest.mark.parametrize(
    "query",
    [
        {"pageSize": "-1"},
        {"pageToken": "?"},
        {"pageToken": "bW9kZWxzL25vbmU="},
        {"pageToken": "/w=="},
        {"pageToken": "ü"},
    ],
)
def test_a_page_that_is_none_is_400(get: Get, query: dict[str, str]) -> None:
    """Sizes and tokens that cannot be meant."""
    response = get("/v1beta/models", **query)

    assert response.status_code == 400
    assert response.json()["error"]["message"] == "Request contains an invalid argument."


def test_sizes_and_tokens_come_in_either_spelling(get: Get) -> None:
    """As fields do elsewhere."""
    first = get("/v1/models", page_size="8").json()
    rest = get("/v1/models", page_size="8", page_token=first["nextPageToken"]).json()

    assert [len(page["models"]) for page in (first, rest)] == [8, 4]


@pytest.mark.parametrize("size", ["many", "", "2.0", "1e1", " 2", "2147483648"])
def test_a_size_that_is_no_number_is_named(get: Get, size: str) -> None:
    """As a field of the request's message, with a violation."""
    error = get("/v1beta/models", pageSize=size).json()["error"]

    text = f"Invalid value at 'page_size' (TYPE_INT32), \"{size}\""
    assert error["message"] == text
    assert error["details"][0]["fieldViolations"] == [{"field": "page_size", "description": text}]


@pytest.mark.parametrize("path", ["/v1beta/models", "/v1/models/gemini-3.8-flash"])
def test_parameters_that_there_are_not_are_refused(get: Get, path: str) -> None:
    """All of them; those of every API of Google's are there."""
    error = get(path, filter="x", alt="json", quotaUser="me", pagesize="1").json()["error"]

    assert error["message"].splitlines() == [
        (
            'Invalid JSON payload received. Unknown name "filter": Cannot bind query parameter. '
            "Field 'filter' could not be found in request message."
        ),
        (
            'Invalid JSON payload received. Unknown name "pagesize": Cannot bind query parameter. '
            "Field 'pagesize' could not be found in request message."
        ),
    ]


@pytest.mark.parametrize("model", ["gemini-1.5-flash", "gemini-2.0-flash", "gemini-pro", "x"])
@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_retired_model_is_404(ask: Ask, model: str, version: str) -> None:
    """The text names version and method, and there are no details."""
    response = ask(model=model, version=version)

    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "code": 404,
            "message": f"models/{model} is not found for API version {version}, or is not "
            "supported for generateContent. Call ListModels to see the list of available models "
            "and their supported methods.",
            "status": "NOT_FOUND",
        }
    }


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("gemini-3.8-flash", "embedContent"),
        ("gemini-3.8-flash", "batchEmbedContents"),
        ("gemini-embedding-001", "generateContent"),
    ],
)
def test_a_method_that_the_model_has_not_is_404(ask: Ask, model: str, method: str) -> None:
    """The same words."""
    response = ask({}, method, model=model)

    assert response.status_code == 404
    assert f"is not supported for {method}." in response.json()["error"]["message"]


def test_to_stream_is_to_generate(ask: Ask) -> None:
    """Models list one method for both; the error names the one that was called."""
    response = ask(method="streamGenerateContent", model="gemini-1.5-flash")

    message = response.json()[0]["error"]["message"]
    assert "or is not supported for streamGenerateContent." in message


def test_to_look_for_a_model_has_words_of_its_own(get: Get) -> None:
    """Not those of a call to a model."""
    response = get("/v1beta/models/invalid-model")

    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "code": 404,
            "message": "Model is not found: models/invalid-model for api version v1beta",
            "status": "NOT_FOUND",
        }
    }


@pytest.mark.parametrize("name", ["Gemini-3.8-Flash", "gemini 3.8 flash"])
def test_what_cannot_be_a_model_s_name_is_400(ask: Ask, get: Get, name: str) -> None:
    """It is not even looked for."""
    words = "unexpected model name format\n"

    streamed = ask(method="streamGenerateContent", model=name)
    looked_for = get(f"/v1/models/{name}")

    assert [streamed.status_code, looked_for.status_code] == [400, 400]
    assert streamed.json()[0]["error"]["message"] == f"* GenerateContentRequest.model: {words}"
    assert looked_for.json()["error"]["message"] == f"* GetModelRequest.name: {words}"


def test_models_are_configurable() -> None:
    """By name, on creation; start_over brings them back."""
    with Gemini(models=["gemini-1.5-flash"]) as gemini:
        gemini.set_state({"models": []})
        assert gemini.models == {}

        gemini.start_over()
        assert list(gemini.models) == ["gemini-1.5-flash"]

        url = f"{gemini.url}/v1/models/gemini-1.5-flash:generateContent"
        body = {"contents": {"parts": {"text": "hi"}}}
        headers = {"x-goog-api-key": gemini.api_key}
        response = requests.post(url, json=body, headers=headers, timeout=10)

    assert response.json()["modelVersion"] == "gemini-1.5-flash"


def test_the_fake_says_which_models_it_has(gemini: Gemini) -> None:
    """A test can choose one."""
    assert "gemini-3.8-flash" in gemini.models
    assert "gemini-1.5-flash" not in gemini.models


@pytest.mark.parametrize("models", ["m1", 7, [1], [None], [""], ["models/"], ["a/b"], ["a:b"]])
def test_what_is_no_list_of_names_is_refused(models: Any) -> None:
    """One name's letters would be one."""
    with pytest.raises(
        PlanError, match=rf"Gemini\(models={re.escape(repr(models))}\): want a list"
    ):
        Gemini(models=models)


def test_a_model_may_be_called_as_the_list_calls_it() -> None:
    """It is the same one."""
    with Gemini(models=["models/m1", "m2"]) as gemini:
        assert [model["name"] for model in gemini.models.values()] == ["models/m1", "models/m2"]
        assert list(gemini.models) == ["m1", "m2"]


def test_a_model_can_be_retired(gemini: Gemini, ask: Ask) -> None:
    """In mid-run: it is a 404 and not listed any more, and the others stay."""
    before = ask().status_code
    gemini.retire("gemini-3.8-flash", "gemini-2.5-pro")

    refused = ask()

    assert (before, refused.status_code) == (200, 404)
    assert refused.json()["error"]["message"].startswith("models/gemini-3.8-flash is not found")
    assert ask(model="gemini-3.7-flash").status_code == 200
    assert len(gemini.models) == 10
    gemini.start_over()
    assert ask().status_code == 200


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gemini-flash-latest", "gemini-3.8-flash"),
        ("gemini-flash-lite-latest", "gemini-3.5-flash-lite"),
        ("gemini-pro-latest", "gemini-3.1-pro-preview"),
    ],
)
def test_the_latest_of_a_kind_is_the_model_that_it_is(
    gemini: Gemini, ask: Ask, name: str, meant: str
) -> None:
    """It signs its calls as that does, and knows as little of penalties."""
    gemini.say(Reply.call("f"))

    answer = ask(model=name).json()
    penalty = {"generationConfig": {"presencePenalty": 1}}
    refused = ask({"contents": [{"parts": [{"text": "a"}]}], **penalty}, model=name)

    assert answer["modelVersion"] == meant
    assert "thoughtSignature" in answer["candidates"][0]["content"]["parts"][0]
    assert refused.json()["error"]["message"] == "Penalty is not enabled for this model"
    assert gemini.requests[0].model == name


def test_a_model_has_one_quota_under_all_its_names(gemini: Gemini, ask: Ask) -> None:
    """And the refusal says which it is."""
    gemini.quota(requests_per_minute=1)

    answered = ask(model="gemini-flash-latest")
    refused = ask(model="gemini-3.8-flash")

    assert [answered.status_code, refused.status_code] == [200, 429]
    assert "model: gemini-3.8-flash" in ask(model="gemini-flash-latest").json()["error"]["message"]


def test_only_a_model_that_there_is_can_be_retired(gemini: Gemini) -> None:
    """And nothing has changed."""
    with pytest.raises(PlanError, match=r"retire\('gemini-9'\): there is no such model; there are"):
        gemini.retire("gemini-3.8-flash", "gemini-9")

    assert "gemini-3.8-flash" in gemini.models
