"""The key is in one place, the request's header, and nowhere else."""

import json
import logging
import pickle
import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog

import settings
from gemini_errors import (
    ConfigurationError,
    GeminiConnectionError,
    GeminiError,
    GeminiHTTPError,
    InvalidRequestError,
)
from logging_config import filter_sensitive_data, setup_logging
from main import generate_tweet
from pytest_resilience import faults
from pytest_resilience_gemini import Gemini
from redaction import is_sensitive, preview, redact, register_secret
from settings import load_settings

ReadLog = Callable[[], list[dict[str, Any]]]

FAILURES = [
    pytest.param(503, id="503"),
    pytest.param(400, id="400"),
    pytest.param(faults.reset_peer(), id="reset"),
    pytest.param(faults.empty_reply(), id="no answer"),
    pytest.param(faults.limit_data(), id="cut"),
    pytest.param(faults.timeout(), id="timeout"),
    pytest.param(faults.garbage(), id="garbage"),
    pytest.param(faults.html_page(200), id="HTML"),
    pytest.param(faults.redirect("http://127.0.0.1:1/"), id="redirect"),
]


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key that no other text contains."""
    key = "canary-" + secrets.token_hex(16)
    monkeypatch.setenv("GEMINI_API_KEY", key)
    return key


def filtered(**fields: object) -> dict[str, Any]:
    """What the processor makes of these fields."""
    return dict(filter_sensitive_data(None, "info", fields))


def everything_about(failure: BaseException) -> str:
    """All that a log, a debugger's first look or an error tracker shows of an error."""
    texts: list[str] = []
    # The first frame is the test's own.
    error: BaseException | None = failure.with_traceback(
        failure.__traceback__ and failure.__traceback__.tb_next
    )
    while error is not None:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        texts += [str(error), repr(error), repr(vars(error)), *shown.format()]
        request = getattr(error, "request", None)
        texts.append(repr(getattr(request, "headers", None)))
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


# --- requests ------------------------------------------------------------------------


def test_the_key_is_sent_as_a_header(fake_gemini: Gemini) -> None:
    """``x-goog-api-key`` carries the key; the URL, the body and other headers do not."""
    generate_tweet("secrets")

    (attempt,) = fake_gemini.trace
    assert attempt.headers["x-goog-api-key"] == fake_gemini.api_key
    assert fake_gemini.api_key not in attempt.target
    assert fake_gemini.api_key.encode() not in attempt.body
    assert attempt.head.count(fake_gemini.api_key.encode()) == 1
    assert "authorization" not in attempt.headers


def test_a_netrc_is_not_sent(
    fake_gemini: Gemini, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A password from ~/.netrc, which requests would add, makes Gemini answer 401."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))

    generate_tweet("secrets")

    assert "authorization" not in fake_gemini.trace[0].headers


@pytest.mark.parametrize("fault", FAILURES)
def test_no_failure_shows_the_key(
    fake_gemini: Gemini,
    read_log: ReadLog,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    fault: faults.Fault | int,
) -> None:
    """Neither the log, at DEBUG and with urllib3's lines, nor the error and its causes."""
    fake_gemini.fail(fault, times=1)

    try:
        generate_tweet("secrets", max_retries=1)
    except GeminiError as error:
        shown = everything_about(error)
        structlog.get_logger().exception("failed")
    else:
        pytest.fail("the fault was survived")

    captured = capsys.readouterr()
    assert any(line.get("logger") == "urllib3.connectionpool" for line in read_log())
    for text in (shown, captured.out, captured.err, (tmp_path / "test.log").read_text()):
        assert fake_gemini.api_key not in text


@pytest.mark.parametrize("name", ["GOOGLE_GEMINI_BASE_URL", "http_proxy"])
def test_nobody_there_does_not_show_the_key(
    canary: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nor does a request that was never sent, because the service or a proxy is down."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://gemini.invalid")
    monkeypatch.setenv(name, "http://127.0.0.1:1")

    with pytest.raises(GeminiConnectionError, match="Connection refused") as caught:
        generate_tweet("secrets", max_retries=1)

    assert canary not in everything_about(caught.value)


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_key_that_the_server_echoes_is_blanked(
    fake_gemini: Gemini, read_log: ReadLog, status: int
) -> None:
    """Whatever the status, a key in the server's words does not go on into ours."""
    message = f"Permission denied: Consumer 'api_key:{fake_gemini.api_key}' has been suspended."
    fake_gemini.fail(faults.status(status, body={"error": {"message": message}}))

    with pytest.raises(GeminiError) as caught:
        generate_tweet("secrets", max_retries=1)

    assert fake_gemini.api_key not in everything_about(caught.value)
    assert fake_gemini.api_key not in json.dumps(read_log())
    if isinstance(caught.value, GeminiHTTPError):
        assert caught.value.message == (
            "Permission denied: Consumer 'api_key:[REDACTED]' has been suspended."
        )


def test_geminis_own_echo_of_the_key_is_blanked(fake_gemini: Gemini) -> None:
    """Gemini quotes the key when it refuses a consumer that is suspended."""
    fake_gemini.fail("key_suspended")

    with pytest.raises(GeminiHTTPError) as caught:
        generate_tweet("secrets")

    assert fake_gemini.api_key not in everything_about(caught.value)
    assert "[REDACTED]" in str(caught.value)


def test_a_key_at_the_cut_is_blanked_whole(fake_gemini: Gemini, read_log: ReadLog) -> None:
    """Truncation does not leave half a key, which no filter would know any more."""
    message = "x" * 190 + fake_gemini.api_key
    fake_gemini.fail(faults.status(503, body={"error": {"message": message}}))

    with pytest.raises(GeminiError) as caught:
        generate_tweet("secrets", max_retries=1)

    assert caught.value.message == "x" * 190 + "[REDACTED]"


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://127.0.0.1:1/?a=b&key=abcdefgh", "http://127.0.0.1:1/?a=b&key=[REDACTED]"),
        ("http://me:hidden@127.0.0.1:1/x", "http://[REDACTED]@127.0.0.1:1/x"),
    ],
)
def test_a_location_with_a_secret_is_blanked(
    fake_gemini: Gemini, location: str, shown: str
) -> None:
    """The text about a redirect does not repeat a key or a password in its address."""
    fake_gemini.fail(faults.redirect(location))

    with pytest.raises(GeminiHTTPError) as caught:
        generate_tweet("secrets")

    assert caught.value.message == f"Redirect to {shown} not followed"


