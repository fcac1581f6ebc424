"""Virtual time beside real time, and beside ``sleep`` patched by hand."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import importlib
import json
import pkgutil
import random
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
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


async def task(host: str, port: int, number: int) -> None:
    """The same as a task, on the bare streams of asyncio."""
    rng, delay = random.Random(number), 1.0
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    if b" 200 " in await reader.readline():
                        return
                finally:
                    writer.close()
        await asyncio.sleep(delay * rng.uniform(0.5, 1))
        delay *= 2


def in_threads(server: FakeServer, count: int) -> None:
    """So many clients, a thread each."""
    threads = [
        threading.Thread(target=client, args=(server.host, server.port, number))
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_tasks(server: FakeServer, count: int) -> None:
    """So many clients, a task each."""

    async def main() -> None:
        await asyncio.gather(*(task(server.host, server.port, n) for n in range(count)))

    asyncio.run(main())


KINDS = {"threads": in_threads, "tasks": in_tasks}
SIZES, LARGE = (10, 100, 1000), 5000
"""Crowds; the large one takes a minute or so, once."""
LONGEST = 180
"""Real seconds that a crowd may take."""


def let_many_connect() -> None:
    """Raise the limit of descriptors as far as it goes: each client's connection takes two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def crowd(kind: str, count: int) -> dict[str, object]:
    """A 60 s outage for so many clients: real seconds, memory, and the order of their attempts."""
    let_many_connect()
    with FakeServer(app, blocking=False) as server:
        server.fail(503, between=(0, 60))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = REAL.monotonic()
        with VirtualClock() as clock:
            KINDS[kind](server, count)
        took = REAL.monotonic() - started
        order = repr([(attempt.target, attempt.started_ns) for attempt in server.trace])
        return {
            "seconds": took,
            "mebibytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
            "attempts": len(server.trace),
            "order": hashlib.sha256(order.encode()).hexdigest(),
            "reports": clock.reports,
        }


def crowd_in_a_process(kind: str, count: int) -> dict[str, Any]:
    """The same in a process of its own, whose memory is that of this crowd alone."""
    command = [sys.executable, __file__, kind, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _growth(*, quick: bool) -> list[Figure]:
    return [figure for kind in KINDS for figure in _growth_of(kind, quick=quick)]


def _growth_of(kind: str, *, quick: bool) -> list[Figure]:
    first, *sizes = SIZES
    base = crowd_in_a_process(kind, first)["seconds"] / first
    figures = [_grown(kind, size, first, base) for size in sizes]
    if not quick:
        figures.append(_grown(kind, LARGE, first, base))
    return figures


def _grown(kind: str, size: int, first: int, base: float) -> Figure:
    """So many clients beside the first few, by the client; played again for the order."""
    name = f"{size} {kind} through a 60 s outage"
    goal = "<= 3x a client"
    try:
        one = crowd_in_a_process(kind, size)
        again = one if size == LARGE else crowd_in_a_process(kind, size)
    except subprocess.TimeoutExpired:
        return Figure(
            name, LONGEST, base * first, "s", "given up", float("inf"), goal, reached=False
        )
    order = "same order twice" if one["order"] == again["order"] else "ORDERS DIFFER"
    said = [f"{one['attempts']} attempts", f"+{one['mebibytes']:.0f} MiB"]
    said += [order] if again is not one else []
    ratio = one["seconds"] / size / base
    return Figure(
        name,
        one["seconds"],
        base * first,
        "s",
        f"{first} {kind}; per client; {'; '.join([*said, *one['reports']])}",
        ratio,
        goal,
        ratio <= 3 and one["order"] == again["order"],
    )


def measure(*, quick: bool) -> list[Figure]:
    """Every figure of the clock."""
    rounds = 40 if quick else 100  # Of some milliseconds each.
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
                goal=Goal(most=5, round=min),
                rounds=rounds,
            ),
            compare(
                "97 s of timeouts and backoff, virtual",
                ninety,
                lambda: patched(server),
                unit="ms",
                against="7 s with sleep patched by hand",
                goal=Goal(most=10, round=min),
                rounds=rounds,
            ),
        ]
        mine = figures[0].ours  # The best of them, as above.
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
                goal=Goal(most=1, round=min),
                rounds=rounds,
            )
        )
    return figures + _growth(quick=quick)


if __name__ == "__main__":
    print(json.dumps(crowd(sys.argv[1], int(sys.argv[2]))))
