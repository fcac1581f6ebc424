"""Broken and mended: answers, requests, logins, caches."""

from __future__ import annotations

import functools
import http.client
import io
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import requests
import tenacity
import urllib3

from tests.verify.zoo.correct_by_hand import Busy, Refused, ServiceError, TokenClient, ask, riding
from tests.verify.zoo.correct_libraries import TLS, TRANSIENT
from tests.verify.zoo.kit import STATUSES, Client, broken, mended

PLAIN: dict[str, Any] = {"attempts": 3, "waits": (1, 2), "retry_after": False, "malformed": False}

# Answers


@broken("truncated-accepted", attempts=1)
def http_client_read_in_pieces(url: str) -> bytes:
    where = url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(where, timeout=5)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        if answer.status >= 300:
            raise ServiceError(str(answer.status))
        found = b""
        while piece := answer.read(4):  # read(n) does not raise when the body is cut.
            found += piece
        return found
    finally:
        connection.close()


@broken("truncated-accepted", attempts=1)
def urllib3_that_does_not_count(url: str) -> bytes:
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        response = pool.request("GET", url, preload_content=False, enforce_content_length=False)
        try:
            if response.status >= 300:
                raise ServiceError(str(response.status))
            return b"".join(response.stream(4))
        finally:
            response.close()


@broken("truncated-accepted", attempts=1)
def takes_the_part_that_came(url: str) -> bytes:
    found = b""
    with requests.get(url, stream=True, timeout=5) as response:
        response.raise_for_status()
        try:
            for piece in response.iter_content(4):
                found += piece
        except requests.exceptions.ChunkedEncodingError:
            pass
    return found


@mended("truncated-accepted", attempts=1)
def takes_only_the_whole(url: str) -> bytes:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.content


