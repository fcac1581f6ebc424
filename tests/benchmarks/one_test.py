"""What a test costs that plans one answer and makes one request, fixtures included.

Four kinds of tests run in turn in one session of pytest, blocks of each: an empty one, one with
a server of its own, one with a server that all tests share, and our peer's, whose server all
tests share. A first test uses all of them, so that what is loaded and started once a session is
in none of the others.
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

@pytest.fixture(scope="session")
def shared(fake_server_session):
    return fake_server_session()

def test_all_is_loaded(fake_server, shared, httpserver):
    fake_server()

often = pytest.mark.parametrize("n", range({COUNT}))

@often
def test_empty(n):
    pass

@often
def test_own(n, fake_server):
    server = fake_server()
    server.fail(503)
    assert get(server.host, server.port) == 503

@often
def test_shared(n, shared):
    shared.fail(503)
    assert get(shared.host, shared.port) == 503

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


def _session(folder: Path) -> dict[str, float]:
    """Milliseconds of each kind of test, in the middle, less those of an empty one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    took = json.loads((folder / "took.json").read_text())
    return {name: took[name] - took["test_empty"] for name in took}


def measure(*, quick: bool) -> list[Figure]:
    """The medians of so many sessions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text(TESTS)
        (folder / "conftest.py").write_text(CONFTEST)
        sessions = [_session(folder) for _ in range(3 if quick else 9)]
    return [
        _figure("a test: one answer planned, one request", "test_own", sessions),
        _figure("a test, one server for all, as theirs is", "test_shared", sessions),
    ]


def _figure(name: str, kind: str, sessions: list[dict[str, float]]) -> Figure:
    ratio = statistics.median(took[kind] / took["test_theirs"] for took in sessions)
    goal = Goal(most=0.8)
    return Figure(
        name,
        statistics.median(took[kind] for took in sessions),
        statistics.median(took["test_theirs"] for took in sessions),
        "ms",
        "pytest-httpserver",
        ratio,
        goal.text("ms"),
        goal.met(ratio),
    )
