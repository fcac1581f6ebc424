"""Ways to write a client that the judge once took for something else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import gc
import http.client
import json
import math
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from pytest_resilience import Breaker, ResilienceError, RetryPolicy, verify
from tests.verify.zoo.correct_by_hand import Busy, ask
from tests.verify.zoo.correct_libraries import TLS
from tests.verify.zoo.kit import STATUSES

Call = Callable[[str], Any]
WAITING = RetryPolicy(attempts=3, backoff=[1, 2], statuses=STATUSES)


def asking_again(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return ask(url)
        except Busy:
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError


# What it can do without


def reporting(method: str) -> Call:
    def call(url: str) -> Any:
        with contextlib.suppress(requests.RequestException):
            requests.request(method, f"{url}/usage", timeout=5)
        return asking_again(f"{url}/data")

    return call


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_what_nobody_needs_is_not_tried_again(method: str) -> None:
    """The attempts that count are those at what the caller wants."""
    verdict = verify(reporting(method), WAITING)

    assert verdict.codes == [], verdict


def test_what_it_comes_back_without_is_tried_again() -> None:
    """Who leaves out what has failed has not done without it."""

    def call(url: str) -> Any:
        found = []
        for name in ("one", "two"):
            with contextlib.suppress(Busy):
                found.append(ask(f"{url}/{name}"))
        return found

    assert "status-not-retried" in verify(call, WAITING, only="status-503-then-ok").codes


# Schedules


class KeepsItsWait:
    def __init__(self) -> None:
        self.wait = 1

    def __call__(self, url: str) -> Any:
        for attempt in range(3):
            try:
                return ask(url)
            except Busy:
                if attempt == 2:
                    raise
            time.sleep(self.wait)
            self.wait = min(60, 2 * self.wait)
        raise AssertionError


def test_a_wait_that_has_grown_to_its_end() -> None:
    """It was right in the first outage of all, and is the same in all others by now."""
    scenes = [f"outage-{which}" for which in ("without-end", "of-1", "of-2")]
    verdict = verify(KeepsItsWait(), WAITING, only=[*scenes, "two-outages-in-a-row"])

    assert verdict.codes == ["backoff-kept-between-calls"], verdict


def test_no_first_wait() -> None:
    """The rest is as claimed: that is no schedule that grows by a step, as 0, 2, 4 would be."""

    def call(url: str) -> Any:
        for wait in (0, 2, 4, None):
            try:
                return ask(url)
            except Busy:
                if wait is None:
                    raise
            time.sleep(wait)
        raise AssertionError

    policy = RetryPolicy(attempts=4, backoff=[1, 2, 4], statuses=[503])

    assert verify(call, policy, only="outage-without-end").codes == ["wrong-schedule"]


# Ctrl-C while another thread asks


def asking_in_a_pool(*, gives_up: bool) -> Call:
    def call(url: str) -> Any:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, url)
            while True:
                try:
                    return asked.result()
                except KeyboardInterrupt:
                    if gives_up:
                        raise

    return call


@pytest.mark.parametrize(("gives_up", "codes"), [(False, ["interrupt-swallowed"]), (True, [])])
def test_ctrl_c_while_a_pool_asks(gives_up: bool, codes: list[str]) -> None:  # noqa: FBT001 -- a parameter
    """It comes to the thread that waits for the one that asks."""
    assert verify(asking_in_a_pool(gives_up=gives_up), only="ctrl-c").codes == codes


# Clients that get no further


def test_a_pool_that_is_used_up_is_used_up_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is tried then, and nothing more is said."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # Its loop is closed by then.
    clients: list[httpx.AsyncClient] = []

    async def call(url: str) -> Any:
        if not clients:
            limits = httpx.Limits(max_connections=3)
            clients.append(httpx.AsyncClient(timeout=5, verify=TLS, limits=limits))
        request = clients[0].build_request("GET", url)
        response = await clients[0].send(request, stream=True)
        response.raise_for_status()
        await response.aread()
        return response.json()

    verdict = verify(call, only=["many-failures", "event-loop", "silence"])

    clients.clear()
    gc.collect()
    assert verdict.codes == ["pool-exhausted"], verdict
    assert verdict.scenarios == ("undisturbed", "many-failures", "event-loop")


def test_who_is_stuck_has_not_used_up_his_pool() -> None:
    """The call that never came back is told, and not the one that could not begin after it."""

    def call(url: str) -> Any:
        try:
            return ask(url)
        except Busy:
            threading.Event().wait()

    assert verify(call, only="many-failures").codes == ["call-never-returned"]


def test_who_asks_no_more_and_nothing_is_wrong_yet() -> None:
    """What is tried then shows what is wrong."""
    once: list[str] = []

    def call(url: str) -> Any:
        if len(once) > 1:
            raise ValueError(len(once))
        once.append(url)
        return ask(url)

    assert verify(call, RetryPolicy(raises=Busy), only="silence").scenarios[-1] == "silence"


async def of_urllib(url: str) -> Any:
    def get() -> object:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 -- of this test
            return response.read()

    try:
        return await asyncio.to_thread(get)
    except urllib.error.HTTPError as error:
        raise ConnectionError(error.code) from error


def test_a_long_error_is_for_aiohttp_alone() -> None:
    """The clock would wait, in real time, for what urllib leaves unread."""
    verdict = verify(of_urllib, only=["many-failures"])

    assert verdict.codes == []
    with pytest.raises(ResilienceError, match="no scenario is named"):
        verify(of_urllib, only="many-failures-with-long-bodies")


# Breakers, and threads


class Guarded:
    """Calls that are turned down may take a while, and make it wait anew."""

    def __init__(self, *, slides: bool, takes: float) -> None:
        self.slides = slides
        self.takes = takes
        self.failures = 0
        self.until = 0.0

    def __call__(self, url: str) -> Any:
        if time.monotonic() < self.until:
            if self.slides:
                self.until = time.monotonic() + 30
            time.sleep(self.takes)
            raise RuntimeError("the circuit is open")
        try:
            said = ask(url)
        except Busy:
            self.failures += 1
            if self.failures >= 3:
                self.until = time.monotonic() + 30
            raise
        self.failures = 0
        return said


@pytest.mark.parametrize(
    ("slides", "takes", "codes"),
    [(True, 0, ["breaker-never-half-opens"]), (False, 0, []), (False, 20, [])],
)
def test_a_breaker_that_is_asked_meanwhile(slides: bool, takes: float, codes: list[str]) -> None:  # noqa: FBT001 -- a parameter
    """It stays open for as long as it claims, and no longer."""
    policy = RetryPolicy(attempts=1, breaker=Breaker(3, 30))

    verdict = verify(Guarded(slides=slides, takes=takes), policy, only="breaker-recovery")

    assert verdict.codes == codes, verdict


def test_a_breaker_that_closes_too_soon() -> None:
    """Halfway through the time for which it claims to stay open nobody is asked."""
    policy = RetryPolicy(attempts=1, breaker=Breaker(3, 90))

    (found,) = verify(Guarded(slides=False, takes=0), policy, only="breaker-recovery")

    assert found.code == "breaker-lets-all-through"
    assert found.sentence == "it asked again after 45 s, and stays open for 90 s"


class ProbesOnce(Guarded):
    """The probe that comes back well does not close it."""

    def __call__(self, url: str) -> Any:
        was_open = self.until > 0
        said = super().__call__(url)
        self.until = math.inf if was_open else 0
        return said


def test_a_breaker_that_its_probe_does_not_close() -> None:
    """It is open when the next scenario begins, in which nobody is asked at all."""
    policy = RetryPolicy(attempts=1, breaker=Breaker(3, 30))
    client = ProbesOnce(slides=False, takes=0)

    verdict = verify(client, policy, only=["breaker-outage", "breaker-recovery"])

    assert verdict.codes == ["breaker-never-half-opens"], verdict


class LooksAtNothing:
    """Keeps its connection, and never looks whether the other end has closed it."""

    def __init__(self, *waits: float) -> None:
        self.waits = waits
        self.kept: http.client.HTTPConnection | None = None

    def __call__(self, url: str) -> Any:
        for wait in (*self.waits, None):
            try:
                return self.fetch(url.removeprefix("http://"))
            except (OSError, http.client.HTTPException):
                self.kept = None
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def fetch(self, address: str) -> Any:
        if self.kept is None:
            self.kept = http.client.HTTPConnection(address, timeout=5)
        self.kept.request("GET", "/")
        return json.loads(self.kept.getresponse().read())


@pytest.mark.parametrize(
    ("waits", "is_right"), [((1, 2, 4), True), ((1, 2), False), ((1, 2, 5), False)]
)
@pytest.mark.parametrize("kind", ["refused", "connect"])
def test_an_attempt_over_a_connection_that_died_with_its_server(
    kind: str, waits: tuple[float, ...], *, is_right: bool
) -> None:
    """Nobody sees it, and it is the first of all that are made."""
    failures = ["refused", "connect", "reset", "stale"]
    policy = RetryPolicy(attempts=4, backoff=[1, 2, 4], failures=failures, timeout=5)

    verdict = verify(LooksAtNothing(*waits), policy, only=f"outage-by-{kind}")

    assert (verdict.codes == []) == is_right, verdict
