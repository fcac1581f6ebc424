"""The two retry functions, with any function to call."""

import errno
import inspect
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from gemini_errors import GeminiConnectionError, GeminiError, GeminiHTTPError
from pytest_resilience import VirtualClock
from retry_handler import retry_with_custom_backoff, retry_with_tenacity

Retry = Callable[..., str]
ReadLog = Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=[retry_with_tenacity, retry_with_custom_backoff])
def retry(request: pytest.FixtureRequest) -> Retry:
    """Either of the two functions, which behave alike."""
    chosen: Retry = request.param
    return chosen


class Flaky:
    """Fails with each of these errors in turn, then returns "done"."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.began = time.monotonic()
        self.times: list[float] = []
        """When it was called, in seconds since it was made."""

    def __call__(self) -> str:
        """Fail, or return "done" when nothing is left to fail with."""
        self.times.append(time.monotonic() - self.began)
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def http_error(status: int) -> requests.HTTPError:
    """What ``raise_for_status`` raises for this status."""
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"{status} Error", response=response)


def unavailable() -> GeminiHTTPError:
    """The document's 503."""
    return GeminiHTTPError("Service temporarily unavailable", 503)


def test_parameters_of_retry_with_tenacity() -> None:
    """Three attempts, one second, at most ten: as the document calls it."""
    parameters = inspect.signature(retry_with_tenacity).parameters

    assert {name: p.default for name, p in parameters.items() if name != "fn"} == {
        "max_attempts": 3,
        "base_delay": 1.0,
        "max_delay": 10.0,
    }
    assert next(iter(parameters)) == "fn"


def test_parameters_of_retry_with_custom_backoff() -> None:
    """Three attempts, one second: as the document calls it."""
    parameters = inspect.signature(retry_with_custom_backoff).parameters

    assert {name: p.default for name, p in parameters.items() if name != "fn"} == {
        "max_attempts": 3,
        "base_delay": 1.0,
    }
    assert next(iter(parameters)) == "fn"


@pytest.mark.parametrize(
    ("max_attempts", "failures", "times"),
    [
        pytest.param(3, 0, [0], id="success at once: +0 s"),
        pytest.param(3, 1, [0, 1], id="success at the second attempt: +1 s"),
        pytest.param(3, 2, [0, 1, 3], id="success at the third attempt: +3 s"),
        pytest.param(4, 3, [0, 1, 3, 7], id="success at the fourth attempt: +7 s"),
        pytest.param(6, 5, [0, 1, 3, 7, 15, 25], id="a wait is ten seconds at most"),
    ],
)
def test_waits_double(
    retry: Retry,
    max_attempts: int,
    failures: int,
    times: list[float],
) -> None:
    """Attempts come at once, then after 1, 2, 4, 8, 10 seconds."""
    flaky = Flaky(*[unavailable() for _ in range(failures)])

    assert retry(flaky, max_attempts=max_attempts) == "done"
    assert flaky.times == times


@pytest.mark.parametrize(
    ("max_attempts", "times"),
    [
        pytest.param(1, [0], id="one attempt is no retry"),
        pytest.param(3, [0, 1, 3], id="three attempts: +3 s, not the document's +7 s"),
        pytest.param(4, [0, 1, 3, 7], id="four attempts: the document's +7 s"),
    ],
)
def test_nothing_is_waited_for_after_the_last_attempt(
    retry: Retry, virtual_clock: VirtualClock, max_attempts: int, times: list[float]
) -> None:
    """When all attempts fail, the last failure is raised as it is, at once."""
    errors = [unavailable() for _ in range(max_attempts)]
    flaky = Flaky(*errors)

    with pytest.raises(GeminiHTTPError) as caught:
        retry(flaky, max_attempts=max_attempts)

    assert caught.value is errors[-1]
    assert flaky.times == times
    assert virtual_clock.now == times[-1]


def test_three_attempts_are_the_default(retry: Retry) -> None:
    """Who says nothing gets three attempts with 1 and 2 seconds in between."""
    flaky = Flaky(*[unavailable() for _ in range(9)])

    with pytest.raises(GeminiHTTPError):
        retry(flaky)

    assert flaky.times == [0, 1, 3]


def test_failures_are_not_chained(retry: Retry) -> None:
    """The last failure does not drag the earlier ones along into its traceback."""
    with pytest.raises(GeminiHTTPError) as caught:
        retry(Flaky(unavailable(), unavailable(), unavailable()))

    assert caught.value.__context__ is None


def test_base_delay_is_the_first_wait(retry: Retry) -> None:
    """The first wait is ``base_delay``, each later one twice the one before."""
    flaky = Flaky(unavailable(), unavailable(), unavailable())

    retry(flaky, max_attempts=4, base_delay=0.5)

    assert flaky.times == [0, 0.5, 1.5, 3.5]


def test_max_delay_bounds_each_wait() -> None:
    """No wait is longer than ``max_delay``."""
    flaky = Flaky(*[unavailable() for _ in range(4)])

    retry_with_tenacity(flaky, max_attempts=5, base_delay=1.0, max_delay=3.0)

    assert flaky.times == [0, 1, 3, 6, 9]


