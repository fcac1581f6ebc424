"""Correct clients without a retry library: loops as people write them, and their state."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import http.client
import json
import os
import random
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import requests
import urllib3

from pytest_resilience import FOREVER
from pytest_resilience.policy.backoff import Backoff
from tests.verify.zoo.correct_libraries import TLS
from tests.verify.zoo.kit import STATUSES, Client, correct


class ServiceError(Exception):
    """The service could not be asked; its cause is the library's error."""


class Refused(ServiceError):
    """The service said no, and will say it again."""


class Busy(ServiceError):
    """The service failed in a way that passes, and may say when."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


def seconds_to_wait(value: str | None) -> float | None:
    """A Retry-After in seconds, whatever its form; None for one that says nothing."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, then.timestamp() - time.time())


def ask(url: str, timeout: float = 10, **more: Any) -> Any:
    """One attempt with requests; raises Busy or Refused."""
    try:
        response = requests.request(more.pop("method", "GET"), url, timeout=timeout, **more)
    except (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    ) as error:
        raise Busy(f"no answer: {error}") from error
    if response.status_code in STATUSES:
        wait = seconds_to_wait(response.headers.get("Retry-After"))
        raise Busy(f"status {response.status_code}", wait)
    if not response.ok:
        raise Refused(f"status {response.status_code}")
    try:
        return response.json()
    except ValueError as error:
        raise Busy("the answer is not JSON") from error


def riding(once: Callable[[], Any], waits: tuple[float, ...], cap: float = 60) -> Any:
    """The loop: a wait is a Retry-After if there is one, capped, else the schedule's."""
    for wait in waits:
        try:
            return once()
        except Busy as error:
            said = error.retry_after
            time.sleep(wait if said is None else min(said, cap))
    return once()


@correct(attempts=4, waits=(1, 2, 4), retry_after_cap=60)
def loop_with_retry_after(url: str) -> Any:
    return riding(lambda: ask(url), (1, 2, 4))


@correct(attempts=1)
def without_any_retry(url: str) -> bytes:
    with httpx.Client(trust_env=False, timeout=5, verify=TLS) as client:
        return client.get(url).raise_for_status().content


