"""Broken and mended: connections, event loops, breakers, and calls that do not come back."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import Any

import aiohttp
import circuitbreaker
import httpx
import pybreaker
import requests
import urllib3

from tests.verify.zoo.correct_by_hand import Breaker, Busy, Refused, ServiceError, ask
from tests.verify.zoo.correct_libraries import TLS, TRANSIENT
from tests.verify.zoo.kit import STATUSES, Client, broken, mended

PLAIN: dict[str, Any] = {"attempts": 3, "waits": (1, 2), "retry_after": False, "malformed": False}

# Connections


def streaming(session: requests.Session, url: str, held: list[Any] | None, *, close: bool) -> Any:
    for wait in (1, 2, None):
        try:
            response = session.get(url, stream=True, timeout=5)
            if held is not None:
                held.append(response)
            if response.status_code not in STATUSES or wait is None:
                response.raise_for_status()
                return response.json()
            if close:
                response.close()
        except TRANSIENT:
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("response-not-closed", factory=True, **PLAIN)
def holds_failed_responses() -> Client:
    session, held = requests.Session(), []  # type: ignore[var-annotated]
    return lambda url: streaming(session, url, held, close=False)


@broken("response-not-closed", factory=True, **PLAIN)
def httpx_streams_left_open() -> Client:
    client = httpx.Client(trust_env=False, timeout=5, verify=TLS)

    def call(url: str) -> Any:
        for wait in (1, 2, None):
            try:
                response = client.send(client.build_request("GET", url), stream=True)
                if response.status_code not in STATUSES or wait is None:
                    response.read()
                    return response.raise_for_status().json()
            except httpx.TransportError:
                if wait is None:
                    raise
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    return call


@mended("response-not-closed", factory=True, **PLAIN)
def closes_failed_responses() -> Client:
    session = requests.Session()
    return lambda url: streaming(session, url, None, close=True)


def pooled(url: str, pool: Any, *, release: bool) -> Any:
    for wait in (1, 2, None):
        try:
            response = pool.request("GET", url, preload_content=False, retries=False)
            if response.status not in STATUSES or wait is None:
                data = response.read()
                response.release_conn()
                if response.status >= 300:
                    raise ServiceError(str(response.status))
                return data
            if release:
                response.drain_conn()
                response.release_conn()
            else:
                HELD.append(response)
        except urllib3.exceptions.HTTPError as error:
            if wait is None:
                raise ServiceError("no answer") from error
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


HELD: list[Any] = []


@broken("pool-exhausted", factory=True, **PLAIN)
def urllib3_pool_of_four() -> Client:
    pool = urllib3.PoolManager(maxsize=4, block=True, timeout=urllib3.Timeout(5))
    return lambda url: pooled(url, pool, release=False)


@broken("pool-exhausted", factory=True, **PLAIN)
def httpx_pool_of_five() -> Client:
    limits = httpx.Limits(max_connections=5)
    client = httpx.Client(trust_env=False, timeout=5, limits=limits, verify=TLS)

    def call(url: str) -> Any:
        response = client.send(client.build_request("GET", url), stream=True)
        if response.status_code >= 400:
            raise Refused(str(response.status_code))
        response.read()
        return response.json()

    return call


@mended("pool-exhausted", factory=True, **PLAIN)
def urllib3_pool_that_gets_back() -> Client:
    pool = urllib3.PoolManager(maxsize=4, block=True, timeout=urllib3.Timeout(5))
    return lambda url: pooled(url, pool, release=True)


@broken("connection-leaked", factory=True, attempts=1)
def a_session_for_each_call() -> Client:
    sessions = []

    def call(url: str) -> Any:
        session = requests.Session()
        sessions.append(session)
        response = session.get(url, timeout=5)
        response.raise_for_status()
        return response.json()

    return call


@broken("connection-leaked", factory=True, attempts=1)
def an_httpx_client_for_each_call() -> Client:
    class Api:
        every: list[Any] = []  # noqa: RUF012 -- the bug

        def __init__(self) -> None:
            self.http = httpx.Client(trust_env=False, timeout=5, verify=TLS)
            self.every.append(self)

    return lambda url: Api().http.get(url).raise_for_status().json()


@mended("connection-leaked", factory=True, attempts=1)
def one_session_for_all_calls() -> Client:
    session = requests.Session()

    def call(url: str) -> Any:
        response = session.get(url, timeout=5)
        response.raise_for_status()
        return response.json()

    return call


STALE: dict[str, Any] = {"attempts": 3, "waits": (1, 2), "retry_after": False, "malformed": False}


@broken("stale-connection-not-retried", factory=True, **{**STALE, "failures": ("stale",)})
def only_statuses_are_retried() -> Client:
    session = requests.Session()

    def call(url: str) -> Any:
        for wait in (1, 2, None):
            response = session.get(url, timeout=5)
            if response.status_code not in STATUSES or wait is None:
                break
            time.sleep(wait)
        response.raise_for_status()
        return response.json()

    return call


@mended("stale-connection-not-retried", factory=True, **STALE)
def connections_are_retried() -> Client:
    session = requests.Session()
    return lambda url: streaming(session, url, None, close=True)


# Event loops


async def aloop(url: str, sleep: Any) -> Any:
    async with httpx.AsyncClient(trust_env=False, timeout=5, verify=TLS) as client:
        for wait in (1, 2, None):
            try:
                response = await client.get(url)
                if response.status_code not in STATUSES or wait is None:
                    return response.raise_for_status().json()
            except httpx.TransportError:
                if wait is None:
                    raise
            await sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("blocking-sleep", **PLAIN)
async def time_sleep_in_a_coroutine(url: str) -> Any:
    async def sleep(seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 -- the bug

    return await aloop(url, sleep)


@broken("blocking-sleep", **PLAIN)
async def aiohttp_and_time_sleep(url: str) -> Any:
    limit = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for wait in (1, 2, None):
            try:
                async with session.get(url) as response:
                    if response.status not in STATUSES or wait is None:
                        response.raise_for_status()
                        return await response.json()
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError):
                if wait is None:
                    raise
            time.sleep(wait)  # noqa: ASYNC251 -- the bug
    raise AssertionError("the last attempt returns or raises")


@mended("blocking-sleep", **PLAIN)
async def asyncio_sleep_in_a_coroutine(url: str) -> Any:
    return await aloop(url, asyncio.sleep)


@broken("blocking-io", **PLAIN)
async def requests_in_a_coroutine(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return ask(url)
        except Busy:
            if wait is None:
                raise
            await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("blocking-io", attempts=1)
async def httpx_get_in_a_coroutine(url: str) -> Any:
    response = httpx.get(url, timeout=5, trust_env=False, verify=TLS)  # noqa: ASYNC210 -- the bug
    return response.raise_for_status().json()


@mended("blocking-io", **PLAIN)
async def requests_in_a_thread(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return await asyncio.to_thread(ask, url)
        except Busy:
            if wait is None:
                raise
            await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("sleep-not-awaited", **PLAIN)
async def forgets_await(url: str) -> Any:
    async def sleep(seconds: float) -> None:
        asyncio.sleep(seconds)  # type: ignore[unused-coroutine]  # the bug

    return await aloop(url, sleep)


@mended("sleep-not-awaited", **PLAIN)
async def remembers_await(url: str) -> Any:
    return await aloop(url, asyncio.sleep)


# Breakers

GUARDED: dict[str, Any] = {"attempts": 1, "breaker": (3, 30)}


@broken("breaker-never-opens", factory=True, **GUARDED)
def counts_and_never_looks() -> Client:
    failures = [0]

    def call(url: str) -> Any:
        try:
            return ask(url)
        except Busy:
            failures[0] += 1
            raise

    return call


@broken("breaker-never-opens", factory=True, **GUARDED)
def circuitbreaker_by_call() -> Client:
    # Only the decorator looks at the state: CircuitBreaker.call never does.
    breaker = circuitbreaker.CircuitBreaker(
        failure_threshold=3, recovery_timeout=30, expected_exception=Busy, name="by-call"
    )
    return lambda url: breaker.call(ask, url)


@mended("breaker-never-opens", factory=True, **GUARDED)
def circuitbreaker_as_a_decorator() -> Client:
    guarded: Client = circuitbreaker.circuit(
        failure_threshold=3, recovery_timeout=30, expected_exception=Busy, name="decorated"
    )(ask)
    return guarded


@mended("breaker-never-opens", factory=True, **GUARDED)
def pybreakers() -> Client:
    breaker = pybreaker.CircuitBreaker(fail_max=3, reset_timeout=30, exclude=[Refused])
    return lambda url: breaker.call(ask, url)


class NeverHalfOpens(Breaker):
    """Open is open."""

    def call(self, once: Any) -> Any:
        if self.opened is not None:
            raise ServiceError("the breaker is open")
        return super().call(once)


@broken("breaker-never-half-opens", factory=True, **GUARDED)
def open_for_ever() -> Client:
    breaker = NeverHalfOpens()
    return lambda url: breaker.call(lambda: ask(url))


@mended("breaker-never-half-opens", factory=True, **GUARDED)
def open_for_a_while() -> Client:
    breaker = Breaker()
    return lambda url: breaker.call(lambda: ask(url))


class LetsAllThrough(Breaker):
    """When its time is over it is closed, as if nothing had been."""

    def call(self, once: Any) -> Any:
        if self.opened is not None and time.monotonic() - self.opened >= 30:
            self.close()
        return super().call(once)


PROBED: dict[str, Any] = {"attempts": 1, "breaker": (3, 30, 1)}


class ProbesAll(Breaker):
    """When its time is over all may try, until one has succeeded or failed."""

    def call(self, once: Any) -> Any:
        half_open = self.opened is not None and time.monotonic() - self.opened >= 30
        if not half_open:
            return super().call(once)
        try:
            result = once()
        except Busy:
            self.opened = time.monotonic()
            raise
        self.close()
        return result


@broken("breaker-lets-all-through", factory=True, **PROBED)
def a_crowd_when_the_time_is_over() -> Client:
    breaker = ProbesAll()
    return lambda url: breaker.call(lambda: ask(url))


@broken("breaker-lets-all-through", factory=True, **GUARDED)
def closed_when_the_time_is_over() -> Client:
    breaker = LetsAllThrough()
    return lambda url: breaker.call(lambda: ask(url))


@mended("breaker-lets-all-through", factory=True, **PROBED)
def one_probe_at_a_time() -> Client:
    breaker = Breaker()
    return lambda url: breaker.call(lambda: ask(url))


class CountsEverything(Breaker):
    """A mistake of the caller's is a failure to it."""

    def call(self, once: Any) -> Any:
        def strict() -> Any:
            try:
                return once()
            except Refused as error:
                raise Busy(str(error)) from error

        return super().call(strict)


