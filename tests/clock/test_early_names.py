"""Names that were bound before the clock was switched on are replaced, and put back."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime as dt
import functools
import gc
import importlib
import pickle
import queue
import socket
import subprocess
import sys
import threading
import time
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from pytest_resilience import ClockError, VirtualClock
from pytest_resilience.clock.covered import ATTRIBUTES, CLASS_METHODS, FUNCTIONS

real_sleep = [time.sleep]


class Attribute:
    sleep = time.sleep


class Instance:
    def __init__(self) -> None:
        self.sleep = time.sleep
        self.names: list[object] = []


class Slots:
    __slots__ = ("sleep",)

    def __init__(self) -> None:
        self.sleep = time.sleep


class Static:
    sleep = staticmethod(time.sleep)


@dataclasses.dataclass
class Data:
    sleep: Callable[[float], None] = dataclasses.field(default=time.sleep)
    began: float = dataclasses.field(default_factory=time.monotonic)


def default(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    sleep(seconds)


def keyword_default(seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
    sleep(seconds)


def closure() -> Callable[[float], None]:
    sleep = time.sleep

    def call(seconds: float) -> None:
        sleep(seconds)

    return call


def module() -> types.ModuleType:
    made = types.ModuleType("made_on_the_fly")
    exec("from time import sleep", made.__dict__)  # noqa: S102 -- a module of its own
    return made


class Method:
    def nap(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(seconds)


WAYS: dict[str, Callable[[], Callable[[float], object]]] = {
    "from-import": lambda: (lambda m: lambda s: m.sleep(s))(module()),
    "default argument": lambda: default,
    "keyword-only default": lambda: keyword_default,
    "default of a method": lambda: Method().nap,
    "functools.partial": lambda: functools.partial(time.sleep),
    "partial with arguments": lambda: (lambda p: lambda s: p())(functools.partial(time.sleep, 5)),
    "partial's argument": lambda: functools.partial(lambda f, s: f(s), time.sleep),
    "partial's keyword": lambda: functools.partial(lambda s, f: f(s), f=time.sleep),
    "class attribute": lambda: Attribute.sleep,
    "instance attribute": lambda: (lambda i: lambda s: i.sleep(s))(Instance()),
    "class attribute, by an instance": lambda: lambda s: Attribute().sleep(s),  # type: ignore[call-arg,misc]  # no method
    "static method": lambda: lambda s: Static.sleep(s),
    "static method, by an instance": lambda: lambda s: Static().sleep(s),
    "default of a dataclass": lambda: lambda s: Data().sleep(s),
    "deque": lambda: (lambda names: lambda s: names[0](s))(collections.deque([time.sleep])),
    "default of a dictionary": lambda: (lambda d: lambda s: d.default_factory(s))(  # type: ignore[misc,call-arg]
        collections.defaultdict(time.sleep)  # type: ignore[arg-type]
    ),
    "slot": lambda: (lambda i: lambda s: i.sleep(s))(Slots()),
    "closure": closure,
    "list": lambda: (lambda names: lambda s: names[0](s))([time.sleep]),
    "dict": lambda: (lambda names: lambda s: names["sleep"](s))({"sleep": time.sleep}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_name_bound_early_waits_in_virtual_time(way: str) -> None:
    """However a function was bound before the clock: its stand-in is called."""
    if way == "class attribute":
        call: Callable[[float], object] = lambda s: Attribute.sleep(s)  # noqa: E731
    else:
        call = WAYS[way]()

    with VirtualClock() as clock:
        call(5)
        assert clock.now == 5


@pytest.mark.parametrize("way", WAYS)
def test_it_is_put_back(way: str) -> None:
    """After the clock, whatever was replaced is what it was."""
    call = WAYS[way]()
    with VirtualClock():
        pass
    began = real_monotonic()

    call(0.005) if "arguments" not in way else None

    assert real_monotonic() - began >= 0.005 or "arguments" in way


real_monotonic = time.monotonic


def everything() -> dict[str, object]:
    """What stands at every covered name and in every place of this module's."""
    found: dict[str, object] = {}
    for attribute in ATTRIBUTES:
        found[attribute.name] = vars(attribute.owner).get(attribute.attribute, "nothing")
    for method in CLASS_METHODS:
        found[method.name] = method.cls.__dict__[method.attribute]
    for function in FUNCTIONS:
        found[function.name] = function.real
    found["time"] = dict(vars(time))
    found["threading"] = {k: v for k, v in vars(threading).items() if callable(v)}
    found["here"] = (Attribute.sleep, default.__defaults__, keyword_default.__kwdefaults__)
    found["list"] = real_sleep[0]
    return found