@pytest.mark.parametrize(
    "error",
    [
        *[pytest.param(http_error(status), id=f"{status}") for status in (500, 502, 503, 504, 599)],
        GeminiHTTPError("Bad gateway", 502),
        GeminiConnectionError("reset"),
        requests.ConnectionError("refused"),
        requests.ConnectTimeout("connecting"),
        requests.ReadTimeout("reading"),
        requests.exceptions.ChunkedEncodingError("broke off"),
        requests.exceptions.ContentDecodingError("half a gzip"),
        requests.exceptions.JSONDecodeError("half a JSON", "{", 1),
        ConnectionResetError("by peer"),
        TimeoutError("timed out"),
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        OSError(errno.ENETUNREACH, "Network is unreachable"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
    ],
    ids=repr,
)
def test_passing_failures_are_retried(retry: Retry, error: Exception) -> None:
    """5xx, timeouts, connection errors and answers that broke off are retried."""
    flaky = Flaky(error)

    assert retry(flaky) == "done"
    assert flaky.times == [0, 1]


@pytest.mark.parametrize(
    "error",
    [
        *[
            pytest.param(http_error(status), id=f"{status}")
            for status in (302, 400, 401, 403, 404, 408, 409, 422, 429, 499, 600, 999)
        ],
        GeminiHTTPError("Rate limit exceeded", 429),
        GeminiHTTPError("Unknown error", 600),
        GeminiError("anything else of ours"),
        requests.HTTPError("without a response"),
        requests.exceptions.InvalidURL("malformed"),
        requests.exceptions.InvalidHeader("malformed"),
        requests.exceptions.InvalidJSONError("a request that is no JSON"),
        requests.TooManyRedirects("round and round"),
        FileNotFoundError("an OSError, not of the network"),
        KeyError("candidates"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_lasting_failures_are_not_retried(
    retry: Retry, virtual_clock: VirtualClock, error: BaseException
) -> None:
    """4xx, malformed requests and everything that is no HTTP failure are raised at once."""
    flaky = Flaky(error)

    with pytest.raises(type(error)) as caught:
        retry(flaky)

    assert caught.value is error
    assert flaky.times == [0]
    assert virtual_clock.now == 0


def test_a_lasting_failure_ends_the_retries(retry: Retry) -> None:
    """A 404 after a 503 is raised, though attempts are left."""
    flaky = Flaky(unavailable(), GeminiHTTPError("Not Found", 404))

    with pytest.raises(GeminiHTTPError, match="HTTP 404: Not Found"):
        retry(flaky)

    assert flaky.times == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_attempts": 0}, "max_attempts must be a whole number of at least 1, not 0"),
        ({"max_attempts": -1}, "max_attempts must be a whole number of at least 1, not -1"),
        ({"max_attempts": 2.5}, "max_attempts must be a whole number of at least 1, not 2.5"),
        ({"max_attempts": True}, "max_attempts must be a whole number of at least 1, not True"),
        ({"base_delay": -1.0}, r"base_delay must be a number of seconds from 0 to \d+, not -1.0"),
        (
            {"base_delay": float("nan")},
            r"base_delay must be a number of seconds from 0 to \d+, not nan",
        ),
        ({"base_delay": "1"}, r"base_delay must be a number of seconds from 0 to \d+, not '1'"),
        ({"base_delay": 10**400}, r"base_delay must be a number of seconds from 0 to \d+, not 100"),
    ],
)
def test_impossible_numbers_are_refused(
    retry: Retry, arguments: dict[str, Any], message: str
) -> None:
    """A number that makes no sense is named before the function is called."""
    flaky = Flaky()

    with pytest.raises(ValueError, match=message):
        retry(flaky, **arguments)

    assert flaky.times == []


def test_a_retry_is_logged(retry: Retry, read_log: ReadLog) -> None:
    """Each wait is announced by "Retry attempt", a success after it by "Retry succeeded"."""
    retry(Flaky(unavailable(), requests.ReadTimeout("Read timed out.")))

    first, second, last = (
        {key: value for key, value in line.items() if key != "timestamp"} for line in read_log()
    )
    assert first == {
        "event": "Retry attempt",
        "level": "warning",
        "attempt": 1,
        "max_attempts": 3,
        "delay_seconds": 1.0,
        "exception": "HTTP 503: Service temporarily unavailable",
    }
    assert second == {
        "event": "Retry attempt",
        "level": "warning",
        "attempt": 2,
        "max_attempts": 3,
        "delay_seconds": 2.0,
        "exception": "Read timed out.",
    }
    assert last == {"event": "Retry succeeded", "level": "info", "final_attempt": 3}
    # The document prints 1.0, which a whole number would equal as well.
    assert [repr(line.get("delay_seconds")) for line in read_log()] == ["1.0", "2.0", "None"]


def test_no_retry_no_log(retry: Retry, read_log: ReadLog) -> None:
    """A success at once, and a failure that is not retried, log nothing about retries."""
    retry(Flaky())
    with pytest.raises(GeminiHTTPError):
        retry(Flaky(GeminiHTTPError("Not Found", 404)))

    assert read_log() == []


def test_a_long_exception_is_cut_and_on_one_line(retry: Retry, read_log: ReadLog) -> None:
    """The log shows the beginning of an exception's text, whatever its lines."""
    retry(Flaky(requests.ConnectionError("a\nb\r\n\x1b[31m" + "c" * 1000)))

    text = read_log()[0]["exception"]
    assert text.startswith("a b [31mccc")
    assert text.endswith("ccc...")
    assert len(text) == 253


def test_an_exception_without_text_shows_its_kind(retry: Retry, read_log: ReadLog) -> None:
    """A bare ``TimeoutError()`` is not logged as nothing."""
    retry(Flaky(TimeoutError()))

    assert read_log()[0]["exception"] == "TimeoutError"
