"""Dice with a constant seed: found in the client's own code, and nowhere else."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pytest_resilience import Backoff, RetryPolicy, verify
from pytest_resilience.judge.dice import Seed, Thrown, own_code, seeds_in

FULL = RetryPolicy(attempts=3, backoff=Backoff(1), jitter="full", statuses=[503])

CLIENT = """
import random
import time
from random import Random, SystemRandom, seed

import requests

{head}

def fetch(url, dice=None):
    dice = dice or {dice}
    for n in range(4):
        response = requests.get(url, timeout=5)
        if response.status_code != 503 or n == 3:
            break
        time.sleep(dice.uniform(0, 2**n))
    response.raise_for_status()
    return response.json()
"""

Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Imports a client that is written for the test, as if it stood in a project of its own."""
    state = random.getstate()
    monkeypatch.setattr("pytest_resilience.judge.dice._is_test", lambda file: "test_" in file[-12:])

    def load(head: str, dice: str = "DICE", name: str = "client") -> ModuleType:
        path = tmp_path / f"{name}.py"
        path.write_text(CLIENT.format(head=head, dice=dice))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    random.setstate(state)


@pytest.mark.parametrize(
    ("head", "dice", "said"),
    [
        ("DICE = random.Random(42)", "DICE", "client.py:8 seeds its dice with 42"),
        ("SEED = 'a'\nDICE = Random(SEED)", "DICE", "client.py:9 seeds its dice with 'a'"),
        ("DICE = Random()\nDICE.seed(3)", "DICE", "client.py:9 seeds its dice with 3"),
        ("random.seed(0)", "random", "client.py:8 seeds its dice with 0"),
        ("seed(b'x')", "random", "client.py:8 seeds its dice with b'x'"),
    ],
)
def test_a_seed_of_the_import_is_found(load: Load, head: str, dice: str, said: str) -> None:
    """No two calls wait alike, and all processes do."""
    verdict = verify(load(head, dice).fetch, FULL, only="many-outages")

    assert verdict.codes == ["jitter-same-in-every-process"]
    assert verdict.findings[0].sentence == f"{said}, so each process draws the same waits"


@pytest.mark.parametrize(
    ("head", "dice"),
    [
        ("DICE = random.Random()", "DICE"),
        ("DICE = SystemRandom()", "DICE"),
        ("UNUSED = random.Random(42)\nDICE = Random()", "DICE"),
        ("DICE = random.Random(time.time_ns())", "DICE"),
        ("DICE = Random(SEED := 1, *[])\nDICE.seed()", "DICE"),
        ("if __name__ == '__main__':\n    random.seed(0)", "random"),
        ("def test_it():\n    seed(0)", "random"),
        ("def again():\n    seed(0)", "random"),
        ("fixture = lambda f: f\n@fixture\ndef dice():\n    return Random(0)", "random"),
    ],
)
def test_chance_is_taken_for_chance(load: Load, head: str, dice: str) -> None:
    """Seeds that are not used, not constant, or a test's own are nobody's fault."""
    verdict = verify(load(head, dice).fetch, FULL, only="many-outages")

    assert verdict.codes == [], verdict


def test_dice_that_a_test_hands_over_are_its_own(load: Load) -> None:
    """A test wants the same waits in each run."""
    client = load("pass", "random")
    test = load("DICE = Random(7)", "DICE", "test_client")

    verdict = verify(lambda url: client.fetch(url, test.DICE), FULL, only="many-outages")

    assert verdict.codes == []


def test_a_test_that_seeds_all_dice_is_no_fault_of_the_client(load: Load) -> None:
    """pytest-randomly does so for each test."""
    random.seed(5)

    verdict = verify(load("random.getrandbits(8)", "random").fetch, FULL, only="many-outages")

    assert verdict.codes == []


def test_a_client_within_a_file_of_tests_is_looked_at_all_the_same(load: Load) -> None:
    """When there is no other file; what is handed to it there is the test's."""
    own = load("DICE = Random(42)", "DICE", "test_whole")
    handed = load("def give(d): return d\nDICE = give(Random(43))\nseed(1)", "DICE", "test_more")

    assert verify(own.fetch, FULL, only="many-outages").codes == ["jitter-same-in-every-process"]
    assert verify(handed.fetch, FULL, only="many-outages").codes == []


def test_what_cannot_be_read_has_no_seed(tmp_path: Path) -> None:
    """Code from nowhere, or in another language."""
    broken = tmp_path / "broken.py"
    broken.write_text("Random(1) is it so?")

    assert seeds_in(str(broken)) == []
    assert seeds_in("nowhere.py") == []
    assert own_code(["<string>", random.__file__, pytest.__file__, str(broken)]) == [str(broken)]
    assert Thrown().with_one_of([Seed("client.py", 1, 1, of_all=True)]) is None


def test_files_of_tests_are_known_by_their_names() -> None:
    """Where there is another, it is the client."""
    files = ["/home/me/shop/client.py", "/home/me/shop/test_client.py", "/home/me/tests/kit.py"]

    assert own_code(files) == ["/home/me/shop/client.py"]
    assert own_code(files[1:]) == files[1:]
