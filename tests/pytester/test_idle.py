"""What the plugin costs those who have it installed and do not use it."""

import pytest

WRITES_MODULES = """
import atexit
import sys
from pathlib import Path

def test_one():
    pass

@pytest.fixture
def fake_thing_of_mine():
    return 1

def test_two(fake_thing_of_mine):
    assert fake_thing_of_mine == 1

def test_fails():
    assert [1] == [2]

atexit.register(lambda: Path("modules.txt").write_text("\\n".join(sorted(sys.modules))))
"""


def modules(acme: pytest.Pytester, *arguments: str) -> set[str]:
    """The modules that a session has loaded in the end."""
    code = WRITES_MODULES.replace("@pytest", "import pytest\n\n@pytest", 1)
    acme.path.joinpath("test_idle.py").write_text(code)
    result = acme.runpytest_subprocess(*arguments, "test_idle.py")
    result.assert_outcomes(passed=2, failed=1)
    return set(acme.path.joinpath("modules.txt").read_text().split())


def test_an_idle_run_loads_next_to_nothing(acme: pytest.Pytester) -> None:
    """A run that uses no fixture of ours loads a handful of small modules of ours, and no other."""
    without = modules(acme)
    with_us = modules(acme, "-p", "resilience")

    assert with_us - without == {
        "pytest_resilience",
        "pytest_resilience.plugin",
        "pytest_resilience.reporting",
        "pytest_resilience.reporting.options",
    }


def test_an_idle_run_loads_nothing_heavy(acme: pytest.Pytester) -> None:
    """None of what servers need is there, whoever would have loaded it."""
    heavy = {"werkzeug", "h11", "asyncio", "requests", "structlog", "ssl", "http.client"}

    assert modules(acme, "-p", "resilience") & heavy == set()


def test_an_idle_run_reads_no_entry_points(acme: pytest.Pytester) -> None:
    """Looking through all distributions is left to runs that ask for a fixture nobody has."""
    acme.makeconftest("""
        from importlib import metadata

        def refuse(**arguments):
            raise AssertionError("entry points were read")

        metadata.entry_points = refuse
    """)
    acme.makepyfile("def test_it(fake_server):\n    pass\n")

    acme.runpytest_subprocess("-p", "resilience").assert_outcomes(passed=1)


def test_it_can_be_switched_off(acme: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-p no:resilience` takes it out, fixtures and all."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    acme.makepyfile("def test_it(fake_server):\n    pass\n")

    result = acme.runpytest_subprocess("-p", "no:resilience", "-p", "no:hypothesispytest")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E * fixture 'fake_server' not found"])
