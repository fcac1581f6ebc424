"""NumPy's dice with a constant seed: found where NumPy is, which nobody imports for it.

Without NumPy its part is taken by as much of ``numpy.random`` as is looked at.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_resilience import Backoff, RetryPolicy, verify
from pytest_resilience.judge import numpys

FULL = RetryPolicy(attempts=3, backoff=Backoff(1), jitter="full", statuses=[503])
MODULE = "pytest_resilience.judge.dice._is_test"

CLIENT = """
import random
import time

import numpy as np
import requests
from numpy import random as npr
from numpy.random import default_rng

{head}

def fetch(url):
    for n in range(4):
        response = requests.get(url, timeout=5)
        if response.status_code != 503 or n == 3:
            break
        time.sleep(float({dice}.uniform(0, 2**n)))
    response.raise_for_status()
    return response.json()
"""


class RandomState:
    """The old kind: a Mersenne Twister that does not keep its seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = random.Random(seed)
        self.uniform = self._dice.uniform
        self.seed = self._dice.seed

    def get_state(self) -> tuple[str, tuple[int, ...], int]:
        _, (*words, place), _ = self._dice.getstate()
        return "MT19937", tuple(words), place

    def bytes(self, length: int) -> bytes:
        return self._dice.randbytes(length)


class PCG64:
    """A source of bits that keeps its seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._dice = random.Random(seed)
        entropy = random.getrandbits(128) if seed is None else seed
        self.seed_seq = types.SimpleNamespace(entropy=entropy)

    @property
    def state(self) -> dict[str, object]:
        return {"bit_generator": "PCG64", "state": self._dice.getstate()}


class Generator:
    """The new kind."""

    def __init__(self, bit_generator: PCG64) -> None:
        self.bit_generator = bit_generator

    def uniform(self, low: float, high: float) -> float:
        return self.bit_generator._dice.uniform(low, high)


def stand_in() -> types.ModuleType:
    common = RandomState()
    module = types.ModuleType("numpy.random")
    module.__dict__.update(
        Generator=Generator,
        RandomState=RandomState,
        PCG64=PCG64,
        default_rng=lambda seed=None: Generator(PCG64(seed)),
        mtrand=types.SimpleNamespace(_rand=common),
        seed=common.seed,
        uniform=common.uniform,
        get_state=common.get_state,
    )
    return module


@pytest.fixture
def numpy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its module ``numpy.random``, or what stands in for it."""
    if importlib.util.find_spec("numpy") is not None:  # pragma: no cover -- not among our tools
        return importlib.import_module("numpy.random")
    whole = types.ModuleType("numpy")
    whole.random = stand_in()  # type: ignore[attr-defined]  # as a package has its modules
    monkeypatch.setitem(sys.modules, "numpy", whole)
    monkeypatch.setitem(sys.modules, "numpy.random", whole.random)
    return whole.random


Load = Callable[..., Callable[[str], Any]]


@pytest.fixture
def load(tmp_path: Path, numpy: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Imports a client that is written for the test, as if it stood in a project of its own."""
    monkeypatch.setattr(MODULE, lambda file: "test_" in Path(file).name)

    def load(head: str, dice: str) -> Callable[[str], Any]:
        path = tmp_path / "client.py"
        path.write_text(CLIENT.format(head=head, dice=dice))
        spec = importlib.util.spec_from_file_location("client", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        fetch: Callable[[str], Any] = module.fetch
        return fetch

    yield load
    numpy.seed()


@pytest.mark.parametrize(
    ("head", "dice", "seed"),
    [
        ("np.random.seed(0)", "np.random", "0"),
        ("SEED = 3\nnpr.seed(SEED)", "npr", "3"),
        ("RNG = default_rng(7)", "RNG", "7"),
        ("RNG = np.random.default_rng(seed=7)", "RNG", "7"),
        ("RNG = npr.Generator(npr.PCG64(8))", "RNG", "8"),
        ("OLD = np.random.RandomState(9)", "OLD", "9"),
        ("OLD = np.random.RandomState()\nOLD.seed(11)", "OLD", "11"),
    ],
)
def test_a_seed_of_numpys_is_found(load: Load, head: str, dice: str, seed: str) -> None:
    """Of the dice of all, of a generator, of one of the old kind; under any name."""
    verdict = verify(load(head, dice), FULL, only="many-outages")

    assert verdict.codes == ["jitter-same-in-every-process"], verdict
    assert f"seeds its dice with {seed}, so" in verdict.findings[0].sentence


@pytest.mark.parametrize(
    ("head", "dice"),
    [
        ("RNG = default_rng()", "RNG"),
        ("np.random.seed(0)", "random"),
        ("random.seed(0)", "np.random"),
        ("UNUSED = default_rng(7)\nRNG = default_rng()", "RNG"),
        ("UNUSED = np.random.RandomState(9)\nOLD = np.random.RandomState()", "OLD"),
        ("def again():\n    np.random.seed(0)", "np.random"),
        ("SEED = 'a'\nWORDS = random.Random(SEED)\nOLD = np.random.RandomState()", "OLD"),
        ("RNG = default_rng(time.time_ns())", "RNG"),
    ],
)
def test_chance_of_numpys_is_taken_for_chance(load: Load, head: str, dice: str) -> None:
    """Seeds that are not constant, not used, or of other dice than those that are thrown."""
    state = random.getstate()
    try:
        verdict = verify(load(head, dice), FULL, only="many-outages")
    finally:
        random.setstate(state)

    assert verdict.codes == [], verdict


def test_numpy_is_not_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not imported it throws no dice of its."""
    monkeypatch.delitem(sys.modules, "numpy.random", raising=False)

    assert numpys.all_dice() == []
    assert numpys.state_of_all() == b""
    assert "numpy.random" not in sys.modules
