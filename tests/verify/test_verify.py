"""`verify` as its users meet it: calls of every shape, what it says, and how it gives back."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
import trio

from pytest_resilience import (
    Backoff,
    Breaker,
    CheckFailed,
    FakeServer,
    Finding,
    ResilienceError,
    RetryPolicy,
    Verdict,
    VirtualClock,
    verify,
)
from pytest_resilience.judge import battery
from pytest_resilience_vault import Vault

FOUR = RetryPolicy(attempts=4, backoff=[1, 2, 4], statuses=[503], timeout=10)


def fetch(url: str, waits: tuple[float, ...] = (1, 2, 4)) -> Any:
    for wait in (*waits, None):
        response = requests.get(url, timeout=10)
        if response.status_code != 503 or wait is None:
            break
        time.sleep(wait)
    response.raise_for_status()
    return response.json()


async def afetch(url: str) -> Any:
    async with httpx.AsyncClient(trust_env=False, timeout=10, verify=False) as client:  # noqa: S501 -- loads nothing
        for wait in (1, 2, 4, None):
            response = await client.get(url)
            if response.status_code != 503 or wait is None:
                break
            await asyncio.sleep(wait)
        return response.raise_for_status().json()


LATE = "<- too late by 1.000 s"


class Api:
    """A client object whose call is a coroutine."""

    async def __call__(self, url: str) -> Any:
        return await afetch(url)


@pytest.mark.parametrize("call", [fetch, afetch, Api(), lambda url, wait=0: afetch(url)])
def test_a_correct_client_is_found_innocent(call: Callable[..., Any]) -> None:
    """A function, a coroutine function, an object, and a function that returns a coroutine."""
    verdict = verify(call, FOUR)

    assert verdict.codes == []
    assert verdict
    assert str(verdict).startswith(f"nothing found in {len(verdict.scenarios)} scenarios, ")
    verdict.raise_if_any()


def test_a_wrong_wait_reads_like_a_report() -> None:
    """One sentence that stands alone, the attempts that prove it, and how to see it again."""
    verdict = verify(lambda url: fetch(url, (1, 3, 4)), FOUR, only="outage-without-end")

    assert str(verdict).splitlines() == [
        "wrong-schedule: attempt 3 came 3.000 s after attempt 2, wanted 2.000 s",
        "    1  t=0.000  GET /  503  [status 503]",
        "    2  t=1.000  GET /  503  [status 503]  after a wait of 1.000 s",
        f"    3  t=4.000  GET /  503  [status 503]  after a wait of 3.000 s   {LATE}",
        "    4  t=8.000  GET /  503  [status 503]  after a wait of 4.000 s",
        "  to see it alone: verify(..., only='outage-without-end')",
        "(2 scenarios, 128 virtual seconds)",
    ]
    assert [finding.code for finding in verdict] == ["wrong-schedule"]
    assert len(verdict) == 1
    assert not verdict


def test_a_verdict_is_plain_data() -> None:
    """Any program can print it."""
    verdict = verify(lambda url: fetch(url, (1, 2)), FOUR, only=["outage-without-end"])

    data = json.loads(json.dumps(verdict.to_dict()))
    assert data["ok"] is False
    assert data["scenarios"] == ["undisturbed", "outage-without-end"]
    (finding,) = data["findings"]
    assert finding["code"] == "too-few-attempts"
    assert finding["meaning"] == "It gives up before it has tried as often as it claims."
    assert finding["sentence"] == "it gave up after 3 attempts, wanted 4"
    assert finding["replay"] == "only='outage-without-end'"
    assert len(finding["evidence"]) == 3


def test_several_findings_have_a_first_line_of_their_own() -> None:
    """pytest's short summary shows only that one."""
    verdict = Verdict(
        (
            Finding("herd", "They came."),
            Finding("cause-lost", "It is."),
        ),
        ("a",),
        3,
    )

    assert str(verdict).splitlines() == [
        "herd: They came. (and 1 more)",
        "",
        "2 findings in 1 scenarios, 3 virtual seconds",
        "",
        "herd: They came.",
        "",
        "cause-lost: It is.",
    ]
    with pytest.raises(CheckFailed, match=r"^herd: They came. \(and 1 more\)"):
        verdict.raise_if_any()


def test_a_finding_has_a_code_of_the_table() -> None:
    """Codes are a promise, so none can be made up."""
    with pytest.raises(ValueError, match="no finding has the code 'hurd'"):
        Finding("hurd", "")


