"""The control application: a server driven over HTTP, on its own port."""

from __future__ import annotations

import functools
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience import Fake, FakeServer, PlanError, route
from pytest_resilience.server.control import Control

if TYPE_CHECKING:
    from werkzeug import Request

JSON = {"Content-Type": "application/json"}
ROOT = "/_resilience/"


class Notes(Fake):
    """Notes by name, with a preset and a state."""

    def reset(self) -> None:
        """None."""
        self.notes: dict[str, str] = {}

    @property
    def presets(self) -> Mapping[str, Any]:
        """One of its own."""
        return {"overloaded": lambda: (529, {"why": "busy"})}

    @route("GET POST", "/notes/<name>")
    def note(self, request: Request, name: str) -> Any:
        """Read or write."""
        if request.method == "POST":
            self.notes[name] = request.get_data(as_text=True)
        return {"note": self.notes.get(name)}

    def state(self) -> Any:
        """All of it."""
        return self.notes

    def set_state(self, state: Any) -> None:
        """All of it."""
        if "forbidden" in state:
            raise PlanError("notes=forbidden is not allowed: wanted others")
        self.notes = {str(name): text + "" for name, text in state.items()}


@pytest.fixture
def told() -> list[str]:
    """What the control application tells whoever serves."""
    return []


@pytest.fixture
def notes(told: list[str]) -> Iterator[Notes]:
    """A fake that can be driven."""
    with Notes(seed=1) as server:
        server.control = Control(server, told.append)
        yield server


