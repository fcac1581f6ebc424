"""The service's own error for a status fault, and presets beside other faults."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests.structures import CaseInsensitiveDict
from werkzeug import Request, Response, datastructures
from werkzeug.exceptions import MethodNotAllowed, abort

from pytest_resilience import Attempt, Fake, PlanError, faults, route
from pytest_resilience_gemini import Gemini
from pytest_resilience_vault import Vault


class Words(Fake):
    """Errors in words of its own."""

    @route("GET", "/x")
    def get(self, request: object) -> object:
        """Answer."""
        return {}

    def error(self, status: int, message: str | None = None) -> object:
        """Only data: the status is the fault's."""
        return {"words": status}

    def error_for(self, attempt: Attempt, status: int) -> object:
        """The same, with the path."""
        return {"words": status, "path": attempt.path}


def test_an_error_that_is_only_data_has_the_status_of_the_fault() -> None:
    """`fail(503)` is a 503, however the fake words it."""
    with Words() as fake:
        fake.fail(503)
        answer = requests.get(f"{fake.url}/x", timeout=10)

    assert (answer.status_code, answer.json()) == (503, {"words": 503, "path": "/x"})


class Aborts(Words):
    """Leaves errors to werkzeug."""

    @route("POST", "/x")
    def post(self, request: Request) -> object:
        """Want JSON, and find nothing."""
        request.get_json()
        abort(410)


def test_what_a_handler_aborts_with_has_the_services_own_words() -> None:
    """werkzeug's ``abort`` and its refusal of a body that is no JSON are errors of the service."""
    with Aborts() as fake:
        answers = [
            requests.post(f"{fake.url}/x", json={}, timeout=10),
            requests.post(f"{fake.url}/x", data="{", timeout=10),
        ]

    assert [(a.status_code, a.json()) for a in answers] == [
        (410, {"words": 410}),
        (415, {"words": 415}),
    ]
    assert fake.errors == []


def test_vaults_quota_names_the_path() -> None:
    """As Vault says it."""
    with Vault() as vault:
        vault.fail(429)
        answer = requests.get(f"{vault.url}/v1/secret/data/mine", timeout=10)

    assert answer.json() == {
        "errors": ['request path "secret/data/mine": rate limit quota exceeded']
    }


def test_a_stream_of_geminis_gets_its_error_as_a_stream_does() -> None:
    """With alt=sse the type is text/event-stream, whatever fault it is."""
    with Gemini() as gemini:
        gemini.fail(503)
        url = f"{gemini.url}/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
        answer = requests.post(url, json={}, timeout=10)

    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.json()["error"]["status"] == "UNAVAILABLE"


def test_a_preset_goes_together_with_a_truncation() -> None:
    """It replaces the answer; the other fault ends it."""
    with Gemini() as gemini:
        preset = gemini.named_faults["overloaded"]
        both = faults.together(faults.limit_data(10), preset)
        gemini.fail(both)
        try:
            requests.get(f"{gemini.url}/v1beta/models", timeout=10)
        except requests.RequestException as error:
            kind = type(error).__name__

        assert kind == "ChunkedEncodingError"
        assert gemini.trace.statuses == [503]


def test_a_wrong_method_is_unmatched() -> None:
    """The path is there, the method is not: no route matched."""
    with Words() as fake:
        requests.post(f"{fake.url}/x", timeout=10)

        assert [attempt.unmatched for attempt in fake.trace] == [True]


class Verbs(Fake):
    """A handler that takes in what is for another method."""

    @route("GET", "/<name>")
    def get(self, request: object, name: str) -> object:
        """Names with a colon are none."""
        if ":" in name:
            raise MethodNotAllowed(["POST"])
        return {"name": name}


def test_a_handler_may_say_that_the_method_is_wrong() -> None:
    """As if no route had matched; another abort is an answer like others."""
    with Verbs() as fake:
        answer = requests.get(f"{fake.url}/x:run", timeout=10)

        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert [attempt.unmatched for attempt in fake.trace] == [True]


class Headers(Fake):
    """A handler that sets a header."""

    @route("GET", "/x")
    def get(self, request: object) -> object:
        """All that a handler may say at once."""
        return 202, {"later": True}, {"Retry-After": "7"}