@pytest.mark.parametrize(
    ("name", "value"),
    [("GEMINI_MODEL", "../evil"), ("GOOGLE_GEMINI_BASE_URL", "ftp://h"), ("GEMINI_API_KEY", "é")],
)
def test_a_setting_that_is_refused_does_not_show_the_key(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The key next to it stays unseen, and so does the key itself, if it is the one."""
    canary = "canary-" + secrets.token_hex(16)
    settings.ENV_FILE.write_text(f"GEMINI_API_KEY={canary}\n")
    monkeypatch.setenv(name, f"{canary}{value}" if name == "GEMINI_API_KEY" else value)

    with pytest.raises(ConfigurationError, match=name) as caught:
        generate_tweet("secrets")

    assert canary not in everything_about(caught.value)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:hidden@proxy:99999",
        "http://me:hidden#1@proxy:3128",
        "http://me:hidden/1@proxy:3128",
        "http://me:hidden?1@proxy:3128",
    ],
)
@pytest.mark.usefixtures("canary")
def test_the_password_of_a_proxy_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, read_log: ReadLog, proxy: str
) -> None:
    """A proxy whose address is none, often for want of a %23, is not quoted."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://gemini.invalid")
    monkeypatch.setenv("http_proxy", proxy)

    with pytest.raises(InvalidRequestError, match="a proxy such as HTTPS_PROXY") as caught:
        generate_tweet("secrets")

    assert "hidden" not in everything_about(caught.value)
    assert "hidden" not in json.dumps(read_log())


def test_settings_do_not_show_the_key(canary: str) -> None:
    """``repr(settings)``, which ends up in logs and failing tests, leaves the key out."""
    assert canary not in repr(load_settings())
    assert canary not in str(load_settings())


def test_errors_survive_pickling() -> None:
    """An error of a worker process arrives as what it was."""
    error = pickle.loads(pickle.dumps(GeminiHTTPError("busy", 503)))  # noqa: S301  # our own bytes

    assert (type(error), str(error), error.retryable) == (GeminiHTTPError, "HTTP 503: busy", True)


# --- the filter ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "nest",
    [
        pytest.param(lambda key: key, id="a value"),
        pytest.param(lambda key: f"before {key} after", id="within a text"),
        pytest.param(lambda key: {"deep": [{"deeper": (key,)}]}, id="in containers"),
        pytest.param(lambda key: {key: 1}, id="a key of a mapping"),
        pytest.param(lambda key: {key}, id="in a set"),
        pytest.param(lambda key: key.encode(), id="in bytes"),
        pytest.param(ValueError, id="in an exception"),
        pytest.param(lambda key: requests.Request("GET", f"http://h/?key={key}"), id="an object"),
    ],
)
def test_the_key_is_found_at_any_depth(
    canary: str, read_log: ReadLog, nest: Callable[[str], object]
) -> None:
    """Wherever in an event the key stands, it is blanked, and the line is still logged."""
    structlog.get_logger().info("event", field=nest(canary))
    logging.getLogger("a.library").info("it is %r", nest(canary))

    lines = read_log()
    assert len(lines) == 2
    assert canary not in json.dumps(lines)