@broken("breaker-counts-client-errors", factory=True, **GUARDED)
def counts_404() -> Client:
    breaker = CountsEverything()
    return lambda url: breaker.call(lambda: ask(url))


@broken("breaker-counts-client-errors", factory=True, **GUARDED)
def pybreaker_without_exclude() -> Client:
    breaker = pybreaker.CircuitBreaker(fail_max=3, reset_timeout=30)
    return lambda url: breaker.call(ask, url)


@mended("breaker-counts-client-errors", factory=True, **GUARDED)
def counts_only_outages() -> Client:
    breaker = Breaker()
    return lambda url: breaker.call(lambda: ask(url))


# Calls that do not come back as calls do


@broken("server-never-reached")
def asks_nobody(url: str) -> Any:
    return {"ok": True}


@broken("call-never-returned", attempts=3)
def waits_for_what_never_comes(url: str) -> Any:
    response = requests.get(url, timeout=5)
    if response.status_code in STATUSES:
        threading.Event().wait()
    return response.json()


@broken("call-never-returned", attempts=3)
async def awaits_what_never_comes(url: str) -> Any:
    async with httpx.AsyncClient(trust_env=False, timeout=5, verify=TLS) as client:
        response = await client.get(url)
    if response.status_code in STATUSES:
        await asyncio.Event().wait()
    return response.json()


