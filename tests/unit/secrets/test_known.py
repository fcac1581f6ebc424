"""What a server knows to be secret."""

from collections.abc import Mapping
from typing import Any

import pytest
import requests

from pytest_resilience import Fake, FakeServer, PlanError, route
from pytest_resilience.server.credentials import FORMER

KEY = "kX9vRt2LpQ7ZsBn4Wc8Yd1JmHg6FaTqU"


class Service(Fake):
    """Has a key, and keeps something."""

    @property
    def environment(self) -> dict[str, str]:
        return {"SERVICE_URL": self.url, "SERVICE_KEY_ID": "some-key-1", "SERVICE_API_KEY": KEY}

    @property
    def stored_secrets(self) -> Mapping[str, Any]:
        return {"a place": {"password": "st0red"}}

    @route("GET", "/deep")
    def deep(self, request: object) -> object:
        data: object = {"token": "n0t-found"}
        for _ in range(9):
            data = [data]
        return {"a": data, "token": "f0und"}

    @route("GET", "/list")
    def list(self, request: object) -> object:
        return ["token"]


def values(server: FakeServer) -> dict[str, str]:
    return {secret.label: secret.value for secret in server.secrets}


def test_variables_and_stored_data_are_known() -> None:
    """Those whose names tell; there are none before a server has an address."""
    service = Service()

    assert values(service) == {"password of a place": "st0red"}
    with service:
        assert values(service) == {"SERVICE_API_KEY": KEY, "password of a place": "st0red"}


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ("postgres://me:p%40ss-w0rd@db/shop", ["p@ss-w0rd"]),
        ("redis://cache:6379/0", []),
        ("http://[bad:p4ss@x", []),
        ("jdbc:postgresql://db:5432/shop?user=me&password=p%40ss-w0rd", ["p@ss-w0rd"]),
        ("Server=db,1433;User Id=me;Password=p%40s-w0rd;Encrypt=True", ["p%40s-w0rd"]),
        ("host=db user=me password='p@ss w0rd' dbname=shop", ["p@ss w0rd"]),
        ('PlainLoginModule required username="me" password="p@ss;w0rd";', ["p@ss;w0rd"]),
        ("cache:6380,password=p4ssw0rd+/==,ssl=True", ["p4ssw0rd+/=="]),
        ("AccountName=me;AccountKey=b3BlbnNlc2FtZQ==", ["b3BlbnNlc2FtZQ=="]),
        ("Server=db;Trusted_Connection=yes", []),
    ],
)
def test_passwords_within_what_is_stored_are_known(stored: str, found: list[str]) -> None:
    """Of URLs and connection strings, as whoever connects by them knows them."""

    class Keeps(Service):
        stored_secrets = {"shop": {"dsn": stored}}  # noqa: RUF012 -- as a user writes it

    assert [secret.value for secret in Keeps().secrets] == found


def test_answers_are_read_to_some_depth() -> None:
    """And lists at the top, like all that is no object, are left alone."""
    with Service() as service:
        for path in ("/deep", "/deep", "/list"):
            requests.get(service.url + path, timeout=5)

        assert values(service)["token in an answer"] == "f0und"
        assert "n0t-found" not in values(service).values()


