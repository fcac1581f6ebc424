"""The decorator by itself: what it calls again, when, and when it stops."""

import functools
import inspect
import logging
import math
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from gds_vault import retry_with_backoff
from gds_vault.failures import UnusableSettings
from gds_vault.retry import _delays
from helpers import Lines
from pytest_resilience import VirtualClock


def answered(status: int) -> requests.HTTPError:
    """Make what raise_for_status raises."""
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"HTTP {status}", response=response)


class Failing:
    """A function that raises these in turn, and then returns how often it was called."""

    def __init__(self, *failures: BaseException) -> None:
        self._failures = iter(failures)
        self._began = time.monotonic()
        self.times: list[float] = []
        """When it was called, in seconds since it was made."""

    def __call__(self) -> int:
        self.times.append(time.monotonic() - self._began)
        for failure in self._failures:
            raise failure
        return len(self.times)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (functools.partial(Failing(requests.Timeout())), "partial"),
        (Failing(requests.Timeout()), "Failing"),
    ],
)
def test_what_has_no_name_is_called_by_its_type(
    function: Callable[[], int], name: str, virtual_clock: VirtualClock, lines: Lines
) -> None:
    """A partial and an object that can be called are functions, too."""
    assert retry_with_backoff()(function)() == 2
    assert lines()[0].startswith(f"WARNING {name} attempt 1 failed: ")


def test_the_defaults_are_the_documents() -> None:
    """The decorator takes exactly the documented parameters, with the documented defaults."""
    parameters = inspect.signature(retry_with_backoff).parameters

    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "max_retries": 3,
        "initial_delay": 1.0,
        "max_delay": 32.0,
        "backoff_factor": 2.0,
        "retriable_exceptions": (requests.RequestException,),
    }


def test_three_failures_are_waited_for_1_2_and_4_seconds(virtual_clock: VirtualClock) -> None:
    """Attempts 2, 3 and 4 come 1, 2 and 4 seconds after the failure before them."""
    function = Failing(*[requests.ConnectionError()] * 3)

    assert retry_with_backoff()(function)() == 4
    assert function.times == [0, 1, 3, 7]


def test_the_fourth_failure_is_raised_without_a_wait(virtual_clock: VirtualClock) -> None:
    """max_retries=3 means 4 attempts; the 8 s of the document's table are never waited for."""
    failures = [requests.ConnectionError(text) for text in "abcd"]
    function = Failing(*failures)

    with pytest.raises(requests.ConnectionError) as error:
        retry_with_backoff()(function)()

    assert error.value is failures[3]
    assert error.value.__context__ is None
    assert function.times == [0, 1, 3, 7]
    assert virtual_clock.now == 7


def test_no_wait_is_longer_than_max_delay(virtual_clock: VirtualClock) -> None:
    """The waits double up to 32 seconds and stay there."""
    function = Failing(*[requests.Timeout()] * 7)

    assert retry_with_backoff(max_retries=7)(function)() == 8
    assert function.times == [0, 1, 3, 7, 15, 31, 63, 95]


@pytest.mark.parametrize("endless", [math.inf, sys.maxsize, 10**400], ids=["inf", "int", "big"])
def test_a_wait_that_has_no_cap_is_one_that_the_system_can_wait(
    endless: float, virtual_clock: VirtualClock
) -> None:
    """Who wants no max_delay gets no OverflowError in place of the failure."""
    function = Failing(*[requests.Timeout()] * 2)

    retry_with_backoff(max_delay=endless, backoff_factor=1e300)(function)()

    assert function.times == [0, 1, 1 + threading.TIMEOUT_MAX]


def test_delay_cap_and_factor_can_be_chosen(virtual_clock: VirtualClock) -> None:
    """initial_delay, backoff_factor and max_delay shape the schedule."""
    decorate = retry_with_backoff(4, initial_delay=0.5, max_delay=10, backoff_factor=3)
    function = Failing(*[requests.Timeout()] * 4)

    decorate(function)()

    assert function.times == [0, 0.5, 2, 6.5, 16.5]


def test_without_retries_there_is_one_attempt(virtual_clock: VirtualClock) -> None:
    """max_retries=0 calls once and waits for nothing."""
    function = retry_with_backoff(max_retries=0)(Failing(requests.Timeout()))

    with pytest.raises(requests.Timeout):
        function()

    assert virtual_clock.now == 0


def test_every_call_starts_with_the_first_delay(virtual_clock: VirtualClock) -> None:
    """Nothing of one call's backoff is left for the next."""
    function = Failing(*[requests.Timeout()] * 5)
    decorated = retry_with_backoff()(function)

    with pytest.raises(requests.Timeout):
        decorated()
    decorated()

    assert function.times == [0, 1, 3, 7, 7, 8]


@pytest.mark.parametrize(
    ("initial", "longest", "factor"),
    [(1, 32, 2), (1e300, 5, 1e300), (0, 32, 1e300), (1, 0, 2), (5, 32, 0.5), (1, 32, 0)],
)
def test_any_numbers_make_a_schedule_within_the_cap(
    initial: float, longest: float, factor: float
) -> None:
    """Each retry has a delay from 0 to max_delay, however large the other numbers are."""
    delays = list(_delays(2000, initial, longest, factor))

    assert len(delays) == 2000
    assert all(0 <= delay <= longest for delay in delays)


