"""Outages on real sockets: what ``generate_tweet`` tries again, how often, and after how long."""

import inspect
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from werkzeug import Response

import gemini_client
from gemini_errors import GeminiConnectionError, GeminiHTTPError, InvalidRequestError
from main import generate_tweet
from pytest_resilience import FakeServer, VirtualClock, faults
from pytest_resilience_gemini import Gemini

ReadLog = Callable[[], list[dict[str, Any]]]


def test_a_tweet_needs_one_request(fake_gemini: Gemini, virtual_clock: VirtualClock) -> None:
    """A service that works is asked once."""
    fake_gemini.say("Python is fun.")

    tweet = generate_tweet(
        topic="Python Programming", tone="professional", max_words=25, max_retries=3
    )

    assert tweet == "Python is fun."
    assert fake_gemini.trace.statuses == [200]
    assert virtual_clock.now == 0


def test_defaults_of_generate_tweet() -> None:
    """What the document's calls spell out is what may be left out; only the topic may not."""
    parameters = inspect.signature(generate_tweet).parameters

    assert {name: p.default for name, p in parameters.items()} == {
        "topic": inspect.Parameter.empty,
        "tone": "professional",
        "max_words": 25,
        "max_retries": 3,
    }


def test_an_outage_of_two_attempts_is_survived(fake_gemini: Gemini) -> None:
    """503, 503, tweet: three attempts, after 1 and 2 seconds."""
    fake_gemini.say("Third time lucky.")
    fake_gemini.fail(503, 503)

    assert generate_tweet("patience") == "Third time lucky."
    assert fake_gemini.trace.statuses == [503, 503, 200]
    assert fake_gemini.trace.waits == [1, 2]


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599])
def test_server_errors_are_retried(fake_gemini: Gemini, status: int) -> None:
    """Every 5xx is retried."""
    fake_gemini.fail(status)

    generate_tweet("patience")

    assert fake_gemini.trace.statuses == [status, 200]
    assert fake_gemini.trace.waits == [1]


@pytest.mark.parametrize(
    ("max_retries", "times"),
    [(1, [0]), (2, [0, 1]), (3, [0, 1, 3]), (4, [0, 1, 3, 7]), (5, [0, 1, 3, 7, 15])],
)
def test_max_retries_counts_attempts(
    fake_gemini: Gemini, virtual_clock: VirtualClock, max_retries: int, times: list[float]
) -> None:
    """``max_retries`` is how often is tried in all; then the last failure is raised, at once."""
    fake_gemini.fail(503, times=max_retries)

    with pytest.raises(GeminiHTTPError) as caught:
        generate_tweet("patience", max_retries=max_retries)

    assert caught.value.status_code == 503
    assert fake_gemini.trace.times == times
    assert virtual_clock.now == times[-1]


@pytest.mark.parametrize("max_retries", [0, -1, 2.5, "3", None, True])
def test_impossible_max_retries_are_refused(fake_gemini: Gemini, max_retries: Any) -> None:
    """By their own name, before anything is asked."""
    with pytest.raises(ValueError, match=r"^max_retries must be a whole number of at least 1"):
        generate_tweet("patience", max_retries=max_retries)

    assert len(fake_gemini.trace) == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 429, 499])
def test_client_errors_are_not_retried(
    fake_gemini: Gemini, virtual_clock: VirtualClock, status: int
) -> None:
    """No 4xx is retried, and none is waited after."""
    fake_gemini.fail(status)

    with pytest.raises(GeminiHTTPError) as caught:
        generate_tweet("patience")

    assert caught.value.status_code == status
    assert fake_gemini.trace.statuses == [status]
    assert virtual_clock.now == 0


def test_a_rate_limit_is_not_retried_even_when_told_when(fake_gemini: Gemini) -> None:
    """A 429 with Retry-After is not retried either: the document excludes every 4xx."""
    fake_gemini.fail(faults.status(429, retry_after=1))

    with pytest.raises(GeminiHTTPError):
        generate_tweet("patience")

    assert fake_gemini.trace.statuses == [429]


