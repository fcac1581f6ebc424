"""What a test costs that plans one answer and makes one request, fixtures included.

Each run begins with a test that uses both servers, so that what is loaded and started once a
run is in none of the differences.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import Figure, Goal

COUNT = 1000
HEAD = f"""
import http.client, pytest

def get(host, port):
    client = http.client.HTTPConnection(host, port)
    client.request("GET", "/x")
    status = client.getresponse().status
    client.close()
    return status

def test_all_is_loaded(fake_server, httpserver):
    fake_server()

@pytest.mark.parametrize("n", range({COUNT}))
"""
EMPTY = f"""{HEAD}
def test_it(n):
    pass
"""
OURS = f"""{HEAD}
def test_it(n, fake_server):
    server = fake_server()
    server.fail(503)
    assert get(server.host, server.port) == 503
"""
THEIRS = f"""{HEAD}
def test_it(n, httpserver):
    httpserver.expect_request("/x").respond_with_data(b"{{}}", status=503)
    assert get(httpserver.host, httpserver.port) == 503
"""


def _run(folder: str, text: str) -> float:
    Path(folder, "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder]
    started = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    return (time.perf_counter() - started) * 1000


def measure(*, quick: bool) -> list[Figure]:
    """Milliseconds a test, less those of an empty one; minima, since noise only adds."""
    rounds = 2 if quick else 6
    with tempfile.TemporaryDirectory() as folder:
        runs = [[_run(folder, text) for text in (EMPTY, OURS, THEIRS)] for _ in range(rounds)]
    empty, ours, theirs = (min(column) for column in zip(*runs, strict=True))
    mine, peer = (ours - empty) / COUNT, (theirs - empty) / COUNT
    goal = Goal(most=0.8)
    return [
        Figure(
            "a test: one answer planned, one request",
            mine,
            peer,
            "ms",
            "pytest-httpserver",
            mine / peer,
            goal.text("ms"),
            goal.met(mine / peer),
        )
    ]