@broken("process-ended", attempts=1)
def leaves_by_sys_exit(url: str) -> Any:
    try:
        return ask(url)
    except ServiceError:
        sys.exit(1)


@broken("process-ended", attempts=1)
def leaves_by_os_exit(url: str) -> Any:
    try:
        return ask(url)
    except ServiceError:
        os._exit(3)


@broken("thread-raised", attempts=1)
def dies_in_a_thread(url: str) -> Any:
    said: list[Any] = []
    thread = threading.Thread(target=lambda: said.append(ask(url)))
    thread.start()
    thread.join()
    if not said:
        raise ServiceError("nothing came")
    return said[0]


@mended("thread-raised", attempts=1)
def tells_what_the_thread_met(url: str) -> Any:
    said: list[Any] = []
    wrong: list[Exception] = []

    def work() -> None:
        try:
            said.append(ask(url))
        except ServiceError as error:
            wrong.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if wrong:
        raise wrong[0]
    return said[0]


async def account(said: Any) -> None:
    if not said["usage"]:
        raise ServiceError("nobody pays")


@broken("task-raised", factory=True, attempts=1)
def accounts_in_a_task() -> Client:
    tasks = set()

    async def call(url: str) -> Any:
        said = await asyncio.to_thread(ask, url)
        task = asyncio.create_task(account(said))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(0)
        return said

    return call