class Client:
    """One kept connection to a server."""

    def __init__(self, server: FakeServer) -> None:
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=10)

    def ask(
        self, method: str, path: str, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of the answer; data that is not bytes is sent as JSON."""
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        fields = JSON if headers is None and body is not None else headers or {}
        self.connection.request(method, path, body, dict(fields))
        answer = self.connection.getresponse()
        self.headers = answer.headers
        text = answer.read()
        return answer.status, json.loads(text) if text else None


@pytest.fixture
def client(notes: Notes) -> Iterator[Client]:
    """A client of that fake."""
    client = Client(notes)
    with closing(client.connection):
        yield client


def other(server: FakeServer, method: str, path: str, data: Any = None) -> tuple[int, Any]:
    """The same over a connection of its own."""
    client = Client(server)
    with closing(client.connection):
        return client.ask(method, path, data)


# What it does


def test_the_index_lists_what_can_be_asked_and_which_faults_there_are(client: Client) -> None:
    """A stranger finds everything else from the root."""
    status, index = client.ask("GET", ROOT)

    assert status == 200
    assert index["service"] == "Notes"
    assert index["seed"] == 1
    assert {"ok", "overloaded", "timeout", "status"} <= set(index["faults"])
    assert index["requests"] == [
        "GET /_resilience/",
        "POST /_resilience/reset",
        "GET /_resilience/faults",
        "POST /_resilience/faults",
        "DELETE /_resilience/faults",
        "GET /_resilience/trace",
        "GET /_resilience/state",
        "POST /_resilience/state",
        "POST /_resilience/down",
        "POST /_resilience/up",
    ]


@pytest.mark.parametrize("path", ["/_resilience", "/_resilience?"])
def test_the_index_needs_no_slash_at_its_end(client: Client, notes: Notes, path: str) -> None:
    """As a person types it; a path that only begins alike is the service's own."""
    assert client.ask("GET", path) == client.ask("GET", ROOT)
    assert client.ask("GET", "/_resiliences")[0] == 404
    assert [attempt.path for attempt in notes.trace] == ["/_resiliences"]


def test_a_planned_rule_is_met_and_answered_in_words(client: Client, notes: Notes) -> None:
    """What POST faults plans, coming attempts meet."""
    rule = {"faults": [503, "overloaded"], "times": 2, "path": "/notes/*"}

    status, answer = client.ask("POST", ROOT + "faults", rule)
    seen = [client.ask("GET", "/notes/a")[0] for _ in range(5)]
    _, now = client.ask("GET", ROOT + "faults")

    assert status == 200
    assert answer == {
        "planned": [
            {
                "rule": "status 503, overloaded x2 on /notes/*",
                "faults": ["status 503", "overloaded"],
                "met": 0,
                "unmet": "status 503, overloaded x2 on /notes/*: met 0 of 4 times",
            }
        ],
        "seed": 1,
    }
    assert seen == [503, 529, 503, 529, 200]
    assert [(line["met"], line["unmet"]) for line in now["faults"]] == [(4, "")]


def test_of_a_list_of_rules_all_or_none_are_planned(client: Client, notes: Notes) -> None:
    """A list with one bad rule plans nothing."""
    bad = client.ask("POST", ROOT + "faults", [{"faults": [503]}, {"faults": [503], "times": 0}])
    assert bad[0] == 400
    assert "times=0 is not allowed" in bad[1]["error"]
    assert notes.plan.unmet == []

    good = client.ask("POST", ROOT + "faults", [{"faults": [503]}, {"faults": [429]}])

    assert good[0] == 200
    assert [str(rule) for rule in notes.plan.rules] == ["status 503", "status 429"]


def test_delete_clears_the_plan(client: Client, notes: Notes) -> None:
    """After DELETE faults everything is answered."""
    client.ask("POST", ROOT + "faults", {"faults": [503], "times": "forever"})

    assert client.ask("DELETE", ROOT + "faults") == (200, {"cleared": 1})
    assert client.ask("GET", "/notes/a")[0] == 200


def test_reset_makes_everything_new(client: Client, notes: Notes) -> None:
    """Reset forgets trace, plan and state."""
    client.ask("POST", ROOT + "faults", {"faults": [503]})
    client.ask("POST", "/notes/a", b"hi")
    client.ask("POST", "/notes/b", b"hi")

    status, answer = client.ask("POST", ROOT + "reset")

    assert (status, answer) == (
        200,
        {"reset": True, "environment": {"RESILIENCE_URL": notes.url}},
    )
    assert len(notes.trace) == 0
    assert notes.plan.rules == ()
    assert notes.notes == {}


def test_reset_can_leave_the_state_alone(client: Client, notes: Notes) -> None:
    """With ``"state": false`` trace and plan are new, and what is stored stays."""
    client.ask("POST", ROOT + "faults", {"faults": [503], "after": 1})
    client.ask("POST", "/notes/a", b"hi")

    assert client.ask("POST", ROOT + "reset", {"state": False})[0] == 200
    assert len(notes.trace) == 0
    assert notes.plan.rules == ()
    assert notes.notes == {"a": "hi"}


def test_state_goes_out_and_in(client: Client, notes: Notes) -> None:
    """The state that GET gives, POST takes."""
    client.ask("POST", "/notes/a", b"hi")

    assert client.ask("GET", ROOT + "state") == (200, {"a": "hi"})
    assert client.ask("POST", ROOT + "state", {"b": "ho"}) == (200, {"b": "ho"})
    assert client.ask("GET", "/notes/b") == (200, {"note": "ho"})


def test_a_state_that_the_service_cannot_take_is_refused_in_its_words(client: Client) -> None:
    """A wrong state is the sender's mistake, not the server's."""
    assert client.ask("POST", ROOT + "state", {"forbidden": ""}) == (
        400,
        {"error": "notes=forbidden is not allowed: wanted others"},
    )
    status, answer = client.ask("POST", ROOT + "state", [1])

    assert status == 400
    assert answer["error"].startswith("the service cannot take this state: AttributeError: ")


def test_a_service_that_fails_is_a_500_and_is_kept(client: Client, notes: Notes) -> None:
    """What a fake's own code raises is answered as JSON and found in `errors`."""

    def state() -> Any:
        raise RuntimeError("broken")

    notes.state = state  # type: ignore[method-assign]

    assert client.ask("GET", ROOT + "state") == (500, {"error": "RuntimeError: broken"})
    assert [repr(error) for error in notes.errors] == ["RuntimeError('broken')"]


def test_each_change_is_told(client: Client, told: list[str]) -> None:
    """Whoever serves hears of every request that changed something, and of no other."""
    client.ask("GET", ROOT)
    client.ask("GET", ROOT + "trace")
    client.ask("POST", ROOT + "faults", {"faults": [503]})
    client.ask("DELETE", ROOT + "faults")
    client.ask("POST", ROOT + "state", {})
    client.ask("POST", ROOT + "down", {"seconds": 5})
    client.ask("POST", ROOT + "up")
    client.ask("POST", ROOT + "reset", {})

    assert told == [
        "faults: status 503",
        "faults: none",
        "state: set",
        "down for 5 s",
        "up",
        "reset: everything as new",
    ]


# The trace


def test_a_control_request_is_not_in_the_trace_and_meets_no_fault(client: Client) -> None:
    """Driving leaves no mark on what is driven."""
    client.ask("POST", ROOT + "faults", {"faults": [503], "times": "forever"})
    client.ask("GET", "/notes/a")

    _, trace = client.ask("GET", ROOT + "trace")

    assert [(a["number"], a["target"], a["status"]) for a in trace["attempts"]] == [
        (1, "/notes/a", 503)
    ]


def test_an_attempt_says_everything_and_masks_credentials(client: Client) -> None:
    """Credentials in header fields and in the query are masked unless asked for."""
    target = "/notes/a?key=AIza1&x=1&access%5Ftoken=t&flag"
    sent = {
        "Authorization": "Bearer abc",
        "X-Vault-Token": "hvs.1",
        "x-goog-api-key": "AIza2",
        "Cookie": "a=b",
        "Idempotency-Key": "kept",
    }
    client.ask(
        "POST", ROOT + "faults", {"faults": [{"fault": "status", "code": 429, "retry_after": 5}]}
    )
    client.ask("POST", target, b"\xff\x00", sent)
    client.ask("POST", target, b"hi", sent)

    _, masked = client.ask("GET", ROOT + "trace")
    _, shown = client.ask("GET", ROOT + "trace?credentials=shown")

    first, second = masked["attempts"]
    fields = dict(first["headers"])
    assert fields["Authorization"] == "Bearer ***"
    assert fields["X-Vault-Token"] == "***"
    assert fields["x-goog-api-key"] == "***"
    assert fields["Cookie"] == "***"
    assert fields["Idempotency-Key"] == "kept"
    assert first["target"] == "/notes/a?key=***&x=1&access%5Ftoken=***&flag"
    assert first["query"] == "key=***&x=1&access%5Ftoken=***&flag"
    assert first["path"] == "/notes/a"
    assert first["body_base64"] == "/wA="
    assert second["body"] == "hi"
    assert (first["fault"], first["status"], first["retry_after"]) == ("status 429", 429, "5")
    assert (first["outcome"], first["wait"], first["body_size"]) == ("answered", None, 2)
    assert second["wait"] == pytest.approx(second["at"] - first["ended"], abs=1e-9)
    assert (first["reused"], first["connection"], first["unmatched"]) == (True, 1, False)
    assert dict(shown["attempts"][0]["headers"])["X-Vault-Token"] == "hvs.1"
    assert shown["attempts"][0]["target"] == target


def test_a_secret_of_the_service_is_shown_nowhere(
    client: Client, notes: Notes, told: list[str]
) -> None:
    """Neither in a trace, in rules, in refusals nor in what is told; bodies are what is tested."""
    secret = notes.canary("the key")
    client.ask("POST", f"/notes/a?of={secret}", secret.encode(), {"X-Other": f"it is {secret}"})
    client.ask("GET", f"/notes/{secret}", headers={f"X-{secret}": "1"})
    rule = {"faults": [503], "path": f"/x/{secret}", "times": 2}

    answers = [
        client.ask("POST", ROOT + "faults", rule),
        client.ask("GET", ROOT + "faults"),
        client.ask("POST", ROOT + "faults", {"faults": [secret]}),
        client.ask("GET", ROOT + secret),
    ]
    first, second = client.ask("GET", ROOT + "trace")[1]["attempts"]
    shown = client.ask("GET", ROOT + "trace?credentials=shown")[1]["attempts"]

    assert [status for status, _ in answers] == [200, 200, 400, 404]
    assert secret not in json.dumps(answers)
    assert answers[0][1]["planned"][0]["rule"].endswith("on /x/<the key>")
    assert first["target"] == "/notes/a?of=<the key>"
    assert dict(first["headers"])["X-Other"] == "it is <the key>"
    assert first["body"] == secret
    assert (second["path"], second["note"]) == ("/notes/<the key>", "")
    assert dict(second["headers"])["X-<the key>"] == "1"
    assert shown[1]["path"] == f"/notes/{secret}"
    assert secret not in " ".join(told)
    assert "<the key>" in " ".join(told)


def test_since_and_limit_page_through_a_trace(client: Client) -> None:
    """``next`` of one answer is ``since`` of the following one, until nothing is left."""
    for _ in range(5):
        client.ask("GET", "/notes/a")

    pages = [client.ask("GET", ROOT + f"trace?since={since}&limit=2")[1] for since in (0, 2, 4, 5)]

    assert [[a["number"] for a in page["attempts"]] for page in pages] == [[1, 2], [3, 4], [5], []]
    assert [page["next"] for page in pages] == [2, 4, 5, 5]
    assert [page["more"] for page in pages] == [True, True, False, False]


def test_since_counts_attempts_that_a_bounded_trace_has_forgotten() -> None:
    """Numbers stay true when the server keeps only the newest attempts."""
    with Notes(keep=3) as server:
        server.control = Control(server)
        for _ in range(5):
            other(server, "GET", "/notes/a")

        _, page = other(server, "GET", ROOT + "trace?since=3")
        _, whole = other(server, "GET", ROOT + "trace")

    assert [a["number"] for a in page["attempts"]] == [4, 5]
    assert [a["number"] for a in whole["attempts"]] == [3, 4, 5]
    assert whole["forgotten"] == 2


def test_large_bodies_are_paged(client: Client) -> None:
    """One answer carries at most about four MiB of bodies, and says that there is more."""
    for _ in range(70):
        client.ask("POST", "/notes/a", b"x" * 65_536)

    _, page = client.ask("GET", ROOT + "trace")

    assert len(page["attempts"]) == 64
    assert page["more"] is True


# What it refuses


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "said"),
    [
        ("GET", "nothing", None, 404, "there is no /_resilience/nothing; there are: "),
        ("GET", "Fault", None, 404, "no /_resilience/Fault; did you mean 'faults'?; there are: "),
        (
            "GET",
            "trace?snce=1",
            None,
            400,
            "there is no parameter 'snce' here; did you mean 'since'?; it takes since, limit, cred",
        ),
        ("GET", "state?since=1", None, 400, "no parameter 'since' here; it takes none"),
        ("GET", "trace?since=%D9%A3", None, 400, "since='٣' is not allowed"),
        ("POST", "down", {"second": 1}, 400, "'second' here; did you mean 'seconds'?; it takes"),
        (
            "POST",
            "faults",
            [{"faults": [503]}, {"faults": ["x"]}],
            400,
            "rule 2 of 2: no fault is named 'x'",
        ),
        ("POST", "faults", {"faults": [503] * 1001}, 400, "the body='1001 faults' is not allowed"),
        (
            "POST",
            "faults",
            [{"faults": [[503] * 500]}, {"faults": [503] * 501}, {}],
            400,
            "wanted 1000 at most; times repeats",
        ),
        ("GET", "reset/", None, 404, "there is no /_resilience/reset/"),
        ("GET", "x" * 3000, None, 404, f"there is no /_resilience/{'x' * 100}; there are: "),
        ("PUT", "faults", None, 405, "PUT is not allowed on /_resilience/faults; it takes GET"),
        ("GET", "reset", None, 405, "it takes POST"),
        ("OPTIONS", "faults", None, 405, "OPTIONS is not allowed"),
        ("POST", "faults", b"", 400, "the body is empty; wanted JSON"),
        ("POST", "faults", b"{", 400, "the body is no JSON: "),
        ("POST", "faults", b"\xff\xfe", 400, "the body is no JSON: "),
        ("POST", "faults", b'{"faults": [NaN]}', 400, "NaN is not JSON"),
        ("POST", "faults", b'{"faults": [503], "faults": []}', 400, "the field 'faults' more than"),
        ("POST", "reset", b'{"state": false, "state": true}', 400, "the field 'state' more than"),
        ("POST", "faults", b"[" * 100_000, 400, "the body is no JSON: "),
        ("POST", "faults", b'{"faults": ' + b"[" * 900 + b"]" * 900 + b"}", 400, ""),
        ("POST", "faults", b"9" * 5_000, 400, "the body is no JSON: "),
        ("POST", "faults", [], 400, "the body=[] is not allowed"),
        ("POST", "faults", 503, 400, "rule=503 is not allowed"),
        ("POST", "faults", {"faults": [503], "between": [0, 10**400]}, 400, "between=[0, 1000"),
        ("POST", "faults", {"faults": [503], "when": "x"}, 400, "a predicate is Python"),
        ("POST", "down", {"seconds": -1}, 400, "seconds=-1 is not allowed"),
        ("POST", "down", {"seconds": None}, 400, "seconds=None is not allowed"),
        ("POST", "down", {"for": 1}, 400, "there is no field 'for' here; it takes seconds"),
        ("POST", "up", {"now": 1}, 400, "there is no field 'now' here; it takes no fields"),
        ("POST", "reset", {"state": 0}, 400, "state=0 is not allowed: wanted true or false"),
        ("POST", "reset", [], 400, "the body=[] is not allowed: wanted an object, or no body"),
        ("GET", "trace?since=x", None, 400, "since='x' is not allowed"),
        ("GET", "trace?since=1&since=2", None, 400, "has the parameter 'since' more than once"),
        ("GET", "trace?since=-1", None, 400, "since='-1' is not allowed"),
        ("GET", "trace?limit=0", None, 400, "limit=0 is not allowed: wanted a whole number, 1 to"),
        ("GET", "trace?credentials=yes", None, 400, "credentials='yes' is not allowed"),
    ],
)
def test_a_wrong_request_is_refused_in_words(  # noqa: PLR0917 -- a table of five columns
    client: Client, notes: Notes, method: str, path: str, data: Any, status: int, said: str
) -> None:
    """Every refusal is JSON, names what is wrong, and changes nothing."""
    answered, answer = client.ask(method, ROOT + path, data, JSON if method == "POST" else {})

    assert answered == status
    assert said in answer["error"]
    assert notes.plan.rules == ()
    assert notes.errors == []
    assert client.ask("GET", ROOT)[0] == 200


