"""Virtual time beside real time, and beside ``sleep`` patched by hand."""

from __future__ import annotations

import http.client
import importlib
import pkgutil
import random
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable
from unittest import mock

import requests
from rounds import Figure, Goal, compare
from servers import app

from pytest_resilience import FakeServer, RealClock, VirtualClock, faults

REAL = RealClock()


def ride(session: requests.Session, url: str) -> None:
    """A client with 30 s timeouts and waits of 1, 2, 4 s."""
    for delay in (1, 2, 4, None):
        try:
            if session.get(url, timeout=30).ok:
                return
        except requests.RequestException:
            if delay is None:
                raise
        time.sleep(delay or 0)


def virtual(server: FakeServer, fault: object, wanted: list[float]) -> float:
    """Real milliseconds of three faults and their waits in virtual time, clock included."""
    with requests.Session() as session:
        session.trust_env = False
        server.start_over()
        server.fail(fault, times=3)  # type: ignore[arg-type]  # an int or a fault
        started = REAL.monotonic()
        with VirtualClock():
            ride(session, server.url)
        took = (REAL.monotonic() - started) * 1000
    if server.trace.times != wanted:
        raise SystemExit(f"not exact: {server.trace.times}, wanted {wanted}")
    return took


def patched(server: FakeServer) -> float:
    """The same three 503s with sleep patched by hand; it cannot do the timeouts."""
    with requests.Session() as session, mock.patch("time.sleep"):
        session.trust_env = False
        server.start_over()
        server.fail(503, times=3)
        started = REAL.monotonic()
        ride(session, server.url)
        return (REAL.monotonic() - started) * 1000


def real(server: FakeServer) -> float:
    """And as it is, seven seconds long."""
    with requests.Session() as session:
        session.trust_env = False
        server.start_over()
        server.fail(503, times=3)
        started = REAL.monotonic()
        ride(session, server.url)
        return (REAL.monotonic() - started) * 1000


def switch() -> float:
    """Milliseconds to switch the clock on and off."""
    started = REAL.monotonic()
    with VirtualClock():
        pass
    return (REAL.monotonic() - started) * 1000


def load_modules(count: int) -> int:
    """Import modules of the standard library until so many are loaded."""
    for module in pkgutil.iter_modules():
        if len(sys.modules) >= count:
            break
        if module.name.startswith(
            ("_", "test", "idle", "turtle", "antigravity", "this", "lib2to3")
        ):
            continue
        if module.name in sys.stdlib_module_names:
            try:
                importlib.import_module(module.name)
            except Exception:  # noqa: BLE001, S112 -- not on this platform
                continue
    return len(sys.modules)


def client(host: str, port: int, number: int) -> None:
    """One of many: tries until it gets its answer, with jittered exponential backoff."""
    rng, delay = random.Random(number), 1.0
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", f"/{number}")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(delay * rng.uniform(0.5, 1))
        delay *= 2


def crowd(count: int) -> tuple[float, list[tuple[str, int]]]:
    """Real seconds of a 60 s outage for so many threads, and the trace."""
    with FakeServer(app, blocking=False) as server:
        server.fail(503, between=(0, 60))
        started = REAL.monotonic()
        with VirtualClock():
            threads = [
                threading.Thread(target=client, args=(server.host, server.port, number))
                for number in range(count)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        took = REAL.monotonic() - started
        return took, [(attempt.target, attempt.started_ns) for attempt in server.trace]


def _growth(*, quick: bool) -> list[Figure]:
    figures = []
    sizes = (10, 100) if quick else (10, 100, 1000)
    first, _ = crowd(sizes[0])
    for size in sizes[1:]:
        took, trace = crowd(size)
        _, again = crowd(size)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        same = "same trace twice" if trace == again else "TRACES DIFFER"
        each = (took / size) / (first / sizes[0])
        name = f"{size} clients through a 60 s outage, {len(trace)} attempts"
        against = f"{sizes[0]} clients; per client; peak {peak} MiB; {same}"
        figures.append(Figure(name, took, first, "s", against, each, "<= 3x a client", each <= 3))
    return figures


def measure(*, quick: bool) -> list[Figure]:
    """Every figure of the clock."""
    rounds = 5 if quick else 15
    with FakeServer(app, blocking=False) as server:
        seven: Callable[[], float] = lambda: virtual(server, 503, [0, 1, 3, 7])  # noqa: E731
        ninety: Callable[[], float] = lambda: virtual(server, faults.timeout(), [0, 31, 63, 97])  # noqa: E731
        figures = [
            compare(
                "7 s of backoff, virtual",
                seven,
                lambda: patched(server),
                unit="ms",
                against="sleep patched by hand",
                goal=Goal(most=5, absolute=True),
                rounds=rounds,
            ),
            compare(
                "97 s of timeouts and backoff, virtual",
                ninety,
                lambda: patched(server),
                unit="ms",
                against="7 s with sleep patched by hand",
                goal=Goal(most=10, absolute=True),
                rounds=rounds,
            ),
        ]
        mine = statistics.median(seven() for _ in range(rounds))
        waited = real(server)
        figures.append(
            Figure(
                "7 s of backoff, real time",
                waited,
                mine,
                "ms",
                "virtual time",
                waited / mine,
                ">= 1400x",
                waited / mine >= 1400,
            )
        )
        loaded = load_modules(600)
        figures.append(
            compare(
                f"clock on and off, {loaded} modules loaded",
                switch,
                seven,
                unit="ms",
                against="the 7 s above",
                goal=Goal(most=1, absolute=True),
                rounds=rounds,
            )
        )
    return figures + _growth(quick=quick)
