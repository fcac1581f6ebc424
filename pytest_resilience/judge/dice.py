"""Dice with a seed that stands in the code: every process of such a client draws the same waits.

*Problem.* Within one process the waits of such a client differ from call to call, so they say
nothing. A test may put dice with a seed into a client on purpose, and plugins such as
pytest-randomly seed those of all; neither is the client's fault.

*Solution.* Three things must come together: the code that was at work when the client sent its
requests has a seed in it, dice were thrown while it waited, and their state is one that begins
with that seed. What a test's own functions make is not looked at.
"""

from __future__ import annotations

import ast
import gc
import linecache
import random
import re
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from pytest_resilience.judge import numpys

__all__ = ["Seed", "Thrown", "own_code", "seeds_in"]

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
KINDS = ("Random", "seed", "default_rng", "RandomState", "SeedSequence", *BIT_GENERATORS)
"""What takes a seed, in the standard library and in NumPy."""
MENTIONED = re.compile(rf"\b({'|'.join(KINDS)})\(")
OF_ALL = ("random.seed", "numpy.random.seed")
"""What seeds the dice that a process has in common."""
NAMED = ("seed", "entropy", "a", "x")
"""How the argument may be called that is the seed."""
TEST_FILE = re.compile(r"(test_.*|.*_test|conftest)\.py")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = 64
"""As many times 624 numbers of 32 bits may have been drawn since the seed."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed that stands in a file of code."""

    file: str
    line: int
    value: float | str | bytes
    of_all: bool
    """Whether it is for the dice that the whole process has in common."""
    is_numpys: bool = False

    def __str__(self) -> str:
        return f"{PurePath(self.file).name}:{self.line} seeds its dice with {self.value!r}"


def own_code(files: Iterable[str]) -> list[str]:
    """Those that are no library's; a test's file only when there is no other."""
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places.add(str(Path(__file__).parents[1]))
    own = sorted(
        file
        for file in files
        if not file.startswith("<")
        and "site-packages" not in file
        and not any(PurePath(file).is_relative_to(place) for place in places)
    )
    return [file for file in own if not _is_test(file)] or own


def _is_test(file: str) -> bool:
    path = PurePath(file)
    return bool(TEST_FILE.fullmatch(path.name)) or "tests" in path.parts


def seeds_in(file: str) -> list[Seed]:
    """Every constant seed in a file, but for those in functions of a test."""
    text = "".join(linecache.getlines(file))
    if not MENTIONED.search(text):
        return []
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    imported = dict(_imports(tree))
    found = []
    for call, within in _calls(tree, (), imported):
        value = _argument(call, constants)
        if value is None or any(map(_is_of_a_test, within)):
            continue
        name = _full_name(call.func, imported)
        of_all = name in OF_ALL
        if _is_test(file) and (of_all or any(isinstance(node, ast.Call) for node in within)):
            continue  # A test seeds what it likes, and hands dice to what it tests.
        if not of_all or not any(isinstance(node, FUNCTIONS) for node in within):
            found.append(Seed(file, call.lineno, value, of_all, name.startswith("numpy.")))
    return found


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Under which name a file knows what: ``np`` is ``numpy``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield (one.asname, one.name) if one.asname else (one.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def _calls(
    node: ast.AST, within: tuple[ast.AST, ...], imported: Mapping[str, str]
) -> Iterator[tuple[ast.Call, tuple[ast.AST, ...]]]:
    if isinstance(node, ast.Call):
        kind = _full_name(node.func, imported).rpartition(".")[2]
        if kind in KINDS:
            yield node, within
    for child in ast.iter_child_nodes(node):
        yield from _calls(child, (*within, node), imported)


def _full_name(node: ast.AST, imported: Mapping[str, str]) -> str:
    first, dot, rest = _name(node).partition(".")
    return imported.get(first, first) + dot + rest


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _argument(call: ast.Call, constants: Mapping[str, object]) -> float | str | bytes | None:
    named = [word.value for word in call.keywords if word.arg in NAMED]
    if len(call.args) + len(call.keywords) != 1 or len(call.args) + len(named) != 1:
        return None
    given = (*call.args, *named)[0]
    value = given.value if isinstance(given, ast.Constant) else constants.get(_name(given))
    return value if isinstance(value, int | float | str | bytes) else None


def _is_of_a_test(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return "__main__" in ast.dump(node.test)
    if not isinstance(node, FUNCTIONS):
        return False
    fixtures = any("fixture" in ast.dump(one) for one in node.decorator_list)
    return fixtures or node.name.startswith(("test", "setup"))


class Thrown:
    """Which dice of this process are thrown from now on."""

    def __init__(self) -> None:
        self._of_all = random.getstate()
        self._before = [(dice, dice.getstate()) for dice in _all_dice()]
        self._of_all_numpys = numpys.state_of_all()
        self._numpys = [(dice, numpys.state(dice)) for dice in numpys.all_dice()]

    def with_one_of(self, seeds: Iterable[Seed]) -> Seed | None:
        """The first seed that dice which have been thrown since began with."""
        thrown = [dice for dice, before in self._before if dice.getstate() != before]
        numpys_thrown = [dice for dice, before in self._numpys if numpys.state(dice) != before]
        for seed in seeds:
            if seed.of_all:
                found = self._all_were_thrown(seed)
            else:
                found = any(_began_with(dice, seed.value) for dice in thrown)
                found |= any(numpys.began_with(dice, seed.value) for dice in numpys_thrown)
            if found:
                return seed
        return None

    def _all_were_thrown(self, seed: Seed) -> bool:
        if seed.is_numpys:
            return numpys.state_of_all() != self._of_all_numpys
        return random.getstate() != self._of_all


def _all_dice() -> list[random.Random]:
    common = getattr(random, "_inst", None)
    return [
        one
        for one in gc.get_objects()
        if issubclass(type(one), random.Random)
        and not isinstance(one, random.SystemRandom)
        and one is not common
    ]


def _began_with(dice: random.Random, seed: float | str | bytes) -> bool:
    """Whether a state is on the way that begins with the seed (Mersenne Twister, 624 words)."""
    words = dice.getstate()[1][:-1]
    twin = random.Random(seed)
    for _ in range(BLOCKS):
        if twin.getstate()[1][:-1] == words:
            return True
        twin.getrandbits(32 * len(words))
    return False