@mended("task-raised", attempts=1)
async def tells_what_the_task_met(url: str) -> Any:
    said = await asyncio.to_thread(ask, url)
    (met,) = await asyncio.gather(asyncio.create_task(account(said)), return_exceptions=True)
    return said, str(met)


@mended("call-never-returned", attempts=1)
@mended("process-ended", attempts=1)
@mended("server-never-reached", attempts=1)
def comes_back(url: str) -> Any:
    return ask(url)


# What is left behind

DONE: list[threading.Event] = []
"""Set when the test is over, so that what goes on for ever does not."""


def renewing(url: str, done: threading.Event) -> None:
    """Keep a lease alive."""
    while not done.wait(30):
        pass


def started(url: str, done: threading.Event) -> None:
    threading.Thread(target=renewing, args=(url, done), daemon=True).start()


@broken("thread-left-behind", factory=True, attempts=1)
def a_thread_for_each_call() -> Client:
    done = threading.Event()
    DONE.append(done)

    def call(url: str) -> Any:
        started(url, done)
        return ask(url)

    return call


@mended("thread-left-behind", factory=True, attempts=1)
def a_thread_for_all_calls() -> Client:
    done = threading.Event()
    DONE.append(done)
    servers: set[str] = set()

    def call(url: str) -> Any:
        if url not in servers:
            started(url, done)
            servers.add(url)
        return ask(url)

    return call


@mended("thread-left-behind", attempts=1)
def a_thread_that_ends_with_its_call(url: str) -> Any:
    done = threading.Event()
    started(url, done)
    try:
        return ask(url)
    finally:
        done.set()


async def beating() -> None:
    """Keep a lease alive."""
    while True:  # noqa: ASYNC110 -- for ever
        await asyncio.sleep(30)


@broken("task-left-behind", factory=True, attempts=1)
def a_task_for_each_call() -> Client:
    tasks = []

    async def call(url: str) -> Any:
        tasks.append(asyncio.create_task(beating()))
        return await asyncio.to_thread(ask, url)

    return call


@mended("task-left-behind", attempts=1)
async def a_task_that_ends_with_its_call(url: str) -> Any:
    beat = asyncio.create_task(beating())
    try:
        return await asyncio.to_thread(ask, url)
    finally:
        beat.cancel()


@mended("task-left-behind", factory=True, attempts=1)
def a_task_for_all_calls() -> Client:
    tasks: list[asyncio.Task[None]] = []

    async def call(url: str) -> Any:
        if not tasks or tasks[-1].done():
            tasks.append(asyncio.create_task(beating()))
        return await asyncio.to_thread(ask, url)

    return call
