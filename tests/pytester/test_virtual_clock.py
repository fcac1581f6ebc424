"""Virtual time in whole pytest sessions: the fixture, the marker, the ini line, the report."""

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

CLIENT = """
import time, urllib.error, urllib.request

def fetch(url, waits=(1, 2, 4)):
    for wait in (*waits, None):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            if wait is None:
                raise
            time.sleep(wait)
"""


def test_the_fixture_makes_waits_exact(session: Session) -> None:
    """Seven seconds of backoff pass at once, and compare with ==."""
    result = session(
        f"""{CLIENT}
def test_it(fake_server, virtual_clock):
    server = fake_server()
    server.fail(503, times=3)
    assert fetch(server.url) == 200
    assert server.trace.waits == [1, 2, 4]
    assert server.trace.times == [0, 1, 3, 7]
    assert virtual_clock.now == 7
"""
    )

    result.assert_outcomes(passed=1)


def test_the_order_of_the_fixtures_does_not_matter(session: Session) -> None:
    """A server from before the clock counts its times from the clock's start as well."""
    result = session(
        f"""{CLIENT}
def test_it(virtual_clock, fake_server):
    virtual_clock.advance(5)
    server = fake_server()
    server.fail(503)
    fetch(server.url)
    assert server.trace.times == [0, 1]
    assert virtual_clock.now == 6
"""
    )

    result.assert_outcomes(passed=1)


def test_a_marker_puts_a_class_into_virtual_time(session: Session) -> None:
    """No test of the class names the fixture; the test beside the class keeps real time."""
    result = session(
        """
import time, pytest
real = time.sleep

@pytest.mark.resilience(virtual_clock=True)
class TestIt:
    def test_one(self):
        before = time.monotonic()
        time.sleep(3600)
        assert time.monotonic() - before == 3600

    @pytest.mark.resilience(virtual_clock=False)
    def test_real(self):
        assert time.sleep.__module__ == "time"

def test_beside():
    assert time.sleep.__module__ == "time"
"""
    )

    result.assert_outcomes(passed=3)


def test_a_marked_class_whose_tests_name_the_fixture(session: Session) -> None:
    """Its setup_method and teardown_method are in virtual time all the same."""
    result = session(
        """
import time

import pytest


@pytest.mark.resilience(virtual_clock=True)
class TestClient:
    def setup_method(self):
        time.sleep(1000)

    def teardown_method(self):
        time.sleep(1000)

    @pytest.mark.parametrize("seconds", [1, 2])
    def test_it(self, seconds, virtual_clock):
        time.sleep(seconds)
        assert virtual_clock.now == 1000 + seconds
"""
    )

    result.assert_outcomes(passed=2)


def test_a_parameter_of_its_own_time(session: Session) -> None:
    """A parameter's marker speaks for it alone, and comes before the function's."""
    result = session(
        """
import time, pytest

def marked(on):
    return pytest.mark.resilience(virtual_clock=on)

@pytest.mark.parametrize("real", [True, pytest.param(False, marks=marked(True)), True])
def test_one_virtual(real):
    assert (time.sleep.__module__ == "time") is real

@marked(True)
@pytest.mark.parametrize("real", [False, pytest.param(True, marks=marked(False)), False])
def test_one_real(real):
    assert (time.sleep.__module__ == "time") is real
"""
    )

    result.assert_outcomes(passed=6)


def test_a_marker_that_a_hook_adds(session: Session) -> None:
    """What a conftest.py says of the tests that were collected counts as well."""
    result = session(
        """
import time

def test_virtual():
    assert time.sleep.__module__ != "time"
""",
        conftest="""
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.resilience(virtual_clock=True))
        """,
    )

    result.assert_outcomes(passed=1)


def test_a_line_in_the_ini_puts_a_whole_suite_into_virtual_time(
    session: Session, pytester: pytest.Pytester
) -> None:
    """And a marker takes a test out of it."""
    pytester.makeini("[pytest]\nresilience_virtual_clock = true\n")
    result = session(
        """
import time, pytest

def test_virtual():
    before = time.time()
    time.sleep(3600)
    assert time.time() - before == 3600

@pytest.mark.resilience(virtual_clock=False)
def test_real():
    assert time.sleep.__module__ == "time"
"""
    )

    result.assert_outcomes(passed=2)


def test_a_failure_says_where_virtual_time_stood(session: Session) -> None:
    """The report of a failed test has the clock beside the trace."""
    result = session(
        """
import time

def test_it(virtual_clock):
    time.sleep(12.5)
    raise AssertionError("as planned")
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*virtual clock (call)*", "t=12.500 virtual seconds*"])


@pytest.mark.parametrize("end", ["pass", "assert 0", "raise KeyboardInterrupt", "raise SystemExit"])
def test_nothing_stays_replaced(session: Session, end: str) -> None:
    """Whatever way a test in virtual time ends, time is real in the next one."""
    result = session(
        f"""
import datetime, socket, threading, time
REAL = (time.sleep, time.monotonic, threading.Lock, socket.socket.recv, datetime.datetime.now)

def test_it(virtual_clock):
    time.sleep(1)
    {end}

def test_after():
    now = (time.sleep, time.monotonic, threading.Lock, socket.socket.recv, datetime.datetime.now)
    assert now == REAL

def teardown_module():
    now = (time.sleep, time.monotonic, threading.Lock, socket.socket.recv, datetime.datetime.now)
    print("as it was:", now == REAL)
""",
        "-s",
        apart=True,
    )

    result.stdout.fnmatch_lines(["*as it was: True*"])


def test_a_test_that_cannot_go_on_fails_with_a_picture(session: Session) -> None:
    """A hang without a timeout ends, and the message says who waits for what."""
    result = session(
        """
import socket
from pytest_resilience import faults, VirtualClock

def test_it(fake_server):
    server = fake_server()
    server.fail(faults.timeout())
    with VirtualClock(patience=0.2):
        with socket.create_connection((server.host, server.port)) as client:
            client.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            client.recv(1)
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *ClockError: nothing has moved for 0.2 real seconds*", "E *'MainThread' waits for *"]
    )


@pytest.mark.parametrize(
    "stuck",
    [
        "threading.Event().wait()",
        "queue.Queue().get()",
        "select.select([], [], [])",
        "VirtualClock().advance(1)",
        "VirtualClock().__enter__()",
    ],
)
def test_a_failure_shows_no_line_of_the_clock_s(session: Session, stuck: str) -> None:
    """Whose test cannot go on wants to see his own lines."""
    result = session(
        f"""
import queue, select, threading
from pytest_resilience import VirtualClock

def test_it():
    with VirtualClock(patience=0.2):
        {stuck}
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ClockError: *"])
    assert [line for line in result.outlines if "pytest_resilience/" in line] == []


def test_durations_of_pytest_stay_real(session: Session) -> None:
    """An hour of virtual time is no hour for --durations."""
    result = session(
        "import time\ndef test_it(virtual_clock):\n    time.sleep(3600)\n",
        "--durations=1",
        "--durations-min=100",
        "-vv",
    )

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("3600*")


def test_workers_of_xdist_have_their_own_virtual_time(session: Session) -> None:
    """Exact in each of two processes."""
    result = session(
        """
import time, pytest

@pytest.mark.parametrize("seconds", [1, 2, 3, 4])
def test_it(virtual_clock, seconds):
    time.sleep(seconds)
    assert virtual_clock.now == seconds
""",
        "-p",
        "xdist",
        "-n2",
        apart=True,
    )

    result.assert_outcomes(passed=4)