@correct(attempts=1)
def raises_at_once(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


@correct(attempts=6, waits=(1, 2, 4, 8, 16), deadline=20, retry_after_cap=60)
def loop_with_a_deadline(url: str) -> Any:
    ends = time.monotonic() + 20
    for number in range(6):
        left = ends - time.monotonic()
        try:
            return ask(url, timeout=min(5, left))
        except Busy as error:
            wait = float(2**number) if error.retry_after is None else error.retry_after
            if number == 5 or time.monotonic() + wait >= ends:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@correct(attempts=5, waits=(1, 2, 4, 8), jitter="full", retry_after=False)
def loop_with_full_jitter(url: str) -> Any:
    for number in range(4):
        try:
            return ask(url)
        except Busy:
            time.sleep(random.uniform(0, 2**number))
    return ask(url)


@correct(attempts=5, backoff=Backoff(1, cap=20), jitter="decorrelated", retry_after=False)
def loop_with_decorrelated_jitter(url: str) -> Any:
    wait = 1.0
    for _ in range(4):
        try:
            return ask(url)
        except Busy:
            wait = min(20, random.uniform(1, wait * 3))
            time.sleep(wait)
    return ask(url)


@correct(attempts=5, waits=(1, 2, 4, 8), jitter="equal", retry_after=False)
def loop_with_equal_jitter_of_its_own(url: str) -> Any:
    dice = random.Random()
    for number in range(4):
        try:
            return ask(url)
        except Busy:
            time.sleep(2**number / 2 + dice.random() * 2**number / 2)
    return ask(url)


@correct(attempts=FOREVER, backoff=Backoff(5, factor=1), deadline=60, retry_after=False)
def constant_until_a_deadline(url: str) -> Any:
    ends = time.monotonic() + 60
    while True:
        try:
            return ask(url, timeout=5)
        except Busy:
            if time.monotonic() + 5 + 5 > ends:
                raise
            time.sleep(5)


@correct(
    factory=True,
    attempts=3,
    waits=(1, 2),
    retry_after_cap=60,
    methods=("POST",),
    idempotency_key="Idempotency-Key",
)
def post_with_an_idempotency_key() -> Client:
    def call(url: str) -> Any:
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return riding(lambda: ask(url, method="POST", json={"a": 1}, headers=headers), (1, 2))

    return call


@correct(attempts=1, methods=("GET",))
def post_that_is_never_retried(url: str) -> Any:
    response = requests.post(url, json={"a": 1}, timeout=5)
    response.raise_for_status()
    return response.json()


class Breaker:
    """Opens after three failures for 30 seconds, then lets one call try."""

    def __init__(self) -> None:
        self.failures = 0
        self.opened: float | None = None
        self.lock = threading.Lock()

    def call(self, once: Callable[[], Any]) -> Any:
        with self.lock:
            if self.opened is not None:
                if time.monotonic() - self.opened < 30:
                    raise ServiceError("the breaker is open")
                self.opened = time.monotonic()  # This call is the probe.
        try:
            result = once()
        except Busy:
            with self.lock:
                self.failures += 1
                if self.failures >= 3:
                    self.opened = time.monotonic()
            raise
        except Refused:
            self.close()
            raise
        self.close()
        return result

    def close(self) -> None:
        with self.lock:
            self.failures, self.opened = 0, None


@correct(factory=True, attempts=1, breaker=(3, 30), retry_after=False)
def with_a_breaker() -> Client:
    breaker = Breaker()
    return lambda url: breaker.call(lambda: ask(url))


@correct(factory=True, attempts=3, waits=(1, 2), breaker=(3, 30), retry_after=False)
def with_a_breaker_around_the_loop() -> Client:
    breaker = Breaker()

    def loop(url: str) -> Any:
        for wait in (1, 2, None):
            try:
                return ask(url)
            except Busy:
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    return lambda url: breaker.call(lambda: loop(url))


class TokenClient:
    """Logs in when it must, and once more when its token is refused."""

    def __init__(self) -> None:
        self.token: str | None = None
        self.lock = threading.Lock()

    def login(self, url: str, refused: str | None) -> str:
        with self.lock:  # One thread logs in, the others take what it brought.
            if self.token is None or self.token == refused:
                said = riding(lambda: ask(f"{url}/login", method="POST", json={"k": "v"}), (1, 2))
                self.token = said.get("token", "t") if isinstance(said, dict) else "t"
            return self.token

    def get(self, url: str) -> Any:
        refused = None
        for _ in range(2):
            token = self.login(url, refused)
            headers = {"Authorization": f"Bearer {token}"}
            response = riding(lambda h=headers: self.once(f"{url}/data", h), (1, 2))  # type: ignore[misc]  # mypy knows no defaults of lambdas
            if response.status_code != 401:
                break
            refused = token
        if not response.ok:
            raise Refused(f"status {response.status_code}")
        return response.json()

    def once(self, url: str, headers: dict[str, str]) -> requests.Response:
        try:
            response = requests.get(url, headers=headers, timeout=10)
        except requests.RequestException as error:
            raise Busy("no answer") from error
        if response.status_code in STATUSES:
            raise Busy("busy", seconds_to_wait(response.headers.get("Retry-After")))
        return response


@correct(
    factory=True, attempts=3, waits=(1, 2), retry_after_cap=60, malformed=False, login="/login"
)
def with_a_login() -> Client:
    return TokenClient().get


@correct(factory=True, attempts=3, waits=(1, 2), retry_after_cap=60, cache=300)
def with_a_cache() -> Client:
    kept: dict[str, tuple[float, Any]] = {}

    def call(url: str) -> Any:
        if url in kept and time.monotonic() - kept[url][0] < 300:
            return kept[url][1]
        value = riding(lambda: ask(url), (1, 2))
        kept[url] = time.monotonic(), value
        return value

    return call


@correct(attempts=3, waits=(1, 2), retry_after=False, malformed=False)
def urllib_of_the_standard_library(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 -- it is http
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in STATUSES or wait is None:
                raise
        except (OSError, http.client.HTTPException):
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@correct(attempts=3, waits=(0.5, 1), retry_after=False, malformed=False)
def http_client_of_the_standard_library(url: str) -> Any:
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    for wait in (0.5, 1, None):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        try:
            connection.request("GET", parts.path or "/")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                return json.loads(body)
            if answer.status not in STATUSES or wait is None:
                raise ServiceError(f"status {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            if wait is None:
                raise ServiceError("no answer") from error
        finally:
            connection.close()
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@correct(attempts=3, waits=(0.5, 1), retry_after=False, malformed=False, timeout=10)
def closes_behind_its_wait(url: str) -> Any:
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    for wait in (0.5, 1, None):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        with contextlib.closing(connection):
            try:
                connection.request("GET", parts.path or "/")
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    return json.loads(body)
                if answer.status not in STATUSES or wait is None:
                    raise ServiceError(f"status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                if wait is None:
                    raise ServiceError("no answer") from error
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@correct(factory=True, attempts=3, waits=(1, 2), retry_after=False, malformed=False)
def httpx_client_kept_by_an_object() -> Client:
    class Api:
        def __init__(self) -> None:
            self.http = httpx.Client(
                trust_env=False, timeout=httpx.Timeout(10, connect=3), verify=TLS
            )

        def read(self, url: str) -> Any:
            for wait in (1, 2, None):
                try:
                    response = self.http.get(url)
                except httpx.TransportError as error:
                    if wait is None:
                        raise ServiceError("no answer") from error
                else:
                    if response.status_code not in STATUSES or wait is None:
                        return response.raise_for_status().json()
                time.sleep(wait)
            raise AssertionError("the last attempt returns or raises")

    return Api().read


@correct(attempts=4, waits=(1, 2, 4), retry_after_cap=30)
async def httpx_async_by_hand(url: str) -> Any:
    async with httpx.AsyncClient(trust_env=False, timeout=10, verify=TLS) as client:
        for wait in (1, 2, 4, None):
            delay: float | None = wait
            try:
                response = await client.get(url)
                if response.status_code not in STATUSES:
                    return response.raise_for_status().json()
                said = seconds_to_wait(response.headers.get("Retry-After"))
                delay = wait if said is None or wait is None else min(said, 30)
                if wait is None:
                    response.raise_for_status()
            except (httpx.TransportError, ValueError):
                if delay is None:
                    raise
            await asyncio.sleep(delay or 0)
    raise AssertionError("the last attempt returns or raises")


@correct(attempts=1, total_timeout=5)
async def a_total_timeout(url: str) -> Any:
    async with (
        asyncio.timeout(5),
        httpx.AsyncClient(trust_env=False, timeout=5, verify=TLS) as client,
    ):
        return (await client.get(url)).raise_for_status().json()


@correct(attempts=2, waits=(1,), retry_after=False)
def a_download_in_chunks(url: str) -> bytes:
    for wait in (1, None):
        try:
            with requests.get(url, stream=True, timeout=5) as response:
                response.raise_for_status()
                return b"".join(response.iter_content(8))
        except requests.HTTPError as error:
            if wait is None or error.response.status_code not in STATUSES:
                raise
        except requests.RequestException:
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@correct(attempts=3, waits=(0, 0), retry_after=False)
def retries_at_once(url: str) -> int:
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        for left in (2, 1, 0):
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                response = pool.request("GET", url)
                if response.status not in STATUSES:
                    return response.status
            if not left:
                raise ServiceError("three times nothing")
    raise AssertionError("the last attempt returns or raises")


@correct(factory=True, environment=True, attempts=3, waits=(1, 2), retry_after_cap=60)
def reads_its_environment() -> Client:
    def call() -> Any:
        return riding(lambda: ask(os.environ["SERVICE_URL"]), (1, 2))

    return call


@correct(attempts=3, waits=(1, 2), retry_after_cap=60)
def asks_in_a_thread_of_its_own(url: str) -> Any:
    said: list[Any] = []
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            said.append(riding(lambda: ask(url), (1, 2)))
        except BaseException as error:  # noqa: BLE001 -- it goes to the caller
            wrong.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if wrong:
        raise wrong[0]
    return said[0]


@correct(attempts=3, waits=(1, 2), retry_after=False, malformed=False)
async def blocking_work_in_a_thread(url: str) -> Any:
    for wait in (1, 2, None):
        try:
            return await asyncio.to_thread(ask, url)
        except Busy:
            if wait is None:
                raise
            await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")
