"""Broken and mended: how often, how long, and how the waits are drawn."""

from __future__ import annotations

import asyncio
import email.utils
import random
import threading
import time
from datetime import datetime
from typing import Any

import httpx
import requests
import requests.adapters
import stamina
import tenacity
import urllib3

from pytest_resilience.policy.backoff import Backoff
from tests.verify.zoo.correct_by_hand import Busy, ask, riding
from tests.verify.zoo.correct_libraries import TRANSIENT, Busy as LibraryBusy, afetch, fetch
from tests.verify.zoo.kit import STATUSES, Client, broken, mended

TRY_AGAIN = (LibraryBusy, *TRANSIENT)
PLAIN: dict[str, Any] = {"retry_after": False, "malformed": False}

# How often


def loop(url: str, waits: tuple[float, ...]) -> Any:
    """One attempt more than there are waits."""
    for wait in waits:
        try:
            return ask(url)
        except Busy:
            time.sleep(wait)
    return ask(url)


@broken("too-many-attempts", attempts=3, retry_after=False)
def max_retries_taken_for_attempts(url: str) -> Any:
    return loop(url, (1, 2, 4))


@mended("too-many-attempts", attempts=3, retry_after=False)
def max_attempts(url: str) -> Any:
    return loop(url, (1, 2))


@broken("too-many-attempts", attempts=3, body_failures=False)
def urllib3_total_taken_for_attempts(url: str) -> Any:
    return through_urllib3(url, 3)


@mended("too-many-attempts", attempts=3, body_failures=False)
def urllib3_total(url: str) -> Any:
    return through_urllib3(url, 2)


def through_urllib3(url: str, total: int) -> Any:
    retry = urllib3.Retry(total=total, backoff_factor=1, status_forcelist=STATUSES)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        response = session.get(url, timeout=5)
        response.raise_for_status()
        return response.json()


@broken("too-many-attempts", attempts=3, waits=(1, 2), retry_after=False, malformed=False)
def without_end(url: str) -> Any:
    wait = 1
    while True:
        try:
            return fetch(url)
        except TRY_AGAIN:
            time.sleep(wait)
            wait *= 2


@broken("too-few-attempts", attempts=4, retry_after=False)
def one_short(url: str) -> Any:
    return loop(url, (1, 2))


@mended("too-few-attempts", attempts=4, retry_after=False)
def not_one_short(url: str) -> Any:
    return loop(url, (1, 2, 4))


@broken("too-few-attempts", attempts=4, **PLAIN)
@stamina.retry(on=TRY_AGAIN, attempts=3)
def stamina_one_short(url: str) -> Any:
    return fetch(url)


@broken("wait-after-last-attempt", attempts=3, waits=(1, 2), retry_after=False)
def sleeps_before_it_gives_up(url: str) -> Any:
    error: Exception = RuntimeError("never asked")
    for wait in (1, 2, 4):
        try:
            return ask(url)
        except Busy as busy:
            error = busy
            time.sleep(wait)
    raise error


@mended("wait-after-last-attempt", attempts=3, waits=(1, 2), retry_after=False)
def gives_up_at_once(url: str) -> Any:
    return loop(url, (1, 2))


@broken("wait-after-last-attempt", attempts=3, waits=(1, 2), **PLAIN)
async def sleeps_before_it_gives_up_async(url: str) -> Any:
    for number in range(3):
        try:
            return await afetch(url)
        except (LibraryBusy, httpx.TransportError) as error:
            last = error
        await asyncio.sleep(2**number)
    raise last


@broken("nested-retries", attempts=3, waits=(1, 2), **PLAIN)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type((LibraryBusy, requests.RequestException)),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(),
)
def tenacity_around_an_adapter(url: str) -> Any:
    return through_urllib3(url, 2)


@mended("nested-retries", attempts=3, waits=(1, 2), **PLAIN)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(TRY_AGAIN),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(),
)
def tenacity_alone(url: str) -> Any:
    return fetch(url)


@broken("nested-retries", attempts=3, jitter="full", **PLAIN, waits=(1, 2))
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(TRY_AGAIN),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(),
    reraise=True,
)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(TRY_AGAIN),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_random_exponential(),
    reraise=True,
)
def decorated_twice(url: str) -> Any:
    return fetch(url)


@broken("nested-retries", attempts=3, retry_after=False)
def a_loop_in_a_loop(url: str) -> Any:
    for _ in range(2):
        try:
            return loop(url, (1, 2))
        except Busy:
            time.sleep(5)
    return loop(url, (1, 2))


# The schedule

BASE: dict[str, Any] = {"attempts": 5, "waits": (1, 2, 4, 8), "retry_after": False}


@broken("wrong-schedule", **BASE)
def powers_of_three(url: str) -> Any:
    return loop(url, (1, 3, 9, 27))


@broken("wrong-schedule", **BASE)
def milliseconds_taken_for_seconds(url: str) -> Any:
    return loop(url, (0.001, 0.002, 0.004, 0.008))


@mended("wrong-schedule", **BASE)
def powers_of_two(url: str) -> Any:
    return loop(url, (1, 2, 4, 8))


