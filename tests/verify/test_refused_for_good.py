"""What no repetition cures: found in who repeats it, claimed or not, and in nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import aiohttp_retry
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from pytest_resilience import FakeServer, RetryPolicy, verify
from tests.verify.zoo.kit import STATUSES

Call = Callable[[str], Any]
ALL_THAT_PASSES = (*STATUSES, 0)
"""0 stands for no answer."""


def status_of(error: requests.RequestException) -> int:
    return 0 if error.response is None else error.response.status_code


def repeating(
    again: Callable[[int], bool], method: str = "GET", attempts: int = 4, **more: Any
) -> Call:
    """Repeat what meets a status of these, after a second, two, and four."""

    def call(url: str) -> Any:
        for n in range(attempts):
            try:
                response = requests.request(method, url, timeout=5, **more)
                response.raise_for_status()
                return response.json()
            except requests.RequestException as error:
                if n == attempts - 1 or not again(status_of(error)):
                    raise
            time.sleep(2**n)
        raise AssertionError

    return call


def one_of(*statuses: int) -> Callable[[int], bool]:
    return lambda status: status in statuses


def renewing(url: str) -> Any:
    """Asks once more, and at once, with a token that it has read anew."""
    for refused in (False, True):
        response = requests.get(url, headers={"Authorization": "Bearer t"}, timeout=5)
        if response.status_code != 401 or refused:
            response.raise_for_status()
        else:
            continue
        return response.json()
    raise AssertionError


def asking_in_another_way(url: str) -> Any:
    """An older service refuses the new field."""
    for body in ({"limit": 5, "exact": True}, {"limit": 5}):
        response = requests.post(url, json=body, timeout=5)
        if response.status_code != 400:
            break
    response.raise_for_status()
    return response.json()


def digesting(url: str) -> Any:
    """The answer to a 401 is another request, with a credential."""
    for number in range(3):
        headers = {"Authorization": f"Digest {number}"} if number else {}
        response = requests.get(url, headers=headers, timeout=5)
        if response.status_code != 401:
            break
    response.raise_for_status()
    return response.json()


ASKING = "status-{}-without-end"
NAMED = RetryPolicy(attempts=4, statuses=[429, 503])


@pytest.mark.parametrize("policy", [None, RetryPolicy(attempts=4, backoff=[1, 2, 4])])
@pytest.mark.parametrize(
    ("again", "found"),
    [
        (lambda _: True, {"client-error-retried", "not-implemented-retried"}),
        (one_of(*ALL_THAT_PASSES, 401), {"client-error-retried"}),
        (one_of(*ALL_THAT_PASSES, 422), {"client-error-retried"}),
        (one_of(*ALL_THAT_PASSES, 501), {"not-implemented-retried"}),
        (lambda status: status == 0 or status >= 500 or status == 429, set()),
        (one_of(*ALL_THAT_PASSES, 403, 404, 409), set()),
        (one_of(*ALL_THAT_PASSES), set()),
    ],
)
def test_what_nobody_repeats(
    again: Callable[[int], bool], found: set[str], policy: RetryPolicy | None
) -> None:
    """Nothing has to be claimed for it; a class of 5xx and a 404 may be somebody's intention."""
    only = [ASKING.format(status) for status in (400, 401, 422, 501)]
    verdict = verify(repeating(again), policy, only=only)

    assert set(verdict.codes) == found, verdict


@pytest.mark.parametrize("client", [renewing, digesting])
def test_a_401_may_be_asked_again_in_another_way(client: Call) -> None:
    """With another credential, or once, at once, with one that was read anew."""
    assert verify(client, only="status-401-without-end").codes == []


def test_a_400_may_be_asked_again_in_another_way() -> None:
    """At once, with another body: that is no repetition."""
    assert verify(asking_in_another_way, only="status-400-without-end").codes == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "client-error-retried"),
        (404, "client-error-retried"),
        (409, "client-error-retried"),
        (500, "too-many-attempts"),
        (504, "too-many-attempts"),
        (501, "not-implemented-retried"),
    ],
)
def test_the_list_of_a_policy_is_held_to_the_letter(status: int, code: str) -> None:
    """A status that is not in it is not retried, whatever it is."""
    only = ASKING.format(status)
    verdict = verify(repeating(one_of(0, 429, 503, status)), NAMED, only=only)

    assert verdict.codes == [code], verdict
    assert verify(repeating(one_of(0, 429, 503)), NAMED, only=only).codes == []