@pytest.mark.parametrize("status", [429, 500, 501, 502, 503, 504, 507, 599])
def test_429_and_every_5xx_are_retried(status: int, virtual_clock: VirtualClock) -> None:
    """The document says all server errors, so 501 is one of them."""
    assert retry_with_backoff()(Failing(answered(status)))() == 2


@pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 405, 408, 412, 422, 472, 499, 600])
def test_other_answers_are_not_retried(status: int, virtual_clock: VirtualClock) -> None:
    """raise_for_status makes a RequestException of a 404 too; it is raised at once all the same."""
    function = Failing(answered(status))

    with pytest.raises(requests.HTTPError, match=f"^HTTP {status}$"):
        retry_with_backoff()(function)()

    assert function() == 2


def test_a_refusal_after_retries_is_raised_and_not_called_giving_up(
    virtual_clock: VirtualClock, lines: Lines
) -> None:
    """A last attempt that fails for good is not a failure of the retries."""
    failures = [*[requests.Timeout("slow")] * 3, answered(404)]

    with pytest.raises(requests.HTTPError):
        retry_with_backoff()(Failing(*failures))()

    assert lines(logging.ERROR) == []


@pytest.mark.parametrize(
    "mistake",
    [
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidProxyURL,
        requests.exceptions.InvalidHeader,
        requests.exceptions.URLRequired,
        UnusableSettings,
    ],
)
def test_a_request_that_cannot_be_built_is_not_retried(
    mistake: type[Exception],
    virtual_clock: VirtualClock,
) -> None:
    """Invalid configuration fails at once, though requests calls it a RequestException."""
    with pytest.raises(mistake):
        retry_with_backoff()(Failing(mistake("no")))()

    assert virtual_clock.now == 0


@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectTimeout(),
        requests.ReadTimeout(),
        requests.ConnectionError(),
        requests.exceptions.SSLError(),
        requests.exceptions.ProxyError(),
        requests.exceptions.ChunkedEncodingError(),
        requests.exceptions.ContentDecodingError(),
        requests.exceptions.InvalidJSONError(),
        requests.HTTPError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_no_whole_answer_is_retried(failure: Exception, virtual_clock: VirtualClock) -> None:
    """Whatever kept the answer from coming may have passed by the next attempt."""
    assert retry_with_backoff()(Failing(failure))() == 2


@pytest.mark.parametrize("failure", [ValueError(), OSError(), KeyError("x")])
def test_other_exceptions_are_not_retried(failure: Exception, virtual_clock: VirtualClock) -> None:
    """A mistake in the program is not an outage."""
    with pytest.raises(type(failure)):
        retry_with_backoff()(Failing(failure))()

    assert virtual_clock.now == 0


def test_the_caller_chooses_what_is_retriable(virtual_clock: VirtualClock) -> None:
    """retriable_exceptions replaces the default."""
    decorate = retry_with_backoff(retriable_exceptions=(KeyError,))

    assert decorate(Failing(KeyError()))() == 2
    with pytest.raises(requests.Timeout):
        decorate(Failing(requests.Timeout()))()


def test_ctrl_c_is_not_retried(virtual_clock: VirtualClock) -> None:
    """An interrupt ends the call at once."""
    with pytest.raises(KeyboardInterrupt):
        retry_with_backoff()(Failing(KeyboardInterrupt()))()

    assert virtual_clock.now == 0


def test_the_function_keeps_its_name_arguments_and_result() -> None:
    """The decorator changes nothing else about a function."""

    @retry_with_backoff()
    def divide(whole: int, *, by: int) -> int:
        """Divide."""
        return whole // by

    assert (divide.__name__, divide.__doc__, divide(6, by=3)) == ("divide", "Divide.", 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_retries": -1}, "max_retries must be a whole number from 0, not -1"),
        ({"max_retries": 1.5}, "max_retries must be a whole number from 0, not 1.5"),
        ({"max_retries": True}, "max_retries must be a whole number from 0, not True"),
        ({"initial_delay": -1.0}, "initial_delay must be a number from 0, not -1.0"),
        ({"max_delay": float("nan")}, "max_delay must be a number from 0, not nan"),
        ({"backoff_factor": "2"}, "backoff_factor must be a number from 0, not '2'"),
        ({"backoff_factor": math.inf}, "backoff_factor must be a number from 0, not inf"),
        ({"initial_delay": math.inf}, "initial_delay must be a number from 0, not inf"),
        ({"initial_delay": 10**400}, f"initial_delay must be a number from 0, not {10**400}"),
        (
            {"retriable_exceptions": [OSError]},
            "retriable_exceptions must be a tuple of exceptions, not [<class 'OSError'>]",
        ),
        (
            {"retriable_exceptions": (503,)},
            "retriable_exceptions must be a tuple of exceptions, not (503,)",
        ),
    ],
)
def test_bad_values_are_refused_where_they_are_written(
    arguments: dict[str, Any], message: str
) -> None:
    """A schedule that cannot be is an error at decoration, not in the middle of an outage."""
    with pytest.raises(ValueError, match="must be") as error:
        retry_with_backoff(**arguments)

    assert str(error.value) == message