def test_an_unknown_scenario_is_refused() -> None:
    """With the nearest name, and all of them."""
    with pytest.raises(ResilienceError, match=r"no scenario is named 'silense'; did you mean 'sil"):
        verify(fetch, FOUR, only="silense")


def test_a_client_finds_its_server_by_the_environment() -> None:
    """While it is judged the variables point there, and afterwards they are as they were."""
    os.environ["VAULT_ADDR"] = "http://before"
    os.environ.pop("VAULT_TOKEN", None)

    def call() -> Any:
        headers = {"X-Vault-Token": os.environ["VAULT_TOKEN"]}
        url = f"{os.environ['VAULT_ADDR']}/v1/secret/data/app"
        response = requests.get(url, headers=headers, timeout=5)
        response.raise_for_status()
        return response.json()["data"]["data"]

    vault = Vault()
    vault.put("secret/app", {"a": 1})
    verdict = verify(call, RetryPolicy(attempts=1), vault, only="outage-without-end")

    assert verdict.codes == []
    assert os.environ.pop("VAULT_ADDR") == "http://before"
    assert "VAULT_TOKEN" not in os.environ
    assert not vault.running


def test_the_url_may_be_a_keyword() -> None:
    """One required argument is enough, wherever it stands; more are refused by name."""

    def call(*, base: str) -> Any:
        return fetch(base)

    def wrong(url: str, key: str) -> Any:
        return None

    assert verify(call, FOUR, only="outage-without-end").codes == []
    with pytest.raises(ResilienceError, match="this one has url, key: wrap it in a lambda"):
        verify(wrong, FOUR)


def test_a_builtin_says_nothing_of_its_arguments() -> None:
    """It is called as it is."""
    assert verify(dict, RetryPolicy()).codes == ["server-never-reached"]
    assert verify(type("Odd", (), {"__signature__": 3, "__call__": lambda self: 3})()).codes == [
        "server-never-reached"
    ]


def test_a_running_server_and_its_clock_are_left_as_they_were() -> None:
    """The clock in force is used; the server runs on, with an empty trace and plan."""
    with VirtualClock() as clock, FakeServer() as server:
        server.fail(503)
        verdict = verify(fetch, FOUR, server)

        assert verdict.codes == []
        assert clock.now >= verdict.seconds > 1000
        assert len(server.trace) == 0
        assert server.plan.rules == ()


def test_trio_runs_its_own() -> None:
    """A runner is given the call as an async function."""

    async def call(url: str) -> Any:
        for wait in (1, 2, 4, None):
            async with httpx.AsyncClient(trust_env=False, timeout=10, verify=False) as client:  # noqa: S501 -- the same
                response = await client.get(url)
            if response.status_code != 503 or wait is None:
                break
            await trio.sleep(wait)
        return response.raise_for_status().json()

    assert verify(call, FOUR, runner=trio.run).codes == []


# Calls that do not come back as calls do


def wait_for_ever(url: str) -> None:
    requests.get(url, timeout=5)
    threading.Event().wait()


def compute_for_ever(url: str) -> None:
    while True:
        time.monotonic()


async def await_for_ever(url: str) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("call", [wait_for_ever, await_for_ever])
def test_a_call_that_never_returns_is_found(call: Callable[[str], Any]) -> None:
    """No hang: virtual time goes to its end."""
    verdict = verify(call)

    assert verdict.codes == ["call-never-returned"]
    assert verdict.scenarios == ("undisturbed",)


def spin_for_ever(url: str) -> None:
    while True:
        pass


