"""Readers of datetime that were bound early, such as a dataclass's ``default_factory``.

Each ``datetime.now`` that is kept somewhere is an object of its own, made when the class was
asked for it, so what the class has now does not reach it.
"""

from __future__ import annotations

import datetime as dt
import gc
import sys
import types
from typing import Any

from pytest_resilience.clock import _readers

CLASSES = (dt.datetime, dt.date)
STAND_INS = {"now": _readers.now, "utcnow": _readers.utcnow, "today": _readers.today}


def unfreeze() -> None:
    """Let the collector know of all objects, so that it can be asked who refers to one.

    What is frozen (gc.freeze) cannot be asked, so it is no longer: to freeze it again would
    freeze whatever has come since, and nobody's finalizers would run any more.
    """
    if gc.get_freeze_count():
        gc.unfreeze()


class EarlyReaders:
    """Finds them: by a pass over all objects, and only when there may be new ones."""

    def __init__(self) -> None:
        self._counts = (-1, -1)

    def may_have_come(self, *, imported: bool) -> bool:
        """Whether there may be any that `find` has not found.

        Each refers to its class. Where Python does not count who refers to such a class (from
        3.12 on), and where it is a class of somebody's own, which its instances refer to as
        well, only those within modules that were imported since are found.
        """
        now, date = map(sys.getrefcount, CLASSES)
        counts, self._counts = self._counts, (now, date)
        return imported or counts != self._counts

    def find(self) -> list[tuple[Any, Any]]:
        """Every one of them, with its stand-in."""
        unfreeze()
        return [
            (reader, types.MethodType(STAND_INS[reader.__name__], reader.__self__))
            for reader in gc.get_referrers(*_derived(dt.date))
            if type(reader) is types.BuiltinFunctionType
            and reader.__name__ in STAND_INS
            and _is_inherited(reader)
        ]


def _is_inherited(reader: types.BuiltinFunctionType) -> bool:
    """Whether it is datetime's own, and not one of a derived class that is written in C."""
    for cls in getattr(reader.__self__, "__mro__", ()):
        if reader.__name__ in vars(cls):
            return cls in CLASSES
    return False


def _derived(cls: type) -> list[type]:
    """The class, and all that are derived from it."""
    found = [cls]
    below: type
    for below in cls.__subclasses__():
        found += _derived(below)
    return found
