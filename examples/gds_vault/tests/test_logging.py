"""The log: the document's texts at the document's levels, one line each, and silence by default."""

import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.util import find_spec

import pytest
import requests

from gds_vault import VaultClient, VaultError, get_secret_from_vault
from gds_vault.failures import UnusableSettings, detached
from helpers import Lines, Operation, answering
from pytest_resilience import FOREVER, faults
from pytest_resilience_vault import Vault

LOGIN = "POST /v1/auth/approle/login"
PAGE = "no JSON (text/html), so hardly from Vault"


def test_a_read_says_what_the_document_prints(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """At INFO a first read is three lines."""
    client.get_secret("secret/data/myapp")

    assert lines() == [
        f"INFO Authenticating with Vault at {vault.url}",
        "INFO Successfully authenticated with Vault. Token valid for 3600s",
        "INFO Fetching secret from Vault: secret/data/myapp",
    ]


def test_debug_tells_expiry_engine_and_version(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """The details are at DEBUG: when the token ends, which KV version it was, each request."""
    vault.fail(faults.latency(1.25), path="/v1/secret/*")
    client.get_secret("secret/data/myapp")
    said = lines(logging.DEBUG)

    assert "DEBUG KV version of secret/ is 2" in said
    assert "DEBUG Successfully fetched KV v2 secret: secret/data/myapp" in said
    assert any(line.startswith("DEBUG Token will be refreshed at 2") for line in said)
    assert "DEBUG GET /v1/secret/data/myapp answered 200 in 1.250s" in said


def test_debug_tells_what_vault_does_not_tell(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """An engine of unknown version and a token that is replaced are told, at DEBUG alone."""
    vault.fail(answering(403, {"errors": ["no"]}), path="/v1/sys/internal/ui/mounts/*")
    client.get_secret("secret/data/myapp")
    vault.expire_token()
    client.get_secret("secret/data/myapp", use_cache=False)
    said = lines(logging.DEBUG)

    assert any(line.startswith("DEBUG KV version of secret/data/myapp is unknown") for line in said)
    assert "DEBUG Vault does not accept the token any more" in said


def test_the_expiry_is_a_date_that_everybody_reads_alike(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """It is ISO 8601 with its offset, and counts from when the login was asked for."""
    vault.fail(faults.latency(9))
    client.authenticate()
    prefix = "DEBUG Token will be refreshed at "
    (line,) = [line for line in lines(logging.DEBUG) if line.startswith(prefix)]
    expiry = datetime.fromisoformat(line.removeprefix(prefix))

    assert expiry.utcoffset() == timedelta(0)
    assert expiry - datetime.now(expiry.tzinfo) == timedelta(seconds=3291)


def test_a_token_without_end_is_told(client: VaultClient, vault: Vault, lines: Lines) -> None:
    """A lease of 0 has no date."""
    auth = {"client_token": "hvs.x", "lease_duration": 0}
    vault.fail(answering(200, {"auth": auth}))
    client.authenticate()

    assert lines(logging.DEBUG)[-1] == "DEBUG Token does not expire"


def test_a_cache_hit_is_told_at_debug(client: VaultClient, lines: Lines) -> None:
    """A read from the cache is one DEBUG line and nothing else."""
    client.get_secret("secret/data/myapp")
    before = len(lines(logging.DEBUG))
    client.get_secret("secret/data/myapp")

    assert lines(logging.DEBUG)[before:] == ["DEBUG Cache hit for secret: secret/data/myapp"]


def test_listing_says_where_and_how_many(client: VaultClient, vault: Vault, lines: Lines) -> None:
    """The number is of names, folders included."""
    vault.put("secret/team/one", {"a": "b"})
    client.authenticate()
    client.list_secrets("secret/metadata")

    assert lines()[-2:] == [
        "INFO Listing secrets at path: secret/metadata",
        "INFO Found 2 secrets at secret/metadata",
    ]


def test_the_context_is_told_at_debug(vault: Vault, lines: Lines) -> None:
    """Entering and leaving are a line each."""
    with VaultClient():
        pass

    assert lines(logging.DEBUG) == [
        "DEBUG Entering VaultClient context manager",
        "DEBUG Exiting VaultClient context manager",
    ]


def test_the_function_has_lines_of_its_own(vault: Vault, lines: Lines) -> None:
    """get_secret_from_vault says that it is the functional API."""
    get_secret_from_vault("secret/data/myapp")

    assert lines()[0] == "INFO Fetching secret using functional API: secret/data/myapp"
    assert "DEBUG Successfully authenticated with Vault" in lines(logging.DEBUG)


def test_each_retry_is_a_warning_with_attempt_and_delay(
    operation: Operation, vault: Vault, lines: Lines
) -> None:
    """Three failures that the fourth attempt makes good are three warnings and no error."""
    vault.fail(503, times=3)
    operation.run()

    said = "HTTP 503 from POST /v1/auth/approle/login: Vault is sealed"
    assert lines(logging.WARNING) == [
        f"WARNING {operation.name} attempt 1 failed: {said}. Retrying in 1.0s...",
        f"WARNING {operation.name} attempt 2 failed: {said}. Retrying in 2.0s...",
        f"WARNING {operation.name} attempt 3 failed: {said}. Retrying in 4.0s...",
    ]


def test_giving_up_is_one_error(operation: Operation, vault: Vault, lines: Lines) -> None:
    """After the last attempt comes one ERROR, whose text names the operation and the attempts."""
    vault.fail(faults.timeout(), times=FOREVER)
    with pytest.raises(VaultError):
        operation.run()

    assert lines(logging.WARNING) == [
        f"WARNING {operation.name} attempt 1 failed: Read timeout. Retrying in 1.0s...",
        f"WARNING {operation.name} attempt 2 failed: Read timeout. Retrying in 2.0s...",
        f"WARNING {operation.name} attempt 3 failed: Read timeout. Retrying in 4.0s...",
        f"ERROR {operation.name} failed after 4 attempts: Read timeout",
    ]


def test_what_is_not_retried_is_one_error(operation: Operation, vault: Vault, lines: Lines) -> None:
    """A refusal is an ERROR at once, without a warning before it."""
    vault.fail(answering(400, {"errors": ["invalid role or secret ID"]}))
    with pytest.raises(VaultError):
        operation.run()

    said = "HTTP 400 from POST /v1/auth/approle/login: invalid role or secret ID"
    assert lines(logging.WARNING) == [f"ERROR {operation.name} failed: {said}"]


def test_an_answer_of_the_wrong_shape_is_one_error(
    operation: Operation, vault: Vault, lines: Lines
) -> None:
    """A failure that the client itself finds is logged like one that Vault reports."""
    vault.fail(answering(200, {"auth": None}))
    with pytest.raises(VaultError):
        operation.run()

    assert lines(logging.WARNING) == [
        f"ERROR {operation.name} failed: Vault's answer to the login grants no usable token"
    ]


def test_why_there_was_no_answer_is_told_in_full_at_debug_only(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """Production logs say what happened in two words; host, port and class are for DEBUG."""
    vault.fail(faults.timeout())
    client.authenticate()

    assert "127.0.0.1" not in "".join(lines(logging.WARNING))
    assert any("ReadTimeout: HTTPConnectionPool(host=" in line for line in lines(logging.DEBUG))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.timeout(), "Read timeout"),
        (faults.stall(), "Read timeout"),
        (faults.limit_data(), "Answer cut short"),
        (faults.cut_chunk(), "Answer cut short"),
        (faults.reset_peer(when="head"), "Connection reset by peer"),
        (faults.empty_reply(), "Remote end closed connection without response"),
        (faults.garbage(), "Answer cannot be read as HTTP"),
        (faults.huge_headers(), "Answer cannot be read as HTTP"),
        (faults.html_page(502), f"HTTP 502 from {LOGIN}: {PAGE}"),
        (faults.status(500, body=b""), f"HTTP 500 from {LOGIN}"),
    ],
)
def test_each_failure_has_its_words(
    fault: faults.Fault, words: str, client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """A warning says in plain words what went wrong."""
    vault.fail(fault)
    client.authenticate()

    assert lines(logging.WARNING) == [
        f"WARNING authenticate attempt 1 failed: {words}. Retrying in 1.0s..."
    ]


def test_an_undecodable_answer_has_its_words(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """A body that is not the gzip it says is a failure like any other."""
    vault.fail(faults.status(200, body=b"{}", headers={"Content-Encoding": "gzip"}))
    client.authenticate()

    assert "failed: Answer cannot be decompressed." in lines(logging.WARNING)[0]


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (OSError(113, "No route to host"), requests.ConnectionError, "No route to host"),
        (requests.ConnectionError(), requests.ConnectionError, "ConnectionError"),
        (
            requests.exceptions.SSLError(PermissionError(13, "Permission denied")),
            UnusableSettings,
            "The certificate authorities cannot be read: see REQUESTS_CA_BUNDLE",
        ),
    ],
)
def test_a_failure_that_nobody_has_words_for_is_told_by_its_class(
    failure: OSError, kind: type[requests.RequestException], words: str
) -> None:
    """What the system says is said first, also where requests lets it out as it is."""
    told = detached(failure)

    assert type(told) is kind
    assert str(told) == words


def test_a_proxy_that_is_down_has_its_words(
    vault: Vault, lines: Lines, proxied: Callable[[str], None]
) -> None:
    """Nobody looks for the fault at Vault when its proxy is the trouble."""
    proxied("http://127.0.0.1:1")
    with pytest.raises(VaultError, match=r"^authenticate failed: Proxy failure$"):
        VaultClient("http://vault.invalid").authenticate()

    assert "attempt 1 failed: Proxy failure. Retrying in 1.0s..." in lines(logging.WARNING)[0]
    assert len(vault.trace) == 0


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://proxy:99999", "Unusable address"),
        ("http:///", "Unusable address"),
        pytest.param(
            "socks5://127.0.0.1:1",
            "Unusable kind of proxy",
            marks=pytest.mark.skipif(find_spec("socks") is not None, reason="pysocks is there"),
        ),
        ("http://user:pass[word@proxy:3128", r"No request can be made \(ValueError\)"),
        ("http://user:password@", r"No request can be made \(TypeError\)"),
        ("http://a..b:3128", r"No request can be made \(LocationParseError\)"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_error_that_says_where_to_look(
    proxy: str, words: str, vault: Vault, lines: Lines, proxied: Callable[[str], None]
) -> None:
    """It is a setting like any other, so it is not retried."""
    proxied(proxy)
    with pytest.raises(VaultError, match=f"^authenticate failed: {words}: see HTTP_PROXY, "):
        VaultClient("http://vault.invalid").authenticate()

    (said,) = lines(logging.WARNING)
    assert said.startswith("ERROR authenticate failed: ")


def test_missing_authorities_are_one_error_that_says_where_to_look(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another attempt would look for the same file."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent/ca.pem")
    with pytest.raises(VaultError, match=r"path: /nonexistent/ca\.pem: see REQUESTS_CA_BUNDLE$"):
        VaultClient("https://127.0.0.1:1", "role", "secret").authenticate()

    (said,) = lines(logging.WARNING)
    assert said.startswith("ERROR authenticate failed: Could not find a suitable TLS CA ")


def test_authorities_that_are_none_are_one_error_that_says_where_to_look(
    vault: Vault, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there is read when a connection is made, and looks like trouble with TLS."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)
    with pytest.raises(VaultError, match=r"authorities cannot be read: see REQUESTS_CA_BUNDLE$"):
        VaultClient(vault.url.replace("http:", "https:"), "role", "secret").authenticate()

    (said,) = lines(logging.WARNING)
    assert said.startswith("ERROR authenticate failed: The certificate authorities ")


FORGERY = "no\nERROR root: all is lost\r\x1b[31m\u2028\x00end"


def test_a_servers_text_is_one_line(client: VaultClient, vault: Vault, lines: Lines) -> None:
    """Newlines and control characters of a server cannot forge a second line."""
    vault.fail(answering(400, {"errors": [FORGERY]}))
    with pytest.raises(VaultError) as error:
        client.authenticate()

    said = r"no\nERROR root: all is lost\r\x1b[31m\u2028\x00end"
    assert str(error.value).endswith(said)
    assert lines(logging.ERROR)[0].endswith(said)


def test_every_record_is_one_line(
    operation: Operation, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a server or a proxy sends, a record of this package has no second line."""
    caplog.set_level(logging.DEBUG)
    page = faults.status(502, body=FORGERY.encode())
    vault.fail(page, faults.garbage(), answering(503, {"errors": [FORGERY]}), page)
    with pytest.raises(VaultError):
        operation.run()
    records = [record for record in caplog.records if record.name == "gds_vault.vault"]

    assert all(record.getMessage().isprintable() for record in records)
    assert all(record.exc_info is None for record in records)


@pytest.mark.parametrize("errors", [["x" * 1_000_000], ["x" * 100] * 10_000])
def test_a_servers_text_is_cut(
    errors: list[str], client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """A megabyte of error does not fill the log, nor the exception."""
    vault.fail(answering(400, {"errors": errors}))
    with pytest.raises(VaultError) as error:
        client.authenticate()

    assert max(len(line) for line in lines(logging.DEBUG)) < 350
    assert len(str(error.value)) < 350


def test_a_page_instead_of_json_is_shown_at_debug_only(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """A proxy's error page is for who looks for it."""
    vault.fail(faults.html_page(502))
    client.authenticate()

    assert "<html>" not in "".join(lines())
    assert any("was refused with: <html>" in line for line in lines(logging.DEBUG))


def test_a_path_cannot_forge_a_line(client: VaultClient, lines: Lines) -> None:
    """The path comes from the caller, and perhaps from the caller's user."""
    with pytest.raises(VaultError):
        client.get_secret("secret/data/a\nERROR b")

    assert r"INFO Fetching secret from Vault: secret/data/a\nERROR b" in lines()


def test_a_newline_at_the_end_of_a_path_is_seen(client: VaultClient, lines: Lines) -> None:
    """A path out of a file has one, and Vault refuses it without a word."""
    with pytest.raises(VaultError, match=r"GET /v1/secret/data/myapp\\n$"):
        client.get_secret("secret/data/myapp\n")

    assert r"INFO Fetching secret from Vault: secret/data/myapp\n" in lines()


def test_an_application_that_configures_nothing_sees_nothing() -> None:
    """Logging is opt-in: no warning goes to stderr on its own."""
    code = "import logging, gds_vault; logging.getLogger('gds_vault.vault').error('heard')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("", "")