def test_a_handler_sets_headers() -> None:
    """The third thing that it returns."""
    with Headers() as fake:
        answer = requests.get(f"{fake.url}/x", timeout=10)

    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "7")


class Returns(Fake):
    """A handler that returns what it is told to."""

    returned: Any = None

    @route("GET", "/x")
    def get(self, request: object) -> object:
        """Answer."""
        return self.returned


@pytest.mark.parametrize(
    "returned",
    [
        ({"id": 1}, 201),
        ({"id": 1}, 201, {"Location": "/1"}),
        (Response("made"), 201),
        (204,),
        (200, {}, [("Retry-After", "7")]),
        (200, {}, {}, "more"),
    ],
    ids=str,
)
def test_a_handlers_answer_that_cannot_be_meant(returned: Any) -> None:
    """It is refused by the handler's name: the status is in front, and headers are a mapping."""
    with Returns() as fake:
        fake.returned = returned
        answer = requests.get(f"{fake.url}/x", timeout=10)

    assert answer.status_code == 500
    assert str(fake.errors[0]) == (
        f"Returns.get returned {returned!r}: wanted JSON data, (status, data), "
        "(status, data, headers) or a Response"
    )


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (({"id": 1}, 3), [{"id": 1}, 3]),
        (("a", 200), ["a", 200]),
        (("a", "b", "c"), ["a", "b", "c"]),
        ((), []),
        ((200, {"id": 1}, None), {"id": 1}),
    ],
)
def test_a_tuple_without_a_status_is_data(returned: Any, expected: object) -> None:
    """A pair of what there is and how many, say."""
    with Returns() as fake:
        fake.returned = returned

        assert requests.get(f"{fake.url}/x", timeout=10).json() == expected


@pytest.mark.parametrize("kind", [dict, datastructures.Headers, CaseInsensitiveDict])
def test_headers_of_any_kind(kind: Callable[[Any], Any]) -> None:
    """Whatever has names and values: what another server has answered may be handed on."""
    with Returns() as fake:
        fake.returned = (200, {}, kind({"Retry-After": "7"}))

        assert requests.get(f"{fake.url}/x", timeout=10).headers["Retry-After"] == "7"


def test_a_fake_has_no_named_errors_unless_it_says_so() -> None:
    """And those that it has show their names."""
    with Headers() as fake:
        assert fake.named_faults == {}
    with Vault() as vault:
        assert repr(vault.named_faults["sealed"]) == "<preset sealed>"


class Maintained(Fake):
    """One error of its own, and a mistake."""

    maintenance: Any = staticmethod(lambda: (503, {"busy": True}, {"Retry-After": "120"}))

    @property
    def presets(self) -> dict[str, Any]:
        """By its name."""
        return {"maintenance": self.maintenance}


def test_a_preset_is_a_function_that_returns_what_a_handler_would() -> None:
    """Headers and all; a fault is none, and is refused where it is planned."""
    with Maintained() as fake:
        fake.fail("maintenance")
        answer = requests.get(fake.url, timeout=10)
        fake.maintenance = faults.status(503)
        with pytest.raises(PlanError) as refused:
            fake.fail("maintenance")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
    assert str(refused.value).startswith("Maintained.presets['maintenance']=")
    assert str(refused.value).endswith(
        "wanted a function that returns what a handler would: lambda: self.error(503)"
    )


class Statuses(Fake):
    """A handler that answers with the status it is asked for."""

    @route("GET", "/<int:status>")
    def get(self, request: object, status: int) -> object:
        """An object with it."""
        return status, {"status": status}


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(200, "OK"), (404, "Not Found"), (429, "Too Many Requests"), (503, "Service Unavailable")],
)
def test_a_status_is_said_as_servers_say_it(status: int, phrase: str) -> None:
    """By a handler and by a fault; what requests raises shows the words."""
    with Statuses() as fake:
        handled = requests.get(f"{fake.url}/{status}", timeout=10)
        fake.fail(503)
        failed = requests.get(f"{fake.url}/{status}", timeout=10)

    assert handled.reason == phrase
    assert failed.reason == "Service Unavailable"