@pytest.mark.parametrize("retry_after", [0, 30, "soon"])
def test_the_schedule_does_not_follow_retry_after(
    fake_gemini: Gemini, retry_after: float | str
) -> None:
    """After a 503 the wait is the document's, whatever Retry-After says."""
    fake_gemini.fail(faults.status(503, retry_after=retry_after))

    generate_tweet("patience")

    assert fake_gemini.trace.waits == [1]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.reset_peer(when="head"), id="reset before the answer"),
        pytest.param(faults.reset_peer(when="body"), id="reset within the answer"),
        pytest.param(faults.empty_reply(), id="closed without an answer"),
        pytest.param(faults.limit_data(), id="body shorter than announced"),
        pytest.param(faults.cut_chunk(), id="chunked body without its end"),
        pytest.param(faults.wrong_length(by=-2), id="length too small"),
        pytest.param(faults.malformed_json(), id="half a JSON"),
        pytest.param(faults.html_page(200), id="a proxy's page as a 200"),
        pytest.param(faults.html_page(502), id="a proxy's page as a 502"),
        pytest.param(faults.garbage(), id="no HTTP at all"),
        pytest.param(faults.huge_headers(), id="more headers than anyone reads"),
    ],
)
def test_broken_answers_are_retried(fake_gemini: Gemini, fault: faults.Fault) -> None:
    """An answer that did not arrive whole is asked for again."""
    fake_gemini.say("Whole.")
    fake_gemini.fail(fault)

    assert generate_tweet("patience") == "Whole."
    assert len(fake_gemini.trace) == 2
    assert fake_gemini.trace.waits == [1]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.timeout(), id="before the head"),
        pytest.param(faults.half_head(), id="within the head"),
        pytest.param(faults.stall(), id="within the body"),
        pytest.param(faults.wrong_length(by=5), id="before the last bytes"),
    ],
)
def test_silence_is_retried(fake_gemini: Gemini, fault: faults.Fault) -> None:
    """A server that falls silent, wherever it does, is given up after 30 s and asked again."""
    fake_gemini.say("Awake.")
    fake_gemini.fail(fault)

    assert generate_tweet("patience") == "Awake."
    assert fake_gemini.trace.waits == [1]
    assert fake_gemini.trace.times == [0, 31]


def test_a_slow_answer_is_waited_for(fake_gemini: Gemini, virtual_clock: VirtualClock) -> None:
    """Gemini may think for 29 seconds."""
    fake_gemini.say("Thought through.")
    fake_gemini.fail(faults.latency(29))

    assert generate_tweet("patience") == "Thought through."
    assert fake_gemini.trace.statuses == [200]
    assert virtual_clock.now == 29


def test_a_server_that_hangs_for_good_is_given_up(
    fake_gemini: Gemini, virtual_clock: VirtualClock
) -> None:
    """Three timeouts of 30 s end in an error that names the timeout and has it as its cause."""
    fake_gemini.fail(faults.timeout(), times=3)

    with pytest.raises(GeminiConnectionError, match="Read timed out") as caught:
        generate_tweet("patience")

    assert isinstance(caught.value.__cause__, requests.ReadTimeout)
    assert fake_gemini.trace.waits == [1, 2]
    assert fake_gemini.trace.times == [0, 31, 63]
    assert virtual_clock.now == 93


def test_how_long_connecting_and_silence_may_take() -> None:
    """Five seconds, and thirty."""
    assert gemini_client.TIMEOUT == (5.0, 30.0)


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """The address of a server that accepts no more connections, nor refuses them."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_connection_timeout_is_retried(
    full_backlog: str, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only silence after the connection counts as a timeout.

    The server is none of pytest-resilience's, so its three timeouts are short: they pass in real
    time, too.
    """
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-of-eight-and-more")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", full_backlog)
    monkeypatch.setattr(gemini_client, "TIMEOUT", (0.05, 30.0))

    with pytest.raises(GeminiConnectionError, match="ConnectTimeout") as caught:
        generate_tweet("patience")

    assert isinstance(caught.value.__cause__, requests.ConnectTimeout)
    assert virtual_clock.now == 3.15


class TwoLengths:
    """A fault of our own: an answer that announces two lengths."""

    label = "two lengths"

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        """As it is, but for its length."""
        return script.saying(script.answer.with_header("Content-Length", "2, 20"))


