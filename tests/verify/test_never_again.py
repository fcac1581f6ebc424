"""Failures that are never retried, bodies that nobody has read, and calls that turn out async."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from pytest_resilience import RetryPolicy, verify

Call = Callable[[str], Any]
NEVER = RetryPolicy(never_failures=["connect", "refused"])
SCENES = ["refused-without-end", "connect-without-end"]


def repeating(again: Callable[[Exception], bool]) -> Call:
    def call(url: str) -> Any:
        for n in range(3):
            try:
                response = requests.get(url, timeout=5)
                response.raise_for_status()
                return response.json()
            except requests.RequestException as error:
                if n == 2 or not again(error):
                    raise
            time.sleep(2**n)
        raise AssertionError

    return call


async def asking(url: str) -> Any:
    limit = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as response:
        response.raise_for_status()
        return await response.json()


async def asking_again(url: str) -> Any:
    for n in range(3):
        try:
            return await asking(url)
        except (aiohttp.ClientConnectionError, TimeoutError):
            if n == 2:
                raise
            await asyncio.sleep(1)
    raise AssertionError


def is_read(error: Exception) -> bool:
    return not isinstance(error, requests.ConnectionError)


@pytest.mark.parametrize(
    ("client", "scenes"),
    [
        (repeating(lambda _: True), SCENES),
        (asking_again, SCENES),
        (repeating(lambda e: not isinstance(e, requests.ConnectTimeout)), SCENES[:1]),
        (repeating(is_read), []),
        (asking, []),
    ],
)
def test_what_prevents_a_connection_is_not_tried_again(client: Call, scenes: list[str]) -> None:
    """Where a policy says so, a connection is begun once."""
    verdict = verify(client, NEVER, only=SCENES)

    assert [finding.scenario for finding in verdict] == scenes, verdict
    assert set(verdict.codes) <= {"too-many-attempts"}
    if scenes:
        assert "was tried 3 times, though it is never retried" in verdict.findings[0].sentence


def keeping_a_connection(wait: float, attempts: int) -> Call:
    session = requests.Session()

    def call(url: str) -> Any:
        for n in range(1, attempts + 1):
            try:
                response = session.get(url, timeout=5)
                break
            except requests.ConnectionError:
                if n == attempts:
                    raise
            time.sleep(wait)
        response.raise_for_status()
        return response.json()

    return call


@pytest.mark.parametrize(
    ("wait", "attempts", "resends", "codes"),
    [
        (1, 3, None, ["too-many-attempts"]),
        (0, 2, None, []),
        (0, 2, False, ["too-many-attempts"]),
        (0, 1, False, []),
    ],
)
def test_a_dead_connection_is_not_tried_again(
    wait: float,
    attempts: int,
    resends: bool | None,  # noqa: FBT001 -- a parameter
    codes: list[str],
) -> None:
    """A transport may send once more, at once, unless it is claimed that it does not."""
    policy = RetryPolicy(never_failures=["stale"], resends=resends)

    verdict = verify(keeping_a_connection(wait, attempts), policy, only="stale-without-end")

    assert verdict.codes == codes, verdict


def keeping_a_session(*, releases: bool) -> Call:
    sessions: list[aiohttp.ClientSession] = []

    async def call(url: str) -> Any:
        if not sessions or sessions[-1].closed:
            sessions.append(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)))
        response = await sessions[-1].get(url)
        if response.status >= 400:
            if releases:
                response.release()
            raise ConnectionError(response.status)
        return await response.json()

    return call


@pytest.mark.parametrize(("releases", "codes"), [(False, ["response-not-closed"]), (True, [])])
def test_a_long_error_is_not_read_by_itself(
    releases: bool,  # noqa: FBT001 -- a parameter
    codes: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """aiohttp gives back what a short one came on, and keeps what a long one is still coming on."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # Its loop is closed by then.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        verdict = verify(
            keeping_a_session(releases=releases), only="many-failures-with-long-bodies"
        )
        for _ in range(500):  # A thread that has just played it may hold it for a moment.
            gc.collect()
            if not any(type(one) is aiohttp.ClientSession for one in gc.get_objects()):
                break
            time.sleep(0.01)

    assert verdict.codes == codes, verdict


async def takes_cancellation(url: str) -> Any:
    async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 -- plain HTTP
        for n in range(3):
            try:
                return (await client.get(url)).raise_for_status().json()
            except (httpx.TransportError, asyncio.CancelledError):
                if n == 2:
                    raise
                await asyncio.sleep(1)
    raise AssertionError


def wrapped(client: Call) -> Call:
    def call(url: str) -> Any:
        return client(url)

    return call


@pytest.mark.parametrize("client", [takes_cancellation, wrapped(takes_cancellation)])
def test_what_turns_out_to_be_awaited_is_cancelled_too(client: Call) -> None:
    """What is wrapped around a coroutine function is none itself."""
    verdict = verify(client, only="cancelled-during-its-attempt")

    assert verdict.codes == ["cancellation-swallowed"], verdict