def test_a_405_names_the_methods(client: Client) -> None:
    """The Allow field says what the path takes (RFC 9110 section 15.5.6)."""
    client.ask("PUT", ROOT + "faults", {})

    assert client.headers["Allow"] == "GET, POST, DELETE"


def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    """A body may have one MiB."""
    status, answer = client.ask("POST", ROOT + "state", b" " * (1024 * 1024 + 1), JSON)

    assert (status, answer) == (
        413,
        {"error": "the body has 1048577 bytes; wanted at most 1048576"},
    )


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", None])
@pytest.mark.parametrize("verb", ["faults", "state", "down"])
def test_a_body_that_a_form_could_send_is_refused(
    client: Client, notes: Notes, kind: str | None, verb: str
) -> None:
    """A page can post a form without asking; a form cannot say application/json."""
    headers = {} if kind is None else {"Content-Type": kind}

    status, answer = client.ask("POST", ROOT + verb, b'{"faults": [503]}', headers)

    assert status == 415
    assert answer == {"error": f"Content-Type: {kind or 'none'}; wanted application/json"}
    assert notes.plan.rules == ()


def test_an_empty_form_is_refused_too(client: Client) -> None:
    """A form without a field has no body, but it has a kind."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert client.ask("POST", ROOT + "reset", None, headers)[0] == 415
    assert client.ask("POST", ROOT + "reset", None, {})[0] == 200


def test_without_a_control_application_the_prefix_is_the_services_own() -> None:
    """Servers in tests are not driven over HTTP: the prefix is a path like any other."""
    with Notes() as server:
        status, _ = other(server, "GET", ROOT)

        assert status == 404
        assert server.trace.statuses == [404]


# Down and up


def test_the_connection_that_takes_a_server_down_gets_its_answer_and_brings_it_up(
    client: Client, notes: Notes
) -> None:
    """Connections of control requests live through an outage; all others are reset."""
    bystander = Client(notes)
    bystander.ask("GET", "/notes/a")

    assert client.ask("POST", ROOT + "down") == (200, {"down": True, "seconds": 60.0})
    with pytest.raises(ConnectionRefusedError):
        other(notes, "GET", "/notes/a")
    with pytest.raises(ConnectionResetError):
        bystander.ask("GET", "/notes/a")
    assert client.ask("GET", ROOT)[0] == 200
    assert client.ask("POST", ROOT + "up") == (200, {"down": False})
    assert other(notes, "GET", "/notes/a")[0] == 200
    bystander.connection.close()


def test_an_outage_ends_by_itself(client: Client, notes: Notes) -> None:
    """``seconds`` is how long it lasts, so that nobody shuts himself out."""
    client.ask("POST", ROOT + "down", {"seconds": 0.02})

    for _ in range(1_000):
        try:
            assert other(notes, "GET", "/notes/a")[0] == 200
            break
        except ConnectionRefusedError:
            threading.Event().wait(0.005)
    else:
        pytest.fail("it stayed down")


def test_a_connection_spared_by_an_outage_carries_nothing_but_control(
    client: Client, notes: Notes
) -> None:
    """An ordinary request over it meets the outage, and is in no trace."""
    client.ask("POST", ROOT + "down")

    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        client.ask("GET", "/notes/a")
    assert len(notes.trace) == 0


def test_a_reset_brings_a_server_up(client: Client, notes: Notes) -> None:
    """Everything as new includes: it listens."""
    client.ask("POST", ROOT + "down")

    assert client.ask("POST", ROOT + "reset")[0] == 200
    assert other(notes, "GET", "/notes/a")[0] == 200


# Together with much else


@pytest.mark.parametrize("blocking", [True, False])
def test_it_is_driven_while_thousands_of_requests_run(blocking: bool) -> None:  # noqa: FBT001
    """Driving and serving at once: every request of either kind is answered."""

    def app(_: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return [b""]

    with FakeServer(app, blocking=blocking) as server:
        server.control = Control(server)
        seen: list[int] = []
        threads = [
            threading.Thread(target=functools.partial(_collect, seen, server, "/", 500))
            for _ in range(4)
        ] + [
            threading.Thread(target=functools.partial(_collect, seen, server, ROOT + name, 50))
            for name in ("trace?limit=1", "faults", "state")
        ]
        for thread in threads:
            thread.start()
        for _ in range(20):
            assert other(server, "POST", ROOT + "reset")[0] == 200
        for thread in threads:
            thread.join(60)

    assert seen == [200] * 2_150
    assert server.errors == []


def _collect(seen: list[int], server: FakeServer, path: str, times: int) -> None:
    seen.extend(_many(server, path, times))


def _many(server: FakeServer, path: str, times: int) -> list[int]:
    client = Client(server)
    with closing(client.connection):
        return [_status(client, path) for _ in range(times)]


def _status(client: Client, path: str) -> int:
    client.connection.request("GET", path)
    answer = client.connection.getresponse()
    answer.read()
    return answer.status


def test_starting_over_from_a_test_does_not_lock_up_with_a_running_request() -> None:
    """A fake's lock is not held while the loop is waited for, since its handlers take it."""
    with Notes() as server:
        threads = [
            threading.Thread(target=_many, args=(server, "/notes/a", 200), daemon=True)
            for _ in range(2)
        ]
        over = threading.Thread(target=_start_over, args=(server, 100), daemon=True)
        for thread in (*threads, over):
            thread.start()
        over.join(20)

        assert not over.is_alive()
        for thread in threads:
            thread.join(20)


def _start_over(server: FakeServer, times: int) -> None:
    for _ in range(times):
        server.start_over()


def test_head_is_get_without_a_body(notes: Notes) -> None:
    """HEAD on the index is answered like GET."""
    with socket.create_connection((notes.host, notes.port), timeout=10) as sock:
        host = f"{notes.host}:{notes.port}"
        sock.sendall(f"HEAD /_resilience/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())

        assert sock.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
