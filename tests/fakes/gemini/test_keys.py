"""Who may ask: where a key is looked for, and what is said of a wrong one."""

import re
from collections.abc import Callable

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_gemini import Gemini

Ask = Callable[..., requests.Response]

SERVICE = "generativelanguage.googleapis.com"
NO_KEY = {
    "error": {
        "code": 403,
        "message": "Method doesn't allow unregistered callers (callers without established "
        "identity). Please use API Key or other form of API consumer identity to call this API.",
        "status": "PERMISSION_DENIED",
    }
}
BAD_KEY = {
    "error": {
        "code": 400,
        "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": SERVICE},
            },
            {
                "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
                "locale": "en-US",
                "message": "API key not valid. Please pass a valid API key.",
            },
        ],
    }
}


def test_a_key_looks_like_googles() -> None:
    """AIza and 35 more, another one for each fake, and the same after start_over."""
    one, other = Gemini(), Gemini()

    assert re.fullmatch(r"AIza[A-Za-z0-9_-]{35}", one.api_key)
    assert one.api_key != other.api_key

    key = one.api_key
    one.start_over()

    assert one.api_key == key


def test_a_key_may_be_given() -> None:
    """For those who have one in a file already."""
    assert Gemini(api_key="my-key").api_key == "my-key"


@pytest.mark.parametrize("key", ["", "a b", "a\n", "ü"])
def test_a_key_must_fit_into_a_header(key: str) -> None:
    """What cannot be sent cannot be valid; it is not shown."""
    with pytest.raises(PlanError, match=r"Gemini\(api_key=...\) wants visible ASCII"):
        Gemini(api_key=key)


def test_the_environment_points_here(gemini: Gemini) -> None:
    """The variables that google-genai and others read."""
    assert gemini.environment == {
        "GEMINI_API_KEY": gemini.api_key,
        "GOOGLE_API_KEY": gemini.api_key,
        "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{gemini.port}",
    }


def test_the_key_comes_in_the_header(gemini: Gemini, ask: Ask) -> None:
    """x-goog-api-key."""
    assert ask(headers={"X-Goog-Api-Key": gemini.api_key}).status_code == 200


def test_the_key_comes_in_the_query(gemini: Gemini, ask: Ask) -> None:
    """?key=."""
    assert ask(headers={}, params={"key": gemini.api_key}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"x-goog-api-key": ""}])
def test_no_key_is_403(ask: Ask, headers: dict[str, str]) -> None:
    """An unregistered caller, and no details."""
    response = ask(headers=headers)

    assert response.status_code == 403
    assert response.json() == NO_KEY


def test_a_bad_key_is_400_in_the_header(ask: Ask) -> None:
    """Not 401, not 403."""
    response = ask(headers={"x-goog-api-key": "AIzaWrong"})

    assert response.status_code == 400
    assert response.json() == BAD_KEY


def test_a_bad_key_is_400_in_the_query(ask: Ask) -> None:
    """The way makes no difference; what is not ASCII is no error of ours."""
    response = ask(headers={}, params={"key": "schlüssel"})

    assert response.status_code == 400
    assert response.json() == BAD_KEY


@pytest.mark.parametrize("beside", [True, False])
def test_a_key_as_bearer_is_401(gemini: Gemini, ask: Ask, *, beside: bool) -> None:
    """The wrong scheme, even beside a good key."""
    headers = {"Authorization": f"Bearer {gemini.api_key}"}
    if beside:
        headers["x-goog-api-key"] = gemini.api_key

    response = ask(headers=headers)

    assert response.status_code == 401
    assert response.json() == {
        "error": {
            "code": 401,
            "message": "Request had invalid authentication credentials. Expected OAuth 2 access "
            "token, login cookie or other valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project.",
            "status": "UNAUTHENTICATED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "ACCESS_TOKEN_TYPE_UNSUPPORTED",
                    "metadata": {
                        "service": SERVICE,
                        "method": "google.ai.generativelanguage.v1beta.GenerativeService"
                        ".GenerateContent",
                    },
                }
            ],
        }
    }


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/v1/models", "google.ai.generativelanguage.v1.ModelService.ListModels"),
        ("/v1beta/models", "google.ai.generativelanguage.v1beta.ModelService.ListModels"),
        ("/v1beta/models/x", "google.ai.generativelanguage.v1beta.ModelService.GetModel"),
    ],
)
def test_the_list_of_models_wants_a_key_too(gemini: Gemini, path: str, method: str) -> None:
    """And names the method in its 401."""
    bare = requests.get(gemini.url + path, timeout=10)
    bearer = requests.get(gemini.url + path, headers={"Authorization": "Bearer x"}, timeout=10)

    assert bare.json() == NO_KEY
    assert bearer.json()["error"]["details"][0]["metadata"]["method"] == method


def test_the_key_is_looked_at_before_all_else(ask: Ask) -> None:
    """Who may not ask learns nothing of the model or of the request."""
    response = ask({"nonsense": 1}, model="no-such-model", headers={})

    assert response.json() == NO_KEY
