"""The plugin among others: workers, orders, import modes, unittest, async, interruptions."""

import sys
from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

SUITE = """
SEEN = []

@pytest.mark.parametrize("n", range(3))
def test_each(fake_github, n):
    fake_github.fail(503)
    assert [get(), get()] == [503, 404]
    assert fake_github.trace.statuses == [503, 404]

def test_shared(fake_github_session):
    assert get() == 404
    assert len(fake_github_session.trace) == 1

def test_shared_again(fake_github_session):
    assert get() == 404
    assert len(fake_github_session.trace) == 1

def test_app(fake_server):
    assert get("/", fake_server(app).url) == 200

def test_none():
    assert "GITHUB_URL" not in os.environ
"""


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_import_modes(session: Session, mode: str) -> None:
    """All of pytest's import modes."""
    session(SUITE, f"--import-mode={mode}", apart=True).assert_outcomes(passed=7)


def test_xdist(session: Session) -> None:
    """Each worker has an engine and servers of its own."""
    session(SUITE, "-p", "xdist", "-n2", apart=True).assert_outcomes(passed=7)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_order(session: Session, seed: int) -> None:
    """Tests in any order."""
    result = session(
        SUITE,
        conftest=f"""
        import random

        def pytest_collection_modifyitems(items):
            random.Random({seed}).shuffle(items)
        """,
    )

    result.assert_outcomes(passed=7)


def test_optimized_python(acme: pytest.Pytester, session: Session) -> None:
    """Under `python -O` the plain assertions are gone, the judgement is not."""
    session("", "--collect-only")
    acme.path.joinpath("test_it.py").write_text(
        "from client import get\n\ndef test_it(fake_github):\n    get('/nowhere')\n"
    )

    result = acme.run(sys.executable, "-O", "-m", "pytest", "-p", "resilience", "test_it.py")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["fake_github: no route matched GET /nowhere (attempt 1); *"])


def test_no_assertion_plugin(session: Session) -> None:
    """Without pytest's assertion plugin everything else works."""
    session(SUITE, "-p", "no:assertion", apart=True).assert_outcomes(passed=7)


