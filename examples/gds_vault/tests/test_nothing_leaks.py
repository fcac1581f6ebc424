"""No token, secret_id or secret value in any log, exception, repr or traceback."""

import base64
import json
import logging
import secrets
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from gds_vault import VaultClient, VaultError
from gds_vault.text import Secret, without
from helpers import Operation, answering
from pytest_resilience import FOREVER, faults
from pytest_resilience_vault import Vault

# Each with where in an operation it strikes; all of them for good.
OUTAGES: dict[str, tuple[faults.Fault, str]] = {
    "login 503": (faults.status(503), "/v1/auth/*"),
    "login silent": (faults.timeout(), "/v1/auth/*"),
    "login reset": (faults.reset_peer(when="head"), "/v1/auth/*"),
    "login cut": (faults.limit_data(0.9), "/v1/auth/*"),
    "login malformed": (faults.malformed_json(), "/v1/auth/*"),
    "read 403": (faults.status(403), "/v1/secret/*"),
    "read silent": (faults.timeout(), "/v1/secret/*"),
    "read cut": (faults.limit_data(0.9), "/v1/secret/*"),
    "read malformed": (faults.malformed_json(), "/v1/secret/*"),
    "read too long": (faults.wrong_length(by=-10), "/v1/secret/*"),
    "read redirected": (faults.redirect("http://127.0.0.1:1/"), "/v1/secret/*"),
    "engine 503": (faults.status(503), "/v1/sys/*"),
    "engine garbage": (faults.garbage(), "/v1/sys/*"),
}


@pytest.fixture
def canary(vault: Vault) -> str:
    """The value of `secret/data/myapp`: nothing else has it, so finding it is proof."""
    value = f"canary-{secrets.token_hex(16)}"
    vault.put("secret/myapp", {"password": value})
    return value


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All records of all loggers at DEBUG, with their arguments and tracebacks."""
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "requests", "gds_vault"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    return lambda: caplog.text + "".join(repr(vars(record)) for record in caplog.records)


def tokens_shown_to(vault: Vault) -> set[str]:
    """Every token that the client has sent."""
    sent = {attempt.headers.get("X-Vault-Token") for attempt in vault.trace}
    return {token for token in sent if token is not None}


def leaked(text: str, *hidden: str) -> list[str]:
    """Which of these the text has, in any usual spelling."""
    return [
        value
        for value in hidden
        if value in text
        or quote(value, safe="") in text
        or json.dumps(value)[1:-1] in text
        or value.encode().hex() in text
        or base64.b64encode(value.encode()).decode()[:-4] in text
    ]


def caught(call: Callable[[], object]) -> BaseException | None:
    """Call from a frame that knows no secret itself, and return what was raised."""
    try:
        call()
    except VaultError as exc:
        return exc
    return None


def all_of(exc: BaseException | None) -> Iterator[str]:
    """All that a reporter could show of an exception: texts, attributes, causes, locals."""
    while exc is not None:
        assert exc.__context__ is exc.__cause__
        assert getattr(exc, "request", None) is None
        yield from (str(exc), repr(exc), repr(vars(exc)))
        if (response := getattr(exc, "response", None)) is not None:
            yield repr(vars(response))
        report = traceback.TracebackException.from_exception(exc, capture_locals=True)
        yield from report.format(chain=False)
        exc = exc.__cause__


@pytest.mark.resilience(unmet=True)  # not every operation gets to where the outage is
@pytest.mark.parametrize("outage", OUTAGES)
def test_no_outage_brings_a_secret_to_light(
    outage: str,
    operation: Operation,
    vault: Vault,
    canary: str,
    everything_logged: Callable[[], str],
) -> None:
    """Not in a record of any logger at DEBUG, nor in the exception with causes and locals."""
    fault, where = OUTAGES[outage]
    vault.fail(fault, path=where, times=FOREVER)

    seen = [everything_logged(), *all_of(caught(operation.run))]
    hidden = {canary, vault.role_id, vault.secret_id, *tokens_shown_to(vault)}

    assert leaked("\n".join([*seen, everything_logged()]), *hidden) == []


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:hunter2#x@proxy:3128",
        "http://user:hunter2/x@proxy:3128",
        "http://user:hunter2?x@proxy:3128",
        "http://user:hunter2[x@proxy:3128",
        "http://user:hunter2@proxy:99999",
        "http://user:hunter2@a..b:3128",
        "http://user:hunter2@",
    ],
)
def test_a_proxy_that_cannot_be_used_brings_no_password_to_light(
    proxy: str,
    vault: Vault,
    proxied: Callable[[str], None],
    everything_logged: Callable[[], str],
) -> None:
    """Requests quotes such an address, and its frames hold what was to be sent."""
    proxied(proxy)

    seen = [*all_of(caught(VaultClient("http://vault.invalid").authenticate)), everything_logged()]

    assert "hunter2" not in "".join(seen)
    assert leaked("\n".join(seen), vault.role_id, vault.secret_id) == []


def test_an_ordinary_day_brings_no_secret_to_light(
    vault: Vault, canary: str, everything_logged: Callable[[], str]
) -> None:
    """Logins, reads, lists, cache hits and a refused token say nothing about what they carry."""
    with VaultClient() as client:
        client.get_secret("secret/data/myapp")
        client.get_secret("secret/data/myapp")
        client.list_secrets("secret/metadata")
        vault.expire_token()
        client.get_secret("secret/data/myapp", use_cache=False)
        client.clear_cache()
    tokens = tokens_shown_to(vault)

    assert len(tokens) == 2
    assert leaked(everything_logged(), canary, vault.role_id, vault.secret_id, *tokens) == []


def test_urllib3_logs_too(vault: Vault, everything_logged: Callable[[], str]) -> None:
    """The test above does see the lines of urllib3, which log each request's path."""
    VaultClient().authenticate()

    assert "POST /v1/auth/approle/login HTTP/1.1" in everything_logged()