def test_an_answer_that_contradicts_itself_is_retried(
    fake_gemini: Gemini, virtual_clock: VirtualClock
) -> None:
    """What requests calls an invalid header is the server's here, so no malformed request."""
    fake_gemini.fail(TwoLengths(), times=3)

    with pytest.raises(GeminiConnectionError, match=r"^InvalidHeader: Content-Length"):
        generate_tweet("patience")

    assert virtual_clock.now == 3


@pytest.mark.parametrize("kind", ["no certificates", "not allowed"])
def test_authorities_that_cannot_be_read_are_not_retried(
    kind: str, fake_gemini: Gemini, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked at when a connection is made; a file that is not there is missed before."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", fake_gemini.url.replace("http:", "https:"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)
    if kind == "not allowed":

        def refuse(*args: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("ssl.SSLContext.load_verify_locations", refuse)

    with pytest.raises(InvalidRequestError, match=r"^SSLError: "):
        generate_tweet("patience")

    assert virtual_clock.now == 0


def test_trouble_with_tls_is_retried(
    fake_gemini: Gemini, virtual_clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something before the service may fail in the handshake for a moment."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", fake_gemini.url.replace("http:", "https:"))

    with pytest.raises(GeminiConnectionError, match=r"^SSLError: "):
        generate_tweet("patience")

    assert virtual_clock.now == 3


def test_a_refused_connection_is_retried(fake_gemini: Gemini, virtual_clock: VirtualClock) -> None:
    """A server that is down is tried three times, and the error says that it refused."""
    fake_gemini.down()

    with pytest.raises(GeminiConnectionError, match="Connection refused") as caught:
        generate_tweet("patience")

    assert isinstance(caught.value.__cause__, requests.ConnectionError)
    assert virtual_clock.now == 3


def test_a_restart_of_two_seconds_is_survived(
    fake_gemini: Gemini, virtual_clock: VirtualClock
) -> None:
    """A server that is up again before the third attempt answers that one."""
    fake_gemini.say("Back.")
    fake_gemini.down(2)

    assert generate_tweet("patience") == "Back."
    assert fake_gemini.trace.statuses == [200]
    assert virtual_clock.now == 3


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("overloaded", "HTTP 503: The model is overloaded. Please try again later."),
        ("high_demand", "HTTP 503: This model is currently experiencing high demand. Spikes"),
        ("deadline", "HTTP 504: Deadline expired before operation could complete."),
        ("internal", "HTTP 500: An internal error has occurred. Please retry or report in"),
    ],
)
def test_geminis_server_errors_are_retried(fake_gemini: Gemini, preset: str, message: str) -> None:
    """Gemini's own 5xx are retried, and its words are in the error that is left in the end."""
    fake_gemini.fail(preset, times=3)

    with pytest.raises(GeminiHTTPError) as caught:
        generate_tweet("patience")

    assert str(caught.value).startswith(message)
    assert len(fake_gemini.trace) == 3


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("quota_per_minute", "HTTP 429: You exceeded your current quota, please check your plan"),
        ("quota_per_day", "HTTP 429: You exceeded your current quota, please check your plan"),
        ("quota_exhausted", "HTTP 429: Resource has been exhausted (e.g. check quota)."),
        ("key_expired", "HTTP 400: API key expired. Please renew the API key."),
        ("key_leaked", "HTTP 403: Your API key was reported as leaked. Please use another"),
        ("wrong_scheme", "HTTP 401: "),
        ("location", "HTTP 400: User location is not supported for the API use."),
    ],
)
def test_geminis_refusals_are_not_retried(fake_gemini: Gemini, preset: str, message: str) -> None:
    """Gemini's own 4xx are not, whatever delay the details of a quota's error suggest."""
    fake_gemini.fail(preset)

    with pytest.raises(GeminiHTTPError) as caught:
        generate_tweet("patience")

    assert str(caught.value).startswith(message)
    assert len(fake_gemini.trace) == 1