@broken("malformed-accepted", attempts=1)
def text_when_it_is_no_json(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    try:
        return response.json()
    except ValueError:
        return response.text


@broken("malformed-accepted", attempts=1)
async def empty_when_it_is_no_json(url: str) -> Any:
    async with httpx.AsyncClient(timeout=5, trust_env=False, verify=TLS) as client:
        response = (await client.get(url)).raise_for_status()
    try:
        return response.json()
    except json.JSONDecodeError:
        return {}


@mended("malformed-accepted", attempts=1)
def error_when_it_is_no_json(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


@broken("short-stream-accepted", attempts=1, stream=True)
def lines_until_it_breaks(url: str) -> list[bytes]:
    found = []
    with requests.get(url, stream=True, timeout=5) as response:
        response.raise_for_status()
        try:
            for line in response.iter_lines():
                found.append(line)  # noqa: PERF402 -- it keeps what came before the error
        except requests.RequestException:
            pass
    return found


@broken("short-stream-accepted", attempts=1, stream=True)
def a_generator_that_stops(url: str) -> Iterator[str]:
    with (
        httpx.Client(timeout=5, trust_env=False, verify=TLS) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        for line in response.iter_lines():
            if line == "data: [DONE]":
                return
            if line:
                yield line


@mended("short-stream-accepted", attempts=1, stream=True)
def a_generator_that_waits_for_the_end(url: str) -> Iterator[str]:
    with (
        httpx.Client(timeout=5, trust_env=False, verify=TLS) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        for line in response.iter_lines():
            if line == "data: [DONE]":
                return
            if line:
                yield line
    raise ServiceError("the stream ended before its end")


# Requests

SAFE: dict[str, Any] = {**PLAIN, "methods": ("GET", "HEAD", "PUT", "DELETE")}


def posting(url: str, make: Any, worth_it: Any = STATUSES, errors: Any = TRANSIENT) -> Any:
    """Three attempts; each is made anew."""
    for wait in (1, 2, None):
        try:
            response = make(url)
            if response.status_code not in worth_it or wait is None:
                response.raise_for_status()
                return response.json()
        except errors:
            if wait is None:
                raise
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@broken("unsafe-retry", **SAFE)
def posts_again(url: str) -> Any:
    return posting(url, lambda to: requests.post(to, json={"pay": 5}, timeout=5))


@broken("unsafe-retry", **SAFE)
def urllib3_any_method(url: str) -> Any:
    retry = urllib3.Retry(
        2, backoff_factor=1, status_forcelist=STATUSES, allowed_methods=None, raise_on_status=False
    )
    with urllib3.PoolManager(retries=retry, timeout=5) as pool:
        response = pool.request("POST", url, json={"pay": 5})
        if response.status >= 300:
            raise ServiceError(str(response.status))
        return response.json()


@mended("unsafe-retry", attempts=1, methods=("GET",))
def posts_once(url: str) -> Any:
    response = requests.post(url, json={"pay": 5}, timeout=5)
    response.raise_for_status()
    return response.json()


@mended("unsafe-retry", **{**PLAIN, "statuses": (429, 503), "failures": ()}, methods=("GET",))
def posts_again_only_when_it_was_not_read(url: str) -> Any:
    return posting(
        url,
        lambda to: requests.post(to, json={"pay": 5}, timeout=5),
        (429, 503),
        requests.exceptions.ConnectTimeout,
    )


ANY: dict[str, Any] = {**PLAIN, "methods": ("GET", "POST", "PUT")}


@broken("body-not-resent", **ANY)
def a_file_that_is_read_up(url: str) -> Any:
    file = io.BytesIO(b'{"a": "body of some length"}')
    return posting(
        url, lambda to: requests.post(to, data=iter(lambda: file.read(8), b""), timeout=5)
    )


@broken("body-not-resent", **ANY)
def a_generator_that_is_used_up(url: str) -> Any:
    pieces = (piece for piece in (b"one", b"two", b"three"))
    return posting(url, lambda to: requests.put(to, data=pieces, timeout=5))


@mended("body-not-resent", **ANY)
def a_file_that_is_rewound(url: str) -> Any:
    file = io.BytesIO(b'{"a": "body of some length"}')

    def once(to: str) -> requests.Response:
        file.seek(0)
        return requests.post(to, data=file, timeout=5)

    return posting(url, once)


def with_key(url: str, key: str) -> requests.Response:
    return requests.post(url, json={"a": 1}, headers={"Idempotency-Key": key}, timeout=5)


@broken("new-idempotency-key", **ANY)
def a_key_for_each_attempt(url: str) -> Any:
    return posting(url, lambda to: with_key(to, str(uuid.uuid4())))


@broken("new-idempotency-key", **ANY)
@tenacity.retry(
    retry=tenacity.retry_if_exception_type((Busy, *TRANSIENT)),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(),
)
def a_key_within_the_decorator(url: str) -> Any:
    response = with_key(url, uuid.uuid4().hex)
    if response.status_code in STATUSES:
        raise Busy("busy")
    response.raise_for_status()
    return response.json()


@mended("new-idempotency-key", **ANY)
def a_key_for_all_attempts(url: str) -> Any:
    key = str(uuid.uuid4())
    return posting(url, lambda to: with_key(to, key))


# Logins

LOGIN: dict[str, Any] = {**PLAIN, "login": "/login"}


class KeepsItsToken(TokenClient):
    """Its token is never asked for again."""

    def login(self, url: str, refused: str | None) -> str:
        return super().login(url, None)


@broken("stale-token-kept", factory=True, **LOGIN)
def token_for_ever() -> Client:
    return KeepsItsToken().get


@broken("stale-token-kept", factory=True, **LOGIN)
def token_in_a_session() -> Client:
    session = requests.Session()

    def call(url: str) -> Any:
        if "Authorization" not in session.headers:
            said = session.post(f"{url}/login", json={}, timeout=5)
            said.raise_for_status()
            session.headers["Authorization"] = "Bearer t"
        return posting(f"{url}/data", lambda to: session.get(to, timeout=5))

    return call


@mended("stale-token-kept", factory=True, **LOGIN)
def token_until_it_is_refused() -> Client:
    return TokenClient().get


class StormyClient:
    """Logs in again and again while the service refuses its tokens."""

    def __init__(self) -> None:
        self.token: str | None = None

    def get(self, url: str) -> Any:
        for _ in range(10):
            if self.token is None:
                ask(f"{url}/login", method="POST", json={"k": "v"})
                self.token = uuid.uuid4().hex
            headers = {"Authorization": f"Bearer {self.token}"}
            response = requests.get(f"{url}/data", headers=headers, timeout=5)
            if response.status_code != 401:
                response.raise_for_status()
                return response.json()
            self.token = None
        raise Refused("ten tokens refused")


@broken("login-storm", factory=True, login="/login")
def login_after_each_401() -> Client:
    return StormyClient().get


@mended("login-storm", factory=True, **LOGIN)
def login_once_more() -> Client:
    return TokenClient().get


class LogsInOn403(TokenClient):
    """Takes a missing permission for a stale token."""

    def once(self, url: str, headers: dict[str, str]) -> requests.Response:
        response = super().once(url, headers)
        if response.status_code == 403:
            response.status_code = 401
        return response


@broken("login-on-403", factory=True, **LOGIN)
def login_when_forbidden() -> Client:
    return LogsInOn403().get


@mended("login-on-403", factory=True, **LOGIN)
def login_when_unauthorized() -> Client:
    return TokenClient().get


@broken("credentials-sent-elsewhere", attempts=1)
def follows_with_its_token(url: str) -> Any:
    headers = {"Authorization": "Bearer t0k3n"}
    for _ in range(5):
        response = requests.get(url, headers=headers, timeout=5, allow_redirects=False)
        if not response.is_redirect:
            break
        url = response.headers["Location"]
    response.raise_for_status()
    return response.json()


@broken("credentials-sent-elsewhere", attempts=1)
def an_api_key_in_a_session(url: str) -> Any:
    with requests.Session() as session:
        session.headers["X-Api-Key"] = "t0k3n"
        response = session.get(url, timeout=5)
        response.raise_for_status()
        return response.json()


@broken("credentials-sent-elsewhere", attempts=1)
async def httpx_default_headers(url: str) -> Any:
    async with httpx.AsyncClient(
        headers={"api-key": "t0k3n"}, follow_redirects=True, trust_env=False, timeout=5, verify=TLS
    ) as client:
        return (await client.get(url)).raise_for_status().json()


@mended("credentials-sent-elsewhere", attempts=1)
def requests_takes_it_away(url: str) -> Any:
    response = requests.get(url, headers={"Authorization": "Bearer t0k3n"}, timeout=5)
    response.raise_for_status()
    return response.json()


@mended("credentials-sent-elsewhere", attempts=1)
def follows_nothing(url: str) -> Any:
    headers = {"X-Api-Key": "t0k3n"}
    response = requests.get(url, headers=headers, timeout=5, allow_redirects=False)
    if response.is_redirect:
        raise Refused("redirected")
    response.raise_for_status()
    return response.json()


# Caches

CACHE: dict[str, Any] = {**PLAIN, "malformed": True, "cache": 300}


class Cache:
    """Answers by URL."""

    def __init__(self, seconds: float = 300) -> None:
        self.seconds = seconds
        self.kept: dict[Any, tuple[float, Any]] = {}

    def get(self, key: Any, ask_for_it: Any) -> Any:
        if key not in self.kept or time.monotonic() - self.kept[key][0] >= self.seconds:
            self.kept[key] = time.monotonic(), ask_for_it()
        return self.kept[key][1]


@broken("error-cached", factory=True, cache=300)
def keeps_whatever_it_gets() -> Client:
    cache = Cache()
    return lambda url: cache.get(url, lambda: requests.get(url, timeout=5).json())


@broken("error-cached", factory=True, cache=300)
def keeps_the_exception() -> Client:
    cache = Cache()

    def outcome(url: str) -> Any:
        try:
            return ask(url)
        except ServiceError as error:
            return error

    def call(url: str) -> Any:
        found = cache.get(url, lambda: outcome(url))
        if isinstance(found, Exception):
            raise found
        return found

    return call


@mended("error-cached", factory=True, **CACHE)
def keeps_answers_only() -> Client:
    cache = Cache()
    return lambda url: cache.get(url, lambda: riding(lambda: ask(url), (1, 2)))


@broken("cache-without-expiry", factory=True, **PLAIN)
def lru_cache() -> Client:
    return functools.lru_cache(lambda url: riding(lambda: ask(url), (1, 2)))


@broken("cache-without-expiry", factory=True, **CACHE)
def a_dictionary() -> Client:
    kept: dict[str, Any] = {}

    def call(url: str) -> Any:
        if url not in kept:
            kept[url] = riding(lambda: ask(url), (1, 2))
        return kept[url]

    return call


@mended("cache-without-expiry", factory=True, **CACHE)
def five_minutes() -> Client:
    return keeps_answers_only()  # type: ignore[no-any-return]  # a factory, seen through its label


def as_somebody(cache: Cache, key_of: Any) -> Client:
    def call(url: str, token: str = "mine") -> Any:
        def fetch() -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            return riding(lambda: ask(url, headers=headers), (1, 2))

        return cache.get(key_of(url, token), fetch)

    return call


@broken("cache-ignores-credential", factory=True, **CACHE, another=True)
def one_answer_for_all() -> Client:
    return as_somebody(Cache(), lambda url, token: url)


@mended("cache-ignores-credential", factory=True, **CACHE, another=True)
def one_answer_for_each() -> Client:
    return as_somebody(Cache(), lambda url, token: (url, token))