@pytest.mark.parametrize("as_page", [False, True])
def test_what_a_server_echoes_is_masked(
    as_page: bool,  # noqa: FBT001 - a parameter of the test
    vault: Vault,
    client: VaultClient,
    everything_logged: Callable[[], str],
) -> None:
    """A proxy that shows what it was sent does not get it into our log."""
    token = client.authenticate()
    echo = f"blocked: {vault.secret_id} {vault.role_id} {token}"
    page = faults.status(400, body=f"<p>{echo}</p>")
    fault = page if as_page else answering(400, {"errors": [echo]})
    vault.fail(fault)

    seen = [*all_of(caught(lambda: client.get_secret("secret/data/myapp"))), everything_logged()]

    assert "blocked: *** *** ***" in "".join(seen)
    assert leaked("\n".join(seen), vault.secret_id, vault.role_id, token) == []


def test_a_proxys_password_that_it_echoes_is_masked(
    vault: Vault, client: VaultClient, everything_logged: Callable[[], str]
) -> None:
    """It is not among the client's settings; the proxy is the environment's."""
    vault.fail(faults.status(502, body="<p>Proxy-Authorization: Basic dXNlcjpodW50ZXIy</p>"))
    client.authenticate()

    assert "Proxy-Authorization: Basic ***</p>" in everything_logged()


@pytest.mark.parametrize("status", [200, 302, 400])
def test_what_a_server_echoes_in_a_header_is_masked(
    status: int, vault: Vault, client: VaultClient, everything_logged: Callable[[], str]
) -> None:
    """Before it is cut: half a secret_id is a secret, too."""
    echo = {"Content-Type": f"a/b; {vault.secret_id}", "Location": f"//{vault.secret_id}.example"}
    vault.fail(faults.status(status, body=b"no JSON", headers=echo), times=FOREVER)

    seen = "".join([*all_of(caught(client.authenticate)), everything_logged()])

    assert "***" in seen
    assert vault.secret_id[:20] not in seen


def test_a_token_that_cannot_be_sent_is_not_shown(vault: Vault, client: VaultClient) -> None:
    """Requests would quote the header's value; it never gets that far."""
    auth = {"client_token": "hvs.bad token", "lease_duration": 3600}
    vault.fail(answering(200, {"auth": auth}))

    assert leaked("".join(all_of(caught(client.authenticate))), "hvs.bad token") == []


def test_an_answer_of_another_shape_is_not_shown(vault: Vault, client: VaultClient) -> None:
    """Whatever it is, it may have a secret in it."""
    vault.fail(answering(200, {"data": ["canary-0123456789"]}), path="/v1/secret/*")
    vault.fail(answering(200, {"data": {"keys": "canary-0123456789"}}), method="LIST")

    for call in (
        lambda: client.get_secret("secret/data/myapp"),
        lambda: client.list_secrets("secret/metadata"),
    ):
        exc = caught(call)

        assert exc is not None
        assert leaked("".join(all_of(exc)), "canary-0123456789") == []


def test_a_version_that_is_not_there_shows_no_secret(client: VaultClient, kv1: Vault) -> None:
    """The client has read a secret that it was not asked for, and keeps it to itself."""
    kv1.put("kv1/myapp", {"password": "canary-0123456789"})

    exc = caught(lambda: client.get_secret("kv1/myapp", version=3))

    assert exc is not None
    assert leaked("".join(all_of(exc)), "canary-0123456789") == []


def test_a_client_holds_no_secret_in_sight(vault: Vault, canary: str) -> None:
    """Neither repr nor the attributes of a client, at any depth of repr, show a secret."""
    client = VaultClient()
    token = client.authenticate()
    client.get_secret("secret/data/myapp")
    parts = [client, client._talk, client._talk.logins.peek(), client._talk._transport]
    seen = "".join(f"{part!r} {vars(part)!r}" for part in (*parts[:2], parts[3])) + repr(parts[2])

    assert leaked(seen, canary, token, vault.secret_id, vault.role_id) == []


def test_credentials_of_a_netrc_file_are_not_sent(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests adds what it finds for the host in ~/.netrc, unless there is other auth."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))

    VaultClient().list_secrets("secret/metadata")

    assert not any("Authorization" in attempt.headers for attempt in vault.trace)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a s3cr3t/+ b", "a *** b"),
        ("?x=s3cr3t%2F%2B", "?x=***"),
        ("nothing", "nothing"),
    ],
)
def test_a_secret_is_masked_in_each_spelling(text: str, masked: str) -> None:
    """Plain, as in JSON, and as in a URL."""
    assert without(text, [Secret("s3cr3t/+")]) == masked


def test_a_secret_in_json_is_masked() -> None:
    """A quote in a secret is escaped in JSON."""
    assert without(r"{'x': 's3\"cr3t'}", [Secret('s3"cr3t')]) == "{'x': '***'}"


def test_a_secret_that_begins_like_another_is_masked_whole() -> None:
    """A role_id and a secret_id that somebody chose may have a beginning in common."""
    secrets = [Secret("myapp"), Secret("myapp-s3cr3t")]

    assert without("role myapp, id myapp-s3cr3t", secrets) == "role ***, id ***"


def test_a_word_of_three_letters_is_not_masked() -> None:
    """A role_id "ole" would make every message unreadable and protect nothing."""
    assert without("invalid role", [Secret("ole"), Secret("")]) == "invalid role"


def test_a_secret_shows_itself_only_when_asked() -> None:
    """Repr and str have nothing of it."""
    assert f"{Secret('s3cr3t')!r} {Secret('s3cr3t')}" == "Secret(***) Secret(***)"