@pytest.mark.parametrize("call", [compute_for_ever, spin_for_ever])
def test_a_call_that_computes_for_ever_is_stopped(
    call: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an exception from outside, after some real seconds; its thread has ended."""
    monkeypatch.setattr("pytest_resilience.judge.hands.PATIENCE", 0.3)

    assert verify(call).codes == ["call-never-returned"]
    assert "verify" not in [thread.name for thread in threading.enumerate()]


def test_nothing_else_is_tried_with_a_client_that_hangs() -> None:
    """After a few calls that never came back, the battery ends."""

    def call(url: str) -> None:
        if requests.get(url, timeout=5).status_code >= 400:
            threading.Event().wait()

    verdict = verify(call, RetryPolicy(attempts=3))

    assert verdict.codes == ["call-never-returned"]
    assert len(verdict.scenarios) < 8


def leave_by_abort() -> None:
    os.abort()


@pytest.mark.parametrize(
    ("leave", "said"),
    [
        (lambda: sys.exit(3), "SystemExit(3)"),
        (lambda: os._exit(2), "os._exit(2)"),
        (leave_by_abort, "os.abort()"),
    ],
)
def test_the_end_of_the_process_is_found(leave: Callable[[], Any], said: str) -> None:
    """And does not come to pass."""
    verdict = verify(leave)

    assert verdict.codes == ["process-ended"]
    assert verdict.findings[0].sentence == f"the call ended the process by {said}"


def test_a_thread_that_dies_is_found() -> None:
    """Nobody else hears of it."""

    def call(url: str) -> Any:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        return fetch(url)

    (finding,) = verify(call).findings

    assert finding.code == "thread-raised"
    assert finding.sentence == "a thread of the call died of ZeroDivisionError, and nobody was told"


def test_an_undisturbed_call_must_work() -> None:
    """Otherwise nothing that follows would mean anything."""

    def call(url: str) -> Any:
        raise LookupError(requests.get(url, timeout=5).text)

    verdict = verify(call)

    assert verdict.codes == ["unexpected-exception"]
    assert verdict.findings[0].sentence == "an undisturbed call raised LookupError"
    assert verdict.findings[0].scenario == "undisturbed"


def test_a_call_that_raises_without_asking() -> None:
    """Is said to have raised, and to have asked nobody."""

    def call(url: str) -> Any:
        raise LookupError

    (finding,) = verify(call).findings

    assert finding.code == "server-never-reached"
    assert finding.sentence.startswith("the call raised LookupError and made no request")


def test_what_a_call_leaves_running_is_cancelled() -> None:
    """A task that nobody awaits does not reach into the next scenario."""
    seen: list[str] = []

    async def linger() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def call(url: str) -> Any:
        seen.append(asyncio.ensure_future(linger()).get_name() and "begun")
        await asyncio.sleep(0)
        return await afetch(url)

    assert verify(call, FOUR, only="outage-of-1").codes == []
    assert seen.count("cancelled") == seen.count("begun") > 2


def test_a_breaker_has_time_to_close() -> None:
    """Between two scenarios more time passes than it stays open."""
    policy = RetryPolicy(attempts=1, breaker=Breaker(opens_after=3, stays_open=600))
    opened = 0.0
    failures = 0

    def call(url: str) -> Any:
        nonlocal opened, failures
        if failures >= 3 and time.monotonic() < opened + 600:
            raise RuntimeError("open")
        try:
            value = fetch(url, ())
        except requests.RequestException:
            failures, opened = failures + 1, time.monotonic()
            raise
        failures = 0
        return value

    names = ["outage-without-end", "status-400", "resets-without-end", "silence"]
    assert verify(call, policy, only=names).codes == []


def test_the_first_families_come_first() -> None:
    """Most of what can be wrong shows in an outage; all others are there too."""
    assert battery.families()[0] == "attempts"
    assert {"repeated", "jitter", "retried", "retry_after"} < set(battery.families())


def our_threads() -> list[threading.Thread]:
    """All that run, but those that trio keeps from an earlier test for ten seconds."""
    return [one for one in threading.enumerate() if not one.name.startswith("Trio thread")]


def test_everything_is_given_back() -> None:
    """Threads, patches and variables are as before."""
    threads, connect = our_threads(), socket.socket.__dict__.get("connect")
    exit_, abort, hook = os._exit, os.abort, threading.excepthook

    verify(fetch, RetryPolicy(attempts=4, backoff=Backoff(1)))

    assert our_threads() == threads
    assert socket.socket.__dict__.get("connect") is connect
    assert (os._exit, os.abort, threading.excepthook) == (exit_, abort, hook)


def test_a_whole_battery_takes_less_than_eight_seconds() -> None:
    """Of processor time, which a busy machine does not stretch; measured with coverage off."""
    began = time.process_time()
    verdict = verify(fetch, RetryPolicy(attempts=4, backoff=[1, 2, 4], statuses=[429, "5xx"]))
    took = time.process_time() - began

    assert len(verdict.scenarios) > 20
    assert took < 8 or sys.gettrace() is not None


def test_a_policy_is_no_text() -> None:
    """What is written in a line is read first."""
    with pytest.raises(ResilienceError, match=r"verify wants a RetryPolicy, got '3 attempts'"):
        verify(fetch, "3 attempts")  # type: ignore[arg-type]  # what a user might write