def test_bodies_that_are_too_long_are_not_read() -> None:
    """Neither of requests nor of answers."""

    def echo(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    body = b'{"password": "l0ng-0ne", "more": "' + b"x" * 70_000 + b'"}'
    with FakeServer(echo, keep_body=100_000) as server:
        requests.post(server.url, body, timeout=5)

        assert values(server) == {}


def test_a_new_trace_forgets_what_requests_have_shown() -> None:
    """It was another test's; what the user has named stays."""
    with FakeServer(secrets={"mine": "h1dden"}) as server:
        for credential in ("Bearer b34rer", "Bearer h1dden"):
            requests.get(server.url, headers={"Authorization": credential}, timeout=5)
        assert values(server) == {"mine": "h1dden", "Authorization of a request": "b34rer"}

        server.new_trace()
        assert values(server) == {"mine": "h1dden"}


def test_what_was_secret_before_a_new_beginning_still_is() -> None:
    """A token of before may show up afterwards."""
    with FakeServer() as server:
        requests.get(server.url, headers={"X-Api-Key": "4pikey"}, timeout=5)
        server.start_over()

        assert values(server) == {"X-Api-Key of a request": "4pikey"}


def test_a_canary_is_always_another() -> None:
    """So finding it is proof; a secret is given back as it is."""
    server = FakeServer()

    assert server.canary() != server.canary()
    assert server.secret("h1dden") == "h1dden"
    assert server.secrets[0].parts
    assert [secret.label for secret in server.secrets] == ["canary", "canary", "secret"]


@pytest.mark.parametrize("value", ["", "123"])
def test_a_secret_that_would_be_found_everywhere_is_refused(value: str) -> None:
    """With what is wanted."""
    with pytest.raises(PlanError, match="the secret 'pin' is too short: wanted are at least 4"):
        FakeServer(secrets={"pin": value})


def test_what_is_printed_of_a_server_shows_no_secret() -> None:
    """Neither a trace, nor an attempt, nor its headers, nor a masked text."""
    with FakeServer(secrets={"the path's": "tok/en-1"}) as server:
        headers = {"Authorization": f"Bearer {KEY}"}
        requests.get(f"{server.url}/bot-{KEY}/tok%2Fen-1?a={KEY}", headers=headers, timeout=5)
        trace = server.trace

        shown = f"{trace.table()} {trace!r} {trace[:1]!r} {trace.to('GET')!r}"
        assert KEY not in shown
        assert "GET /bot-<Authorization of a request>/<the path's>?...  200" in shown
        assert KEY not in repr(trace[0].headers)
        assert "('Authorization', 'Bearer ***')" in repr(trace[0].headers)
        assert server.masked(f"<{KEY}>") == "<<Authorization of a request>>"


def test_an_attempt_is_shown_as_in_a_table() -> None:
    """Without head, query and body."""
    with FakeServer() as server:
        requests.post(f"{server.url}/a?key={KEY}", KEY, timeout=5)

        assert repr(server.trace[0]).startswith("<Attempt 1  t=0.")
        assert repr(server.trace[0]).endswith("POST /a?...  200>")


class Parcels(Fake):
    """Says what is secret by name, and what it stores at a place."""

    stored: Any = None

    @property
    def stored_secrets(self) -> Any:
        """As set."""
        return self.stored


def test_what_a_service_names_is_a_secret_whatever_it_looks_like() -> None:
    """A text beside a name, and those of a list; what is at a place goes by its own name."""
    server = Parcels()
    server.stored = {
        "door code of a": "openhouse",
        "codes": ["9f8e7d6c5b4a", {"password": "st0red", "door": "front-door"}],
        "too short": "abc",
        "not set": None,
        "parcels/b": {"door_code": "9f8e7d6c5b4b", "host": "kX9vRt2LpQ7ZsBn4"},
    }

    assert values(server) == {
        "door code of a": "openhouse",
        "codes": "9f8e7d6c5b4a",
        "password of codes": "st0red",
    }
    assert server.masked("openhouse") == "<door code of a>"
    assert all(secret.proof for secret in server.secrets)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (["9f8e7d6c5b4a"], "stored_secrets=<class 'list'> is not allowed: wanted a mapping"),
        ({"codes": {"9f8e7d6c5b4a"}}, "stored_secrets['codes']=<class 'set'> is not allowed"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(stored: object, said: str) -> None:
    """Among the errors of the server, which fail its test; without the value."""
    server = Parcels()
    server.stored = stored

    assert server.secrets == ()
    assert [str(error).startswith(said) for error in server.errors] == [True]


class Minting(Fake):
    """Stores another secret each time it starts over, and one that stays."""

    count = 0

    def reset(self) -> None:
        """Mint."""
        self.count += 1

    @property
    def stored_secrets(self) -> Mapping[str, Any]:
        """Both."""
        return {"store": {"password": f"hunter-{self.count}-x", "token": KEY}}


def test_former_secrets_are_bounded() -> None:
    """One that starts over for each of a thousand tests must not look for all they had."""
    with Minting() as server:
        server.start_over()
        assert [len(server.secrets), server.masked("hunter-1-x")] == [3, "<password of store>"]
        for _ in range(FORMER):
            server.start_over()

        assert len(server.secrets) == FORMER + 1
        assert server.masked("hunter-1-x") == "hunter-1-x"


class Broken(FakeServer):
    """Cannot tell what it stores."""

    @property
    def stored_secrets(self) -> Mapping[str, Any]:
        """Fail."""
        raise KeyError("no store")


def test_a_service_that_cannot_tell_its_secrets_breaks_no_report() -> None:
    """What raises is among the server's errors, once, and what is known otherwise stays masked."""
    server = Broken(secrets={"the password": "hunter2"})

    shown = [server.masked("it is hunter2") for _ in range(2)]

    assert shown == ["it is <the password>"] * 2
    assert [repr(error) for error in server.errors] == ["KeyError('no store')"]
