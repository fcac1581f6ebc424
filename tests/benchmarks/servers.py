"""Starting, stopping and answering, beside pytest-httpserver and a bare asyncio and h11 server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import h11
import requests
from pytest_httpserver import HTTPServer
from rounds import Figure, Goal, compare

from pytest_resilience import Fake, FakeServer, route

BODY = b'{"hello": "world"}'
PHS = "pytest-httpserver"

logging.getLogger("werkzeug").setLevel(
    logging.ERROR
)  # Its line a request costs time, ours has none.


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """What a bare server answers."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [BODY]


class Hello(Fake):
    """The same through routing and werkzeug, as a fake answers."""

    @route("GET", "/x")
    def get(self, request: object) -> object:
        """Say hello."""
        return {"hello": "world"}


@contextlib.contextmanager
def httpserver() -> Iterator[str]:
    """pytest-httpserver with one route; the URL of that route."""
    with HTTPServer() as server:
        server.expect_request("/x").respond_with_data(BODY, content_type="application/json")
        yield server.url_for("/x")


@contextlib.contextmanager
def bare() -> Iterator[str]:
    """Asyncio and h11 with nothing on top, on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    coroutine = _serve(loop)
    server = asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(loop: asyncio.AbstractEventLoop) -> asyncio.Server:
    return await loop.create_server(_Protocol, "127.0.0.1", 0)


class _Protocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = h11.Connection(h11.SERVER)

    def data_received(self, data: bytes) -> None:
        self.parser.receive_data(data)
        while True:
            event = self.parser.next_event()
            if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
                return
            if isinstance(event, h11.EndOfMessage):
                self._answer()

    def _answer(self) -> None:
        fields = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
        out = self.parser.send(h11.Response(status_code=200, headers=fields)) or b""
        out += self.parser.send(h11.Data(data=BODY)) or b""
        self.transport.write(out + (self.parser.send(h11.EndOfMessage()) or b""))  # type: ignore[attr-defined]  # a transport that writes
        self.parser.start_next_cycle()


def rate(url: str, count: int) -> float:
    """Requests a second through one session."""
    with requests.Session() as session:
        session.trust_env = False
        session.get(url)
        started = time.perf_counter()
        for _ in range(count):
            session.get(url)
        return count / (time.perf_counter() - started)


def threaded_rate(url: str, threads: int, each: int) -> tuple[float, float]:
    """Requests a second of many threads, each with a session, and the slowest in seconds."""
    slowest: list[float] = []

    def work() -> None:
        with requests.Session() as session:
            session.trust_env = False
            times = []
            for _ in range(each):
                before = time.perf_counter()
                session.get(url)
                times.append(time.perf_counter() - before)
            slowest.append(max(times))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return threads * each / (time.perf_counter() - started), max(slowest)


def start_answer(make: Callable[[], contextlib.AbstractContextManager[str]]) -> float:
    """Milliseconds from nothing to the first answer."""
    import http.client

    started = time.perf_counter()
    with make() as url:
        host, _, _ = url.removeprefix("http://").partition("/")
        client = http.client.HTTPConnection(host)
        client.request("GET", "/x")
        client.getresponse().read()
        took = (time.perf_counter() - started) * 1000
        client.close()
    return took


def stop(make: Callable[[], contextlib.AbstractContextManager[str]]) -> float:
    """Milliseconds to stop after a moment of idleness."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(make())
        time.sleep(0.02)
        started = time.perf_counter()
        stack.close()
        return (time.perf_counter() - started) * 1000


@contextlib.contextmanager
def ours() -> Iterator[str]:
    """Our server, with its engine started and ended."""
    with FakeServer(app, blocking=False) as server:
        yield f"{server.url}/x"


def measure(*, quick: bool) -> list[Figure]:
    """Every figure of the server."""
    count = 200 if quick else 500
    rounds = 9 if quick else 15
    figures = [
        compare(
            "start and first answer",
            lambda: start_answer(ours),
            lambda: start_answer(httpserver),
            unit="ms",
            against=PHS,
            goal=Goal(most=2, round=min),
            rounds=rounds,
        ),
        compare(
            "stop",
            lambda: stop(ours),
            lambda: stop(httpserver),
            unit="ms",
            against=PHS,
            goal=Goal(most=5, round=min),
            rounds=3,
        ),
    ]
    with ours() as mine, httpserver() as theirs, bare() as limit, Hello() as hello:
        fake = f"{hello.url}/x"
        figures += [
            compare(
                "one session, any WSGI app",
                lambda: rate(mine, count),
                lambda: rate(theirs, count),
                unit="req/s",
                against=PHS,
                goal=Goal(least=1.5),
                rounds=rounds,
            ),
            compare(
                "one session, a Fake with routes",
                lambda: rate(fake, count),
                lambda: rate(theirs, count),
                unit="req/s",
                against=PHS,
                goal=Goal(),
                rounds=rounds,
            ),
            compare(
                "one session, any WSGI app",
                lambda: rate(mine, count),
                lambda: rate(limit, count),
                unit="req/s",
                against="bare asyncio and h11",
                goal=Goal(),
                rounds=rounds,
            ),
            compare(
                "32 threads",
                lambda: threaded_rate(mine, 32, 30)[0],
                lambda: threaded_rate(theirs, 32, 30)[0],
                unit="req/s",
                against=PHS,
                goal=Goal(least=1.3),
                rounds=rounds,
            ),
            compare(
                "32 threads, slowest request",
                lambda: threaded_rate(mine, 32, 30)[1],
                lambda: threaded_rate(theirs, 32, 30)[1],
                unit="s",
                against=PHS,
                goal=Goal(most=0.9, round=max),
                rounds=rounds,
            ),
        ]
    return figures