@pytest.mark.parametrize("depth", [90, 100_000])
def test_depth_is_no_hiding_place(canary: str, depth: int) -> None:
    """The key is blanked however deep it lies; nesting without end is cut, not followed."""
    value: object = canary
    for _ in range(depth):
        value = [value]

    assert canary not in json.dumps(filtered(field=value))


def test_a_container_that_contains_itself_is_logged(canary: str, read_log: ReadLog) -> None:
    """A cycle neither hangs nor kills the log."""
    cycle: dict[str, object] = {"key": canary}
    cycle["self"] = [cycle]
    structlog.get_logger().info("event", field=cycle)

    assert read_log()[0]["field"]["self"] == ["..."]
    assert canary not in json.dumps(read_log())


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "GEMINI_API_KEY",
        "x-goog-api-key",
        "X-Goog-Api-Key",
        "Authorization",
        "Proxy-Authorization",
        "password",
        "client_secret",
        "token",
        "access_token",
        "Set-Cookie",
    ],
)
def test_fields_that_name_a_secret_are_blanked(name: str) -> None:
    """A field with a telling name is blanked whatever its value, at any depth."""
    assert is_sensitive(name)
    assert filtered(headers=[{name: "unknown"}]) == {"headers": [{name: "[REDACTED]"}]}


@pytest.mark.parametrize("name", ["totalTokenCount", "prompt_tokens", "key", "monkey", "author"])
def test_other_fields_are_kept(name: str) -> None:
    """Counting tokens is no secret."""
    assert not is_sensitive(name)
    assert filtered(**{name: 7}) == {name: 7}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://h/v1?alt=sse&key=abc123 HTTP", "https://h/v1?alt=sse&key=[REDACTED] HTTP"),
        ("AIzaSyA-0123456789_0123456789-0123456789", "[REDACTED]"),
        ("{'x-goog-api-key': 'abc', 'a': 1}", "{'x-goog-api-key': '[REDACTED]', 'a': 1}"),
        ("GEMINI_API_KEY=abc", "GEMINI_API_KEY=[REDACTED]"),
        ("to http://me:a@b@proxy:3128/x", "to http://[REDACTED]@proxy:3128/x"),
        ("to //token@proxy", "to //[REDACTED]@proxy"),
        ("Authorization: Bearer abc", "Authorization: [REDACTED]"),
        ("the key to happiness = bearer bonds", "the key to happiness = bearer bonds"),
        ("https://medium.com/@me // me@home", "https://medium.com/@me // me@home"),
        ('{"url":"//h","to":"me@home"}', '{"url":"//h","to":"me@home"}'),
    ],
)
def test_secrets_are_known_by_their_looks(text: str, clean: str) -> None:
    """A secret that nobody registered is found by what stands around it."""
    assert redact(text) == clean


def test_a_key_from_the_env_file_is_found() -> None:
    """A key that never was in the environment is blanked too."""
    settings.ENV_FILE.write_text("GEMINI_API_KEY=from-a-file-0123456789\n")
    load_settings()

    assert redact("it is from-a-file-0123456789!") == "it is [REDACTED]!"


def test_of_two_secrets_the_longer_one_goes_first() -> None:
    """A secret that begins like another one leaves no tail."""
    register_secret("12345678")
    register_secret("12345678-and-more")

    assert redact("12345678-and-more") == "[REDACTED]"


def test_a_tiny_key_does_not_blank_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A placeholder such as "x" is no secret to search for; the text stays readable."""
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    register_secret("e")

    assert redact("an example text") == "an example text"


def test_previews_are_short_and_flat() -> None:
    """A preview is one line of printable text and marks its cut."""
    assert preview("short", 10) == "short"
    assert preview("a\x00b\u2028c\x1bd", 10) == "a b c d"
    assert preview("a" * 11, 10) == "aaaaaaaaaa..."
    assert preview("a" * 9 + " b", 10) == "aaaaaaaaa..."


def test_numbers_that_json_does_not_know_are_logged(tmp_path: Path) -> None:
    """NaN would make the line no JSON."""
    setup_logging(log_file=tmp_path / "nan.log")
    structlog.get_logger().info("event", value=float("nan"), big=float("inf"), fine=1.5, no=None)

    text = (tmp_path / "nan.log").read_text()
    assert '"value": "nan", "big": "inf", "fine": 1.5, "no": null' in text