def test_a_wrong_key_is_not_retried(fake_gemini: Gemini, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemini answers a wrong key with 400, and it is asked once."""
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaSy-wrong-0123456789-0123456789-0123")

    with pytest.raises(GeminiHTTPError, match="HTTP 400: API key not valid"):
        generate_tweet("patience")

    assert fake_gemini.trace.statuses == [400]


def test_a_model_that_is_gone_is_not_retried(
    fake_gemini: Gemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document's own model is retired: 404, once."""
    monkeypatch.setenv("GEMINI_MODEL", "gemini-1.5-flash")

    with pytest.raises(GeminiHTTPError, match=r"HTTP 404: models/gemini-1\.5-flash is"):
        generate_tweet("patience")

    assert fake_gemini.trace.statuses == [404]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    fake_gemini: Gemini,
    fake_server: Callable[..., FakeServer],
    code: int,
) -> None:
    """The key goes to the configured address and nowhere else."""
    elsewhere = fake_server(Response("stolen"))
    fake_gemini.fail(faults.redirect(f"{elsewhere.url}/steal", code=code))

    with pytest.raises(GeminiHTTPError, match=f"HTTP {code}: Redirect to http://.*/steal not"):
        generate_tweet("patience")

    assert len(elsewhere.trace) == 0
    assert fake_gemini.trace.statuses == [code]


@pytest.mark.parametrize("location", ["http://[::1", "/\xff\xfe", "http://*.example", "x:y", ""])
def test_a_redirect_to_nowhere_is_a_status_like_any_other(
    fake_gemini: Gemini, location: str
) -> None:
    """An address that cannot be parsed is the server's mistake, not the request's."""
    fake_gemini.fail(faults.status(302, headers={"Location": location}))

    with pytest.raises(GeminiHTTPError, match=r"^HTTP 302: Redirect to .*not followed$") as caught:
        generate_tweet("patience")

    assert caught.value.status_code == 302


def test_every_attempt_is_the_same_request(fake_gemini: Gemini) -> None:
    """Each attempt posts the prompt, with the key in its header."""
    fake_gemini.fail(503, 503)

    generate_tweet("tests", "dry", 9)

    prompt = "Generate a dry tweet about tests with no more than 9 words."
    assert len(fake_gemini.trace) == 3
    assert {(a.method, a.target) for a in fake_gemini.trace} == {
        ("POST", "/v1beta/models/gemini-3.8-flash:generateContent")
    }
    assert [json.loads(a.body) for a in fake_gemini.trace] == 3 * [
        {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}
    ]
    assert {a.headers["x-goog-api-key"] for a in fake_gemini.trace} == {fake_gemini.api_key}


def test_a_request_that_cannot_be_sent_is_not_retried(
    monkeypatch: pytest.MonkeyPatch, virtual_clock: VirtualClock, read_log: ReadLog
) -> None:
    """An address that is none is refused by requests, once, and logged as what it is."""
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-of-no-importance")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://*.example")

    with pytest.raises(InvalidRequestError, match="InvalidURL: GOOGLE_GEMINI_BASE_URL") as caught:
        generate_tweet("patience")

    assert isinstance(caught.value.__cause__, requests.exceptions.InvalidURL)
    assert [line["event"] for line in read_log()] == ["Making API request", "API request failed"]
    assert read_log()[1]["retry_attempted"] is False
    assert virtual_clock.now == 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param(
            "REQUESTS_CA_BUNDLE",
            "/no/such.pem",
            "OSError: Could not find a suitable TLS CA certificate bundle, .*: /no/such.pem",
            id="certificates that are not there",
        ),
        pytest.param(
            "https_proxy",
            "http://user:word@",
            "TypeError: .* a proxy such as HTTPS_PROXY, is no usable address",
            id="a proxy without host",
        ),
        pytest.param(
            "https_proxy",
            "socks5://127.0.0.1:1",
            "InvalidSchema: Missing dependencies for SOCKS support",
            id="a proxy that takes another library",
        ),
    ],
)
def test_what_requests_lets_out_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, read_log: ReadLog, name: str, value: str, message: str
) -> None:
    """Not all that an environment can break ends in an exception of requests; it is logged, too."""
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-of-no-importance")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://gemini.invalid")
    monkeypatch.setenv(name, value)

    with pytest.raises(InvalidRequestError, match=message):
        generate_tweet("patience")

    ours = [line["event"] for line in read_log() if "logger" not in line]
    assert ours == ["Making API request", "API request failed"]