def test_unittest(session: Session) -> None:
    """A `unittest.TestCase` uses the fixtures, fails with the trace, and is judged."""
    result = session("""
        import unittest

        @pytest.mark.usefixtures("fake_github")
        class TestIt(unittest.TestCase):
            def test_fine(self):
                self.assertEqual(get(), 404)

            def test_failed(self):
                self.assertEqual(get(), 200)

            def test_judged(self):
                get("/nowhere")

            def test_skipped(self):
                get("/nowhere")
                self.skipTest("not today")

            @unittest.expectedFailure
            def test_expected(self):
                get("/nowhere")
                self.fail("known")
        """)

    result.assert_outcomes(passed=2, failed=1, errors=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*- trace of fake_github (call) -*", "  1  t=0.000  GET *  404"])


def test_async_unittest(session: Session) -> None:
    """An `IsolatedAsyncioTestCase` runs in virtual time as well, its set-up and end included."""
    result = session("""
        import asyncio
        import time
        import unittest

        @pytest.mark.resilience(virtual_clock=True)
        class TestIt(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def fakes(self, fake_github):
                self.server = fake_github

            def setUp(self):
                self.begun = time.monotonic()
                time.sleep(1_000)

            async def test_waits(self):
                self.server.fail(503)
                assert [await asyncio.to_thread(get) for _ in range(2)] == [503, 404]
                await asyncio.sleep(1_000)

            async def test_judged(self):
                await asyncio.to_thread(get, "/nowhere")

            def tearDown(self):
                time.sleep(1_000)
                assert time.monotonic() - self.begun in (2_000, 3_000)
        """)

    result.assert_outcomes(passed=2, errors=1)


@pytest.mark.parametrize("first", ["virtual_clock", "fake_server"])
def test_sockets_that_were_forbidden_at_first(session: Session, first: str) -> None:
    """A test that may open none, and is the first to load us, leaves nothing to those after it."""
    result = session(
        f"""
        import socket

        class Guarded(socket.socket):
            def __new__(cls, *arguments, **options):
                raise RuntimeError("no sockets in this test")

        @pytest.fixture
        def guarded(monkeypatch):
            monkeypatch.setattr(socket, "socket", Guarded)

        def test_guarded(guarded, {first}):
            pass

        def test_after(fake_github, virtual_clock):
            fake_github.fail("timeout")
            assert get() == "TimeoutError"
            assert get() == 404
            assert fake_github.trace.times == [0, 5]
        """,
        apart=True,
    )

    result.assert_outcomes(passed=2)


def test_a_client_in_another_process(session: Session) -> None:
    """The variables reach it, and the trace sees it."""
    result = session("""
        import subprocess
        import sys

        CODE = '''
        import os, urllib.request
        urllib.request.urlopen(os.environ["GITHUB_URL"] + "/repos/a/b/issues/1")
        '''

        def test_it(fake_github):
            fake_github.fail(503)
            run = subprocess.run(
                [sys.executable, "-c", CODE], capture_output=True, text=True, check=False
            )

            assert "HTTP Error 503" in run.stderr
            assert fake_github.trace.statuses == [503]
        """)

    result.assert_outcomes(passed=1)


def test_anyio(session: Session) -> None:
    """An async test uses the fixtures as they are: they are synchronous."""
    pytest.importorskip("anyio")

    result = session(
        """
        import anyio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_it(fake_github):
            fake_github.fail(503)
            seen = [await anyio.to_thread.run_sync(get) for _ in range(2)]
            assert seen == fake_github.trace.statuses == [503, 404]
        """,
        *("-p", "anyio"),
        apart=True,
    )

    result.assert_outcomes(passed=1)


@pytest.mark.skipif(pytest.version_tuple < (9, 0), reason="subtests came with pytest 9")
def test_subtests(session: Session) -> None:
    """A failed subtest shows the trace so far; the judgement is the whole test's."""
    result = session("""
        def test_it(fake_github, subtests):
            fake_github.fail(503, times=2)
            for wanted in (503, 200):
                with subtests.test(wanted=wanted):
                    assert get() == wanted
        """)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*- trace of fake_github (call) -*"])


def test_keyboard_interrupt(acme: pytest.Pytester, session: Session) -> None:
    """Ctrl-C in a test ends the run as ever: all put back, nothing judged, no thread left."""
    result = session(
        """
        def test_it(fake_github, fake_github_session):
            fake_github.fail(503)
            get("/nowhere")
            raise KeyboardInterrupt
        """,
        conftest="""
        import threading

        def pytest_unconfigure():
            assert "GITHUB_URL" not in os.environ
            names = [thread.name for thread in threading.enumerate()]
            print("threads:", [name for name in names if name.startswith("pytest-res")])
        """,
        apart=True,
    )

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*", "threads: []"])
    result.stdout.no_fnmatch_line("*no route matched*")


def test_reruns(session: Session) -> None:
    """A test that is run again gets a new server, a new trace and its variables again."""
    result = session(
        """
        RUNS = []

        def test_it(fake_github):
            RUNS.append(fake_github.url)
            assert os.environ["GITHUB_URL"] == fake_github.url
            assert get() == 404
            assert fake_github.trace.statuses == [404]
            assert len(RUNS) == 3
        """,
        conftest="""
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for run in range(3):
                item._initrequest()
                reports = runtestprotocol(item, nextitem=nextitem, log=False)
                if not any(report.failed for report in reports):
                    break
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
            return True
        """,
    )

    result.assert_outcomes(passed=1)


def test_exit_first(session: Session) -> None:
    """`-x` stops after a judgement, as after any error."""
    result = session(
        "def test_it(fake_github):\n    get('/nowhere')\n\ndef test_next():\n    pass\n", "-x"
    )

    result.assert_outcomes(passed=1, errors=1)


NESTED = """
import time

INNER = "import time\\ndef test_in(virtual_clock): time.sleep(5)"

def test_plugin(pytester{fixtures}):
    pytester.makepyfile(INNER)
    pytester.runpytest_inprocess("-p", "resilience").assert_outcomes(passed=1)

def test_next(virtual_clock{fixtures}):
    time.sleep(100)
    assert virtual_clock.now == 100
"""


@pytest.mark.parametrize("fixtures", ["", ", fake_server"])
def test_sessions_within(session: Session, fixtures: str) -> None:
    """Pytester forgets what a session within imports: what both use is imported before."""
    result = session(
        NESTED.format(fixtures=fixtures),
        *("-p", "pytester"),
        conftest="from pytest_resilience import FakeServer, VirtualClock\n",
        apart=True,
    )

    result.assert_outcomes(passed=2)
