"""Bytes that an entry of the trace takes."""

from __future__ import annotations

import gc
import http.client
import tracemalloc
from urllib.parse import urlsplit

import servers
from pytest_httpserver import HTTPServer
from rounds import Figure, Goal, compare

from pytest_resilience import FakeServer

FIELDS = {
    "User-Agent": "python-requests/2.34.2",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}


def _bytes_each(url: str, count: int) -> float:
    parts = urlsplit(url)

    def send(number: int) -> None:
        client = http.client.HTTPConnection(parts.hostname or "", parts.port)
        for _ in range(number):
            client.request("GET", parts.path, headers=FIELDS)
            client.getresponse().read()
        client.close()

    send(50)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    send(count)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / count


def measure(*, quick: bool) -> list[Figure]:
    """Bytes an entry of a small GET."""
    count = 300 if quick else 1000

    def ours() -> float:
        with FakeServer(servers.app, blocking=False) as server:
            return _bytes_each(f"{server.url}/x", count)

    def theirs() -> float:
        with HTTPServer() as server:
            server.expect_request("/x").respond_with_data(servers.BODY)
            return _bytes_each(server.url_for("/x"), count)

    return [
        compare(
            "an entry of the trace",
            ours,
            theirs,
            unit="bytes",
            against=servers.PHS,
            goal=Goal(most=0.35),
            rounds=3,
        )
    ]
