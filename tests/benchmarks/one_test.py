"""What a test costs that plans one answer and makes one request, fixtures included.

Three kinds of tests run in turn in one session of pytest, blocks of each: an empty one, ours
and our peer's. A first test uses both servers, so that what is loaded and started once a session
is in none of them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rounds import Figure, Goal

COUNT, BLOCK = 600, 25
TESTS = f"""
import http.client, pytest

def get(host, port):
    client = http.client.HTTPConnection(host, port)
    client.request("GET", "/x")
    status = client.getresponse().status
    client.close()
    return status

def test_all_is_loaded(fake_server, httpserver):
    fake_server()

often = pytest.mark.parametrize("n", range({COUNT}))

@often
def test_empty(n):
    pass

@often
def test_ours(n, fake_server):
    server = fake_server()
    server.fail(503)
    assert get(server.host, server.port) == 503

@often
def test_theirs(n, httpserver):
    httpserver.expect_request("/x").respond_with_data(b"{{}}", status=503)
    assert get(httpserver.host, httpserver.port) == 503
"""
CONFTEST = f"""
import collections, json, pathlib, statistics, time
import pytest

TOOK = collections.defaultdict(list)

def pytest_collection_modifyitems(items):
    kinds = collections.defaultdict(list)
    for item in items:
        kinds[item.originalname].append(item)
    items[:] = kinds.pop("test_all_is_loaded")
    for start in range(0, {COUNT}, {BLOCK}):
        for kind in kinds.values():
            items.extend(kind[start : start + {BLOCK}])

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    started = time.perf_counter()
    try:
        return (yield)
    finally:
        TOOK[item.originalname].append(time.perf_counter() - started)

def pytest_unconfigure():
    medians = {{name: statistics.median(took) * 1000 for name, took in TOOK.items()}}
    pathlib.Path(__file__).with_name("took.json").write_text(json.dumps(medians))
"""


def _session(folder: Path) -> tuple[float, float]:
    """Milliseconds of our test and of theirs, in the middle, less those of an empty one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    took = json.loads((folder / "took.json").read_text())
    return took["test_ours"] - took["test_empty"], took["test_theirs"] - took["test_empty"]


def measure(*, quick: bool) -> list[Figure]:
    """The medians of so many sessions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text(TESTS)
        (folder / "conftest.py").write_text(CONFTEST)
        pairs = [_session(folder) for _ in range(3 if quick else 9)]
    ratio = statistics.median(mine / peer for mine, peer in pairs)
    goal = Goal(most=0.8)
    return [
        Figure(
            "a test: one answer planned, one request",
            statistics.median(mine for mine, _ in pairs),
            statistics.median(peer for _, peer in pairs),
            "ms",
            "pytest-httpserver",
            ratio,
            goal.text("ms"),
            goal.met(ratio),
        )
    ]