def test_a_class_that_is_never_retried() -> None:
    """Those of it that somebody would retry are tried, each by its name."""
    policy = RetryPolicy(attempts=4, never_statuses=["4xx"])
    verdict = verify(repeating(one_of(*STATUSES, 404)), policy)

    assert {finding.scenario for finding in verdict} == {
        "status-404-without-end",
        "status-429-without-end",
    }


def test_a_501_of_a_class_that_is_claimed_need_not_be_retried() -> None:
    """A policy that says 5xx is no promise to repeat what is not implemented."""
    policy = RetryPolicy(attempts=4, statuses=["5xx"], never_statuses=[501])
    verdict = verify(repeating(lambda s: s >= 500 and s != 501), policy)

    assert verdict.codes == [], verdict


async def as_aiohttp_retry_comes(url: str) -> Any:
    limit = aiohttp.ClientTimeout(total=10)
    async with aiohttp_retry.RetryClient(timeout=limit) as client, client.get(url) as response:
        response.raise_for_status()
        return await response.json()


def test_aiohttp_retry_repeats_all_errors_of_a_server() -> None:
    """Its default, and no mistake of who uses it."""
    verdict = verify(as_aiohttp_retry_comes, only="status-501-without-end")

    assert verdict.codes == []


# POST


def service(status: str) -> Callable[[Any, Any], Sequence[bytes]]:
    def app(environ: Any, start: Any) -> Sequence[bytes]:
        start(status, [("Content-Type", "application/json")])
        return [b'{"a": 1}']

    return app


ORDER = {"pay": 5}
NOT_SURE = one_of(*ALL_THAT_PASSES)
SURE = one_of(429, 503)


@pytest.mark.parametrize(
    ("client", "answers", "policy", "found"),
    [
        (repeating(NOT_SURE, "POST", json=ORDER), "201 Created", None, ["unsafe-retry"]),
        (
            repeating(NOT_SURE, "POST", json=ORDER),
            "201 Created",
            RetryPolicy(attempts=4, backoff=[1, 2, 4]),
            ["unsafe-retry"],
        ),
        (repeating(SURE, "POST", json=ORDER), "201 Created", None, []),
        (repeating(NOT_SURE, "POST", json=ORDER), "200 OK", None, []),
        (repeating(NOT_SURE, "PUT", json=ORDER), "201 Created", None, []),
        (repeating(NOT_SURE, "POST", json={"request_id": "7"}), "201 Created", None, []),
        (
            repeating(NOT_SURE, "POST", json=ORDER, headers={"Idempotency-Key": "k"}),
            "201 Created",
            None,
            [],
        ),
        (
            # It says that it does so: that is not what is asked here.
            repeating(NOT_SURE, "POST", json=ORDER),
            "201 Created",
            RetryPolicy(attempts=4, failures=["read-timeout", "reset"]),
            [],
        ),
    ],
)
def test_a_post_that_makes_something_new(
    client: Call, answers: str, policy: RetryPolicy | None, found: list[str]
) -> None:
    """The service says so by a 201; then a POST without a key is sent once, if it was read."""
    with FakeServer(service(answers)) as server:
        verdict = verify(client, policy, server)

    assert verdict.codes == found, verdict


ADAPTER = urllib3.Retry(3, backoff_factor=1, status_forcelist=STATUSES)


def posting_with_an_adapter(url: str) -> Any:
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=ADAPTER))
        response = session.post(url, json=ORDER, timeout=5)
        response.raise_for_status()
        return response.json()


def test_a_post_is_not_asked_to_be_retried() -> None:
    """Whose methods are named need not retry others, whatever statuses and failures it names."""
    policy = RetryPolicy.from_urllib3(ADAPTER)

    assert policy.methods is not None
    assert "POST" not in policy.methods
    verdict = verify(posting_with_an_adapter, policy)
    assert verdict.codes == [], verdict
    assert "status-503-then-ok" not in verdict.scenarios
