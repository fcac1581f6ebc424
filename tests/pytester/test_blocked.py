"""A handler that blocks the server's own thread: the test is told, and the next one is served."""

import sys
from textwrap import dedent

import pytest

from pytest_resilience.clock import kernel
from pytest_resilience.engine import _watchdog
from pytest_resilience.engine._loop import Loop
from tests.pytester.conftest import Session

pytestmark = pytest.mark.skipif(
    not kernel.HAS_PROC, reason="the kernel does not tell whether a thread sleeps"
)

BLOCKS = """
import threading

go = threading.Event()
blocked = []

class Waits(dict):
    def get(self, key):
        blocked.append(threading.current_thread())
        entered.set()
        go.wait()  # Here it is.

entered = threading.Event()

def block(fake):
    fake.issues = Waits()
    threading.Thread(target=get, daemon=True).start()
    entered.wait()

@pytest.fixture(scope="session", autouse=True)
def lets_go():
    yield
    go.set()
    blocked[0].join()
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_watchdog, "PATIENCE_NS", 300_000_000)
    monkeypatch.setattr(sys.modules[Loop.__module__], "LOOK", 0.05)


def test_a_shared_fake_is_started_anew(session: Session) -> None:
    """The test that has blocked it fails; those after it are served."""
    tests = """
        def test_first(fake_github_session):
            block(fake_github_session)

        def test_second(fake_github_session):
            assert fake_github_session.trace.statuses == []
            fake_github_session.issues = {}
            assert get() == 404
        """
    result = session(BLOCKS + dedent(tests))

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ServerError: *own thread has been blocked *Here it is*"])


def test_a_failure_says_so_too(session: Session) -> None:
    """Where its report shows the trace; and nothing there waits for a lock of the handler's."""
    tests = """
        def test_first(fake_github):
            block(fake_github)
            assert not "reached"

        def test_second(fake_github):
            assert get() == 404
        """
    result = session(BLOCKS + dedent(tests))

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*trace of fake_github (call)*", "*own thread has been blocked *", "  1 *GET*still open*"]
    )
