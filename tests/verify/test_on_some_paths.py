"""What goes wrong on one path only, while the usual one is right."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
import urllib3

from pytest_resilience import RetryPolicy, verify

LAST = 2


def asking(
    wait_for: Callable[[requests.Response, int], float], after_reset: tuple[int, ...] = (1, 1, 0)
) -> Callable[[str], Any]:
    """Three attempts, with a branch of their own for resets."""

    def call(url: str) -> Any:
        for number in range(LAST + 1):
            try:
                response = requests.get(url, timeout=5)
            except requests.ConnectionError:
                time.sleep(after_reset[number])
                if number == LAST:
                    raise
                continue
            if response.status_code not in (429, 503):
                break
            time.sleep(wait_for(response, number))
        response.raise_for_status()
        return response.json()

    return call


def after_429(response: requests.Response, number: int) -> float:
    """Right for a 503 only."""
    return 1 if response.status_code == 429 or number < LAST else 0


def once(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


def a_second(_: requests.Response, number: int) -> float:
    return 1 if number < LAST else 0


@pytest.mark.parametrize(
    ("client", "scenario"),
    [
        (asking(after_429), "retry-after-without-end"),
        (asking(a_second, after_reset=(1, 1, 1)), "resets-without-end"),
    ],
    ids=["429", "reset"],
)
def test_a_wait_after_the_last_attempt(client: Callable[[str], Any], scenario: str) -> None:
    """It is one failure in many that is waited for when all is over."""
    found = verify(client, RetryPolicy(attempts=3, statuses=[429, 503]))

    assert [(one.code, one.scenario) for one in found] == [("wait-after-last-attempt", scenario)]


def bounded_in_seconds(response: requests.Response, number: int) -> float:
    said = response.headers.get("Retry-After", "1")
    if number == LAST:
        return 0
    if not said.endswith("GMT"):
        return min(float(said), 60) if said.isdigit() else 1
    return max(email.utils.parsedate_to_datetime(said).timestamp() - time.time(), 0)


def test_a_date_without_bounds() -> None:
    """A number of seconds is held to the cap, and a date is not."""
    policy = RetryPolicy(attempts=3, statuses=[429, 503], retry_after=True, retry_after_cap=60)

    (found,) = verify(asking(bounded_in_seconds), policy)

    assert (found.code, found.scenario) == ("retry-after-unbounded", "retry-after-date-in-days")


def of_429_only(response: requests.Response, number: int) -> float:
    said = response.headers.get("Retry-After", "") if response.status_code == 429 else ""
    return bounded_in_seconds(response, number) if said else float(number < LAST)


def test_honoured_for_one_status_only() -> None:
    """A 503 may say when to come back as well."""
    policy = RetryPolicy(attempts=3, statuses=[429, 503], retry_after=True)

    (found,) = verify(asking(of_429_only), policy)

    assert (found.code, found.scenario) == ("retry-after-ignored", "retry-after-with-503")


def test_ignored_by_who_does_not_say_how_he_waits() -> None:
    """Who comes early, and by no figure of what he was told, has not looked at it."""
    policy = RetryPolicy(attempts=3, statuses=[429, 503], retry_after=True)

    assert verify(asking(a_second), policy).codes == ["retry-after-ignored"]


def test_honoured_by_who_never_tries_again() -> None:
    """One attempt is what such a policy says as well, and there is no other to wait for."""
    policy = RetryPolicy.from_urllib3(urllib3.Retry(0, status_forcelist=[503]))
    assert policy.retry_after

    assert verify(once, policy).codes == []


async def accounted(url: str) -> Any:
    async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 -- plain HTTP

        async def ask() -> Any:
            return (await client.get(url)).raise_for_status().json()

        answer = await ask()
        task = asyncio.create_task(ask())
        await asyncio.sleep(1)
        del task
        return answer


def test_a_task_beside_the_answer() -> None:
    """It dies alone when the first request has worked."""
    (found,) = verify(accounted)

    assert (found.code, found.scenario) == ("task-raised", "failures-beside-others")


def keeping(seconds: float) -> Callable[[str], Any]:
    kept: list[tuple[float, Any]] = []

    def call(url: str) -> Any:
        if not kept or time.monotonic() - kept[0][0] > seconds:
            kept[:] = [(time.monotonic(), asking(a_second)(url))]
        return kept[0][1]

    return call


def test_an_answer_that_is_as_old_as_it_may_be() -> None:
    """It may be kept until then, and by some for the last moment too."""
    policy = RetryPolicy(attempts=3, statuses=[429, 503], cache=60)

    assert verify(keeping(60), policy, only="kept-answers").codes == []
    assert verify(keeping(62), policy, only="kept-answers").codes == ["cache-without-expiry"]


def test_a_pool_that_is_used_up_before_the_battery() -> None:
    """It is told as such, however early it shows."""
    pool = urllib3.PoolManager(maxsize=2, block=True, timeout=5)
    held = []

    def call(url: str) -> Any:
        response = pool.request("GET", url, preload_content=False, retries=False, pool_timeout=3)
        if response.status != 200:
            held.append(response)
            raise ConnectionError(response.status)
        return response.json()

    found = verify(call)
    for response in held:
        response.close()

    assert found.codes == ["pool-exhausted"]
