"""Environment variables that hold for the length of a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Entry:
    """One variable that was set."""

    name: str
    value: str
    before: str | None
    whose: object


class Environment:
    """Sets variables of ``os.environ``, and puts back what was there."""

    def __init__(self) -> None:
        self._set: list[Entry] = []
        self._undone: list[Entry] = []

    def set(self, variables: Mapping[str, str], whose: object = None) -> None:
        """Set these variables."""
        for name, value in variables.items():
            self._set.append(Entry(name, value, os.environ.get(name), whose))
            os.environ[name] = value

    def undo_of(self, whose: object) -> None:
        """Put back what was set for it; what was set later, for another, stays."""
        for entry in reversed([entry for entry in self._set if entry.whose is whose]):
            self._undo(entry)

    def undo(self) -> None:
        """Put everything back, the newest first."""
        while self._set:
            self._undo(self._set[-1])

    def _undo(self, entry: Entry) -> None:
        place = self._set.index(entry)
        later = next((e for e in self._set[place + 1 :] if e.name == entry.name), None)
        del self._set[place]
        self._undone.append(entry)
        if later is None:
            _put(entry.name, entry.before)
        else:
            later.before = entry.before

    def again(self, judge: Callable[[], str]) -> str:
        """What the judge says while all is as it was for the test: redactors look there."""
        if not self._undone:
            return judge()
        ours = {entry.name: entry.value for entry in reversed(self._undone)}
        there = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            return judge()
        finally:
            for name, value in there.items():
                _put(name, value)

    def sweep(self) -> None:
        """Put back what somebody else's undoing has brought back after ours.

        ``monkeypatch``, asked for before a fake that ``getfixturevalue`` made, is undone
        after it: it then restores the value that it found, which was ours.
        """
        for entry in self._undone:
            if os.environ.get(entry.name) == entry.value:
                _put(entry.name, entry.before)


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
