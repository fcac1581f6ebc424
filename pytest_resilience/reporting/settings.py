"""What can be set, under one stem in four places: command line, environment, marker, ini.

For ``seed``: ``--resilience-seed=7``, ``RESILIENCE_SEED=7``, ``@pytest.mark.resilience(seed=7)``
and ``resilience_seed = 7``, the first of them that is there. What is said by hand wins, so
that a failure can be replayed whatever the code says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_resilience.reporting import options

if TYPE_CHECKING:
    from typing import NoReturn

TRUE = frozenset({"1", "on", "true", "yes"})
FALSE = frozenset({"0", "off", "false", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for one test."""

    env: bool = True
    unmatched: bool = False
    unmet: bool = False
    errors: bool = False
    leaks: bool = True
    seed: int | None = None
    keep: int | None = None
    virtual_clock: bool = False
    har: str = ""
    har_all: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set."""

    name: str
    kind: str
    help: str
    least: int = 0

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return options.option(self.name)

    @property
    def ini(self) -> str:
        """Its name in the ini file, and for argparse."""
        return options.ini(self.name)

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return options.variable(self.name)

    def read(self, value: object, where: str) -> bool | int | str:
        """The value, checked.

        Raises:
            UsageError: It cannot be meant; in one line.
        """
        if self.kind == "folder":
            if (path := _folder(value)) is None:
                self._refuse(value, where)
            return path
        number = _bool(value) if self.kind == "bool" else _int(value)
        if number is None or (self.kind == "int" and number < self.least):
            self._refuse(value, where)
        return number

    def _refuse(self, value: object, where: str) -> NoReturn:
        from pytest_resilience.errors import shown

        raise pytest.UsageError(f"{where}: wanted {self.wanted}, got {shown(value)}")

    @property
    def wanted(self) -> str:
        """What may be said."""
        if self.kind == "folder":
            return "a directory that is there or can be made"
        return "yes or no" if self.kind == "bool" else f"a whole number, {self.least} or more"

    def read_python(self, value: object, where: str) -> bool | int | str:
        """The same of what stands in Python, where ``"no"`` would be true."""
        if self.kind == "bool" and not isinstance(value, bool):
            raise pytest.UsageError(f"{where}: wanted True or False, got {value!r}")
        if self.kind == "int" and isinstance(value, str):
            self._refuse(value, where)
        return self.read(value, where)


LEAST = {"keep": 1}
SETTINGS = {
    name: Setting(name, kind, words, LEAST.get(name, 0)) for name, kind, words in options.OPTIONS
}

MOST_DIGITS = 1_000
"""More than anybody means, and fewer than Python refuses to read."""
LARGEST = 10**MOST_DIGITS
VARIABLES = tuple(setting.variable for setting in SETTINGS.values())
KEYS = tuple(map(getattr(os.environ, "encodekey", os.fsencode), VARIABLES))


class General(NamedTuple):
    """What is said for all tests."""

    variables: list[Any]
    """What our variables held when it was read."""
    ini: dict[str, Any]
    by_hand: dict[str, Any]
    settings: Settings


GENERAL = pytest.StashKey[General]()


def of_config(config: pytest.Config) -> Settings:
    """What holds for a test without a marker.

    Raises:
        UsageError: A value on the command line, in the environment or the ini is wrong.
    """
    return _general(config).settings


def of_item(item: pytest.Item) -> Settings:
    """What holds for this test; of several markers the closest counts.

    Raises:
        UsageError: A marker has an argument that does not exist or cannot be meant.
    """
    general = _general(item.config)
    marked = _from_markers(item)
    return Settings(**{**general.ini, **marked, **general.by_hand}) if marked else general.settings


def wants_clock(item: pytest.Item) -> bool:
    """Whether a test that does not name the fixture runs in virtual time all the same."""
    try:
        return of_item(item).virtual_clock
    except pytest.UsageError:
        return False  # Complained of elsewhere.


def complaint(item: pytest.Item) -> str:
    """What is wrong with the markers of this test, in one line; empty when nothing is."""
    if item.get_closest_marker("resilience") is None:
        return ""
    try:
        of_item(item)
    except pytest.UsageError as error:
        return str(error)
    return ""


def _general(config: pytest.Config) -> General:
    """What is said for all tests; read anew when the environment changes."""
    variables = _environment()
    known = config.stash.get(GENERAL, None)
    if known is None or known.variables != variables:
        ini, by_hand = _from_ini(config), _by_hand(config)
        known = General(variables, ini, by_hand, Settings(**{**ini, **by_hand}))
        config.stash[GENERAL] = known
    return known


def _environment() -> list[Any]:
    """What our variables hold, to compare with what they held; each test asks for all of them."""
    # As they are stored: to decode ten names and values takes a third of all we do for a test.
    stored = getattr(os.environ, "_data", None)
    if stored is None:  # Somebody has put a plain dict in its place.
        return list(map(os.environ.get, VARIABLES))
    return list(map(stored.get, KEYS))


def _by_hand(config: pytest.Config) -> dict[str, Any]:
    found = {}
    for setting in SETTINGS.values():
        value = config.getoption(setting.ini, None)
        if value is not None:
            found[setting.name] = setting.read(value, setting.option)
        elif value := os.environ.get(setting.variable):  # An empty one is as good as none.
            found[setting.name] = setting.read(value, setting.variable)
    return found


def _from_ini(config: pytest.Config) -> dict[str, Any]:
    found = {}
    for setting in SETTINGS.values():
        try:
            value = config.getini(setting.ini)
        except (TypeError, ValueError, pytest.UsageError) as error:  # It depends on pytest's age.
            wanted = f"{setting.ini}: wanted {setting.wanted}"
            raise pytest.UsageError(f"{wanted} ({error})") from error
        if value is not None:
            found[setting.name] = setting.read(value, setting.ini)
    return found


def _from_markers(item: pytest.Item) -> dict[str, Any]:
    found: dict[str, Any] = {}
    markers = list(item.iter_markers("resilience"))
    if len(markers) > 1:  # A parameter's own is the closest; pytest lists it after decorators.
        own = getattr(getattr(item, "callspec", None), "marks", ())
        markers.sort(key=lambda marker: marker not in own)
    for marker in markers:
        where = f"{item.nodeid}: @pytest.mark.resilience"
        if marker.args:
            raise pytest.UsageError(
                f"{where} takes keyword arguments only ({', '.join(SETTINGS)}), got {marker.args!r}"
            )
        for name, value in marker.kwargs.items():
            if name not in SETTINGS:
                raise pytest.UsageError(f"{where} has no argument {_unknown(name)}")
            checked = SETTINGS[name].read_python(value, f"{where}({name}=...)")
            found.setdefault(name, checked)
    return found


def _unknown(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, SETTINGS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{name!r}{hint}; there are: {', '.join(SETTINGS)}"


def _bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    return True if word in TRUE else False if word in FALSE else None


def _folder(value: object) -> str | None:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path.strip() or "\0" in path:
        return None
    return path if _can_be_made(path) else None


def _can_be_made(path: str) -> bool:
    """Whether it is a directory, or may become one: what is there of it, is one."""
    there = os.path.abspath(path)  # noqa: PTH100 -- pathlib costs
    while not os.path.lexists(there):
        there = os.path.dirname(there)  # noqa: PTH120 -- the same
    return os.path.isdir(there) and os.access(there, os.W_OK | os.X_OK)  # noqa: PTH112 -- the same


def _int(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < LARGEST else None
    word = value.strip() if isinstance(value, str) else ""
    return int(word) if word.isascii() and word.isdecimal() and len(word) <= MOST_DIGITS else None
