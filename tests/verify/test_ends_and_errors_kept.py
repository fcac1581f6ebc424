"""Clients that end the process in one of many ways, and clients that never ask again."""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import FakeServer, RetryPolicy, verify
from pytest_resilience.judge import halting, hands
from pytest_resilience.judge.hands import Hands


def get(url: str) -> Any:
    said = requests.get(url, timeout=5)
    said.raise_for_status()
    return said.json()


# The end of the process


ENDS: dict[str, Callable[[], object]] = {
    "os._exit(3)": lambda: os._exit(3),
    "os.abort()": lambda: os.abort(),  # noqa: PLW0108 -- the one that is there then
    "os.kill(": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "os.killpg(": lambda: os.killpg(os.getpgrp(), signal.SIGTERM),
    "signal.raise_signal(": lambda: signal.raise_signal(signal.SIGINT),
    "signal.pthread_kill(": lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM),
    "signal.alarm(1)": lambda: signal.alarm(1),
    "_thread.interrupt_main()": lambda: _thread.interrupt_main(),  # noqa: PLW0108 -- the same
}


@pytest.mark.parametrize("shown", ENDS)
def test_the_end_of_the_process(shown: str) -> None:
    """It is a finding, whichever way the client takes."""

    def call(url: str) -> Any:
        get(url)
        ENDS[shown]()

    before = os.kill, os._exit, signal.raise_signal, _thread.interrupt_main

    verdict = verify(call, RetryPolicy(timeout=5))

    (found,) = verdict
    assert found.code == "process-ended"
    assert found.sentence.startswith(f"the call ended the process by {shown}")
    assert before == (os.kill, os._exit, signal.raise_signal, _thread.interrupt_main)


def test_signals_that_end_nothing() -> None:
    """Asking whether a process is there, and what has a handler, goes through."""
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))

    def call(url: str) -> Any:
        os.kill(os.getpid(), 0)
        os.kill(os.getpid(), signal.SIGWINCH)
        os.kill(os.getpid(), signal.SIGUSR1)
        return get(url)

    try:
        assert not verify(call, only="undisturbed").findings
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert set(heard) == {signal.SIGUSR1}


def test_the_end_of_another_process() -> None:
    """A child that the client has forked may end as it likes."""

    def call(url: str) -> Any:
        value = get(url)
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0) == (child, 0)
        return value

    assert not verify(call, only="undisturbed").findings


def test_a_worker_that_waits_for_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exception reaches it where it waits; it is given up, in real time."""
    monkeypatch.setattr(hands, "PATIENCE", 0.05)
    monkeypatch.setattr(halting, "TAKEN_BACK", 0.001)
    release = threading.Event()
    worker = Hands()
    try:
        assert worker.call(release.wait, limit=30) is None
    finally:
        release.set()
        worker.close()


def test_a_worker_that_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is blocked in C takes no exception, and its hands say so."""
    monkeypatch.setattr(hands, "PATIENCE", 0.05)
    monkeypatch.setattr(halting, "TAKEN_BACK", 0.001)
    lock = _thread.allocate_lock()
    lock.acquire()
    worker = Hands()
    try:
        assert worker.call(lock.acquire, limit=30) is None
        assert not worker.close()
    finally:
        lock.release()
        worker.thread.join()


# Errors that are kept


class Kept:
    """Keeps something for ever; a subclass says what."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, url: str) -> Any:
        raise NotImplementedError


class KeepsResponses(Kept):
    def get(self, url: str) -> Any:
        if url not in self.kept:
            self.kept[url] = requests.get(url, timeout=5)
        self.kept[url].raise_for_status()
        return self.kept[url].json()


class KeepsErrors(Kept):
    def get(self, url: str) -> Any:
        if url in self.kept:
            raise self.kept[url]
        try:
            return get(url)
        except requests.RequestException as error:
            self.kept[url] = error
            raise


class KeepsErrorResponses(Kept):
    def get(self, url: str) -> Any:
        said = self.kept[url] if url in self.kept else requests.get(url, timeout=5)
        if not said.ok:
            self.kept[url] = said
            raise requests.HTTPError(f"status {said.status_code}", response=said)
        return said.json()


class KeepsErrorValues(Kept):
    def get(self, url: str) -> Any:
        if url not in self.kept:
            said = requests.get(url, timeout=5)
            if said.ok:
                return said.json()
            self.kept[url] = None
        return self.kept[url]


class NeverCloses(Kept):
    def get(self, url: str) -> Any:
        if self.kept:
            raise ConnectionAbortedError("the circuit is open")
        try:
            return get(url)
        except requests.RequestException:
            self.kept[url] = True
            raise


class IsBroken(NeverCloses):
    def get(self, url: str) -> Any:
        try:
            return super().get(url)
        except ConnectionAbortedError:
            raise ZeroDivisionError from None


class OpenForHours(Kept):
    def get(self, url: str) -> Any:
        if self.kept.get(url, 0) > time.monotonic():
            raise ConnectionAbortedError("the circuit is open")
        try:
            return get(url)
        except requests.RequestException:
            self.kept[url] = time.monotonic() + 7200
            raise


def judged(make: type[Kept]) -> list[tuple[str, str]]:
    verdict = verify(make().get, RetryPolicy(timeout=5), only=["many-failures", "status-400"])
    return [(found.code, found.scenario) for found in verdict]


@pytest.mark.parametrize("make", [KeepsErrors, KeepsErrorResponses, KeepsErrorValues])
def test_an_error_that_is_kept_for_ever(make: type[Kept]) -> None:
    """It ends the battery, for nothing else can be tried any more."""
    assert judged(make) == [("error-cached", "many-failures")]


def test_a_breaker_that_never_closes() -> None:
    """Claimed or not: a year is too long."""
    assert judged(NeverCloses) == [("breaker-never-half-opens", "many-failures")]


def test_a_client_that_fails_for_another_reason() -> None:
    """It may be of what was done to it: nothing is said of its memory."""
    codes = [code for code, _ in judged(IsBroken)]

    assert not {"error-cached", "breaker-never-half-opens"} & set(codes)


class Hangs(Kept):
    def get(self, url: str) -> Any:
        if self.kept:
            threading.Event().wait()
        self.kept[url] = requests.get(url, timeout=5)
        self.kept.pop(url) if self.kept[url].ok else None
        return get(url)


def test_a_client_that_hangs_ever_after() -> None:
    """Each of its calls gets a worker of its own, so that no answer is taken for another's."""
    verdict = verify(Hangs().get, RetryPolicy(timeout=5), only="status-400")

    assert {found.code for found in verdict} == {"call-never-returned"}


def test_a_breaker_that_is_open_for_hours() -> None:
    """All rests between scenarios are as long as it needs."""
    assert judged(OpenForHours) == []


def test_a_cache_of_everything_for_ever() -> None:
    """Errors too, which shows under another name of the same server."""

    def by_name(*, url: str) -> Any:
        return cache.get(url)

    cache = KeepsResponses()

    assert verify(cache.get).codes == ["cache-without-expiry", "error-cached"]
    assert verify(by_name).codes == ["cache-without-expiry", "error-cached"]
    with FakeServer() as server:
        without = verify(lambda: cache.get(server.url), server=server)
    assert without.codes == ["cache-without-expiry"]  # It goes by one name.
