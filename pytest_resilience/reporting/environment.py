"""Environment variables that hold for the length of a test."""

from __future__ import annotations

import os
from collections.abc import Mapping


class Environment:
    """Sets variables of ``os.environ``, and puts back what was there."""

    def __init__(self) -> None:
        self._set: list[tuple[str, str, str | None]] = []  # name, our value, what was there
        self._undone: list[tuple[str, str, str | None]] = []

    def set(self, variables: Mapping[str, str]) -> None:
        """Set these variables."""
        for name, value in variables.items():
            self._set.append((name, value, os.environ.get(name)))
            os.environ[name] = value

    def undo(self) -> None:
        """Put everything back, the newest first."""
        while self._set:
            entry = self._set.pop()
            self._undone.append(entry)
            _put(entry[0], entry[2])

    def sweep(self) -> None:
        """Put back what somebody else's undoing has brought back after ours.

        ``monkeypatch``, asked for before a fake that ``getfixturevalue`` made, is undone
        after it: it then restores the value that it found, which was ours.
        """
        for name, value, before in self._undone:
            if os.environ.get(name) == value:
                _put(name, before)


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