@broken("constant-backoff", **BASE)
def always_a_second(url: str) -> Any:
    return loop(url, (1, 1, 1, 1))


@broken("constant-backoff", attempts=4, waits=(1, 2, 4), **PLAIN)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(TRY_AGAIN),
    stop=tenacity.stop_after_attempt(4),
    wait=tenacity.wait_fixed(2),
    reraise=True,
)
def tenacity_wait_fixed(url: str) -> Any:
    return fetch(url)


@mended("constant-backoff", attempts=4, waits=(1, 2, 4), **PLAIN)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(TRY_AGAIN),
    stop=tenacity.stop_after_attempt(4),
    wait=tenacity.wait_exponential(),
    reraise=True,
)
def tenacity_wait_exponential(url: str) -> Any:
    return fetch(url)


@broken("linear-backoff", **BASE)
def a_second_more_each_time(url: str) -> Any:
    return loop(url, (1, 2, 3, 4))


@mended("linear-backoff", **BASE)
def twice_as_long_each_time(url: str) -> Any:
    return loop(url, (1, 2, 4, 8))


@broken("off-by-one-schedule", **BASE)
def exponent_from_one(url: str) -> Any:
    return loop(url, tuple(2.0**number for number in range(1, 5)))


@broken("off-by-one-schedule", **BASE)
def urllib3s_first_wait_is_none(url: str) -> Any:
    return loop(url, (0, 1, 2, 4))


@mended("off-by-one-schedule", **BASE)
def exponent_from_zero(url: str) -> Any:
    return loop(url, tuple(2.0**number for number in range(4)))


CAPPED: dict[str, Any] = {"attempts": 7, "backoff": Backoff(1, cap=10), "retry_after": False}


@broken("cap-ignored", **CAPPED)
def no_cap(url: str) -> Any:
    return loop(url, (1, 2, 4, 8, 16, 32))


@mended("cap-ignored", **CAPPED)
def capped(url: str) -> Any:
    return loop(url, tuple(min(10.0, 2.0**number) for number in range(6)))


class RemembersItsDelay:
    """Its delay is an attribute, and only success would reset it."""

    def __init__(self, *, resets: bool) -> None:
        self.delay = 1.0
        self.resets = resets

    def get(self, url: str) -> Any:
        if self.resets:
            self.delay = 1.0
        for _ in range(3):
            try:
                return ask(url)
            except Busy:
                time.sleep(self.delay)
                self.delay *= 2
        return ask(url)


@broken("backoff-kept-between-calls", factory=True, attempts=4, waits=(1, 2, 4), retry_after=False)
def delay_is_never_reset() -> Client:
    return RemembersItsDelay(resets=False).get


@mended("backoff-kept-between-calls", factory=True, attempts=4, waits=(1, 2, 4), retry_after=False)
def delay_is_reset() -> Client:
    def call(url: str) -> Any:
        return RemembersItsDelay(resets=True).get(url)

    return call


@broken(
    "backoff-shared-between-threads", factory=True, attempts=4, waits=(1, 2, 4), retry_after=False
)
def delay_of_all_threads() -> Client:
    return RemembersItsDelay(resets=True).get


@mended(
    "backoff-shared-between-threads", factory=True, attempts=4, waits=(1, 2, 4), retry_after=False
)
def delay_of_one_thread() -> Client:
    mine = threading.local()

    def call(url: str) -> Any:
        mine.delay = 1.0
        for _ in range(3):
            try:
                return ask(url)
            except Busy:
                time.sleep(mine.delay)
                mine.delay *= 2
        return ask(url)

    return call


# Jitter

JITTER: dict[str, Any] = {
    "attempts": 5,
    "waits": (1, 2, 4, 8),
    "jitter": "full",
    "retry_after": False,
}


def jittered(url: str, dice: Any, least: float = 0, most: float = 1, factor: float = 2) -> Any:
    return loop(url, tuple(dice.uniform(least, most) * factor**number for number in range(4)))


@broken("jitter-missing", **JITTER)
def no_jitter(url: str) -> Any:
    return loop(url, (1, 2, 4, 8))


@broken("jitter-missing", **JITTER)
def jitter_on_the_first_alone(url: str) -> Any:
    return loop(url, (random.uniform(0, 1), 2, 4, 8))


@broken("jitter-missing", **JITTER)
def jitter_within_the_upper_half(url: str) -> Any:
    return jittered(url, random, 0.5, 1)


@mended("jitter-missing", **JITTER)
def full_jitter(url: str) -> Any:
    return jittered(url, random)


@broken("jitter-out-of-bounds", **JITTER)
def three_times_the_bound(url: str) -> Any:
    return jittered(url, random, 1, 3)


@mended("jitter-out-of-bounds", **JITTER)
def within_the_bound(url: str) -> Any:
    return jittered(url, random, 0.1, 1)


@broken("jitter-not-growing", **JITTER)
def within_a_second(url: str) -> Any:
    return jittered(url, random, factor=1)


@mended("jitter-not-growing", **JITTER)
def within_twice_as_much(url: str) -> Any:
    return jittered(url, random)