def test_nothing_stays_patched() -> None:
    """After the clock every covered attribute is the same object as before."""
    before = everything()
    with VirtualClock():
        assert everything() != before

    assert everything() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, ClockError])
def test_nothing_stays_patched_whatever_happened(error: type[BaseException]) -> None:
    """However the block ended."""
    before = everything()

    with pytest.raises(error), VirtualClock():
        raise error

    assert everything() == before


def test_nothing_stays_patched_when_it_could_not_start() -> None:
    """A clock that is refused leaves no trace."""
    with VirtualClock():
        inside = everything()
        with pytest.raises(ClockError, match="a virtual clock is on already"), VirtualClock():
            raise AssertionError("two clocks at once")
        assert everything() == inside


@pytest.mark.parametrize("way", ["monkeypatch", "mock"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [(time, "sleep"), (threading, "Lock"), (threading.Thread, "join"), (queue.Queue, "get")],
)
def test_what_is_replaced_meanwhile_and_put_back_later(
    owner: Any, name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who replaces a stand-in, and undoes it when the clock is off, puts back the real one."""
    real = getattr(owner, name)
    patch = mock.patch.object(owner, name)
    with VirtualClock():
        if way == "mock":
            patch.start()
        else:
            monkeypatch.setattr(owner, name, print)
    monkeypatch.undo()
    mock.patch.stopall()

    assert getattr(owner, name) is real
    with VirtualClock() as clock:
        time.sleep(5)
        assert clock.now == 5


def test_what_is_taken_away_meanwhile() -> None:
    """Who takes one of our attributes away keeps none of the others from going back."""
    before = everything()
    with VirtualClock():
        del socket.socket.recv

    assert everything() == before


def test_a_place_that_came_later_is_found() -> None:
    """A module imported between two clocks is covered by the second."""
    with VirtualClock():
        pass
    later = module()

    with VirtualClock() as clock:
        later.sleep(5)
        assert clock.now == 5
    assert later.sleep is time.sleep


def test_a_factory_of_a_dataclass() -> None:
    """It reads the virtual clock, and the real one after it."""
    with VirtualClock():
        before = Data().began
        time.sleep(3600)
        assert Data().began - before == 3600
    assert Data().began - before < 3600


def test_a_place_that_came_as_another_one_went() -> None:
    """The function is referred to as often as before, and yet by somebody new."""
    for _ in range(3):
        somebody = Slots()
        with VirtualClock() as clock:
            somebody.sleep(5)
            assert clock.now == 5
        del somebody


def test_a_lock_that_came_later_is_found() -> None:
    """A module imported between two clocks that has bound nothing but a lock."""
    with VirtualClock():
        pass
    later = types.ModuleType("later_and_with_a_lock")
    exec("from threading import Lock", later.__dict__)  # noqa: S102 -- a module of its own
    sys.modules[later.__name__] = later
    try:
        with VirtualClock() as clock:
            lock = later.Lock()
            lock.acquire()
            assert not lock.acquire(timeout=5)
            assert clock.now == 5
            assert clock.reports == ()
    finally:
        del sys.modules[later.__name__]
    assert later.Lock is threading.Lock


def test_a_place_that_has_gone_is_no_matter() -> None:
    """What was deleted or replaced by its owner meanwhile stays so."""
    names: dict[str, object] = {"sleep": time.sleep, "other": time.sleep}
    with VirtualClock():
        del names["sleep"]
        names["other"] = len

    assert names == {"other": len}


def test_what_the_collector_has_frozen() -> None:
    """gc.freeze() hides nobody; the clock takes it back, as the page says."""
    somebody = Slots()
    gc.freeze()
    with VirtualClock() as clock:
        somebody.sleep(5)
        default(5)
        assert clock.now == 10
    assert gc.get_freeze_count() == 0


def test_nobody_is_kept_alive() -> None:
    """The clock remembers places, not their owners."""
    owner = Instance()
    owner.names = [time.sleep, Slots(), {"sleep": time.sleep}, functools.partial(time.sleep)]
    gone = weakref.ref(owner)
    with VirtualClock():
        pass
    del owner
    gc.collect()

    assert gone() is None


def test_a_tuple_is_left_alone() -> None:
    """A function within a tuple cannot be replaced; the documentation says so."""
    names = (time.sleep,)
    with VirtualClock():
        assert names[0] is not time.sleep


LATE = """
import time, threading, dataclasses, datetime
from time import sleep
from threading import Lock
class Client:
    wait = time.sleep
    def retry(self, pause=time.sleep):
        pause(1)
TABLE = [time.sleep]
read = datetime.datetime.now
lock = Lock()
"""


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """Imports a module that nobody has imported yet."""
    (tmp_path / "imported_late.py").write_text(LATE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield lambda: importlib.import_module("imported_late")
    sys.modules.pop("imported_late", None)


def test_a_module_that_is_imported_meanwhile(late: Callable[[], Any], clock: VirtualClock) -> None:
    """What it binds is virtual, and a class attribute is no method: it was none in real time."""
    module = late()

    module.sleep(1)
    module.Client.wait(1)
    module.Client().wait(1)
    module.Client().retry()
    module.TABLE[0](1)
    module.lock.acquire()
    assert not module.lock.acquire(timeout=1)

    assert clock.now == 6


def test_what_was_imported_meanwhile_is_put_back(late: Callable[[], Any]) -> None:
    """Nothing stays patched of a module that has come while the clock was on, either."""
    with VirtualClock():
        module = late()
        found = functools.partial(time.sleep)

    assert [module.sleep, module.Client.wait, module.TABLE[0], found.func] == real_sleep * 4
    assert module.Client.retry.__defaults__ == (time.sleep,)
    assert module.Lock is threading.Lock
    with VirtualClock() as clock:
        module.Client().wait(1)
        module.TABLE[0](1)
        found(1)
        assert not clock_lock_is_free(module.Lock())
        assert clock.now == 4


def clock_lock_is_free(lock: Any) -> bool:
    lock.acquire()
    free: bool = lock.acquire(timeout=1)
    return free


now = dt.datetime.now
utcnow = dt.datetime.utcnow
today = dt.date.today


class Moment(dt.datetime):
    """One of somebody's own."""


now_of_its_own = Moment.now


@dataclasses.dataclass
class Token:
    made: dt.datetime = dataclasses.field(default_factory=dt.datetime.now)


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")  # From 3.12 on.
@pytest.mark.parametrize(
    "read",
    [
        lambda: now(),
        lambda: now(dt.UTC),
        lambda: utcnow(),
        lambda: dt.datetime.combine(today(), dt.time()),
        lambda: Token().made,
        lambda: now_of_its_own(),
    ],
    ids=["now", "now with a zone", "utcnow", "today", "default_factory", "a class of one's own"],
)
def test_a_reader_of_datetime_bound_early(
    read: Callable[[], dt.datetime], clock: VirtualClock
) -> None:
    """datetime.now and its kin, kept by a name or a dataclass, follow virtual time."""
    before = read()
    time.sleep(86_400)

    assert read() - before == dt.timedelta(days=1)


def test_a_reader_that_is_deprecated() -> None:
    """It warns as the real one does: from Python 3.12 on, of the line that calls it."""

    def warnings_of() -> list[tuple[object, ...]]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            dt.datetime.utcnow()  # noqa: DTZ003
            utcnow()
            eval("dt.datetime.utcnow()", {"dt": dt, "__name__": "pytest"})  # noqa: S307
        return [(w.category, str(w.message), w.filename, w.lineno) for w in caught]

    real = warnings_of()
    with VirtualClock():
        assert warnings_of() == real
    assert len(real) == (3 if sys.version_info >= (3, 12) else 0)


def test_a_reader_of_datetime_is_put_back() -> None:
    """It is the very object that it was."""
    before = id(now)

    with VirtualClock():
        assert id(now) != before

    assert id(now) == before
    assert Token.__dataclass_fields__["made"].default_factory == dt.datetime.now


def test_a_stand_in_can_be_pickled(clock: VirtualClock) -> None:
    """As the function can for which it stands."""
    assert pickle.loads(pickle.dumps(time.sleep)) == time.sleep  # noqa: S301 -- our own
    assert copy.deepcopy(time.monotonic) == time.monotonic


STARTS = """
import gc

from pytest_resilience import VirtualClock

for _ in range(3):
    with VirtualClock():
        pass
asked = []
gc.get_referrers = lambda *things: asked.append(things) or []
with VirtualClock():
    pass
print(asked)
"""


def test_a_later_start_looks_for_nothing() -> None:
    """All places are known from before: to go through all objects takes milliseconds."""
    ran = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"