@broken("jitter-same-in-every-process", **JITTER)
def seeded_with_a_constant(url: str) -> Any:
    return jittered(url, random.Random(42))


@broken("jitter-same-in-every-process", **JITTER)
def seeds_the_global_dice(url: str) -> Any:
    random.seed(0)
    return jittered(url, random)


@mended("jitter-same-in-every-process", **JITTER)
def seeded_by_the_system(url: str) -> Any:
    return jittered(url, random.SystemRandom())


@broken("herd", **JITTER)
def comes_back_on_the_full_minute(url: str) -> Any:
    for _ in range(4):
        try:
            return ask(url)
        except Busy:
            time.sleep(60 - time.time() % 60)
    return ask(url)


@mended("herd", **JITTER)
def comes_back_when_it_likes(url: str) -> Any:
    return jittered(url, random)


# Retry-After

HONOURS: dict[str, Any] = {"attempts": 4, "waits": (1, 2, 4), "retry_after_cap": 60}


def obeying(url: str, read: Any) -> Any:
    """A loop whose Retry-After is read by this function."""
    for wait in (1, 2, 4, None):
        response = requests.get(url, timeout=5)
        if response.status_code not in STATUSES:
            break
        if wait is None:
            break
        said = response.headers.get("Retry-After")
        seconds = wait if said is None else read(said)
        time.sleep(wait if seconds is None else seconds)
    response.raise_for_status()
    return response.json()


ONLY_STATUSES = {**HONOURS, "failures": (), "malformed": False}


@broken("retry-after-ignored", **HONOURS)
def never_looks(url: str) -> Any:
    return loop(url, (1, 2, 4))


@mended("retry-after-ignored", **HONOURS)
def looks(url: str) -> Any:
    return riding(lambda: ask(url), (1, 2, 4))


def well_read(value: str) -> float | None:
    if value.isascii() and value.isdigit():
        return min(60.0, float(value))
    try:
        then = email.utils.parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None
    return min(60.0, max(0.0, then - time.time()))


@broken("retry-after-misread", **ONLY_STATUSES)
def takes_seconds_for_milliseconds(url: str) -> Any:
    return obeying(url, lambda value: (well_read(value) or 0) / 1000)


@broken("retry-after-misread", **ONLY_STATUSES)
def reads_dates_in_local_time(url: str) -> Any:
    def read(value: str) -> float | None:
        if value.isdigit():
            return min(60.0, float(value))
        try:
            # strptime forgets GMT; here the zone is an hour off, as in half of the world.
            then = datetime.strptime(value, "%a, %d %b %Y %H:%M:%S GMT")  # noqa: DTZ007 -- the bug
        except ValueError:
            return None
        return min(60.0, max(0.0, then.timestamp() + 3600 - time.time()))

    return obeying(url, read)


@broken("retry-after-misread", **ONLY_STATUSES)
def knows_no_dates(url: str) -> Any:
    return obeying(url, lambda value: min(60.0, float(value)) if value.isdigit() else 0.0)


@mended("retry-after-misread", **ONLY_STATUSES)
def reads_both_forms(url: str) -> Any:
    return obeying(url, well_read)


@broken("retry-after-unbounded", **ONLY_STATUSES)
def waits_for_a_day(url: str) -> Any:
    def read(value: str) -> float | None:
        return float(value) if value.isascii() and value.isdigit() else well_read(value)

    return obeying(url, read)


@mended("retry-after-unbounded", **ONLY_STATUSES)
def waits_for_a_minute(url: str) -> Any:
    return obeying(url, well_read)


@broken("retry-after-crash", **ONLY_STATUSES)
def only_int(url: str) -> Any:
    return obeying(url, lambda value: min(60, int(value)))


@broken("retry-after-crash", **ONLY_STATUSES)
def sleeps_backwards(url: str) -> Any:
    def read(value: str) -> float | None:
        try:
            return min(60.0, float(value))  # time.sleep raises ValueError for -1.
        except ValueError:
            return well_read(value)

    return obeying(url, read)


@mended("retry-after-crash", **ONLY_STATUSES)
def survives_any_value(url: str) -> Any:
    return obeying(url, well_read)


class RemembersRetryAfter:
    """What a service said once is waited for ever after."""

    def __init__(self, *, forgets: bool) -> None:
        self.said: float | None = None
        self.forgets = forgets

    def get(self, url: str) -> Any:
        for wait in (1, 2, 4, None):
            try:
                return ask(url)
            except Busy as error:
                if wait is None:
                    raise
                if self.forgets:
                    self.said = None
                self.said = self.said if error.retry_after is None else error.retry_after
                time.sleep(wait if self.said is None else min(60.0, self.said))
        raise AssertionError("the last attempt returns or raises")


@broken("retry-after-remembered", factory=True, **HONOURS)
def remembers_retry_after() -> Client:
    return RemembersRetryAfter(forgets=False).get


@mended("retry-after-remembered", factory=True, **HONOURS)
def forgets_retry_after() -> Client:
    return RemembersRetryAfter(forgets=True).get
