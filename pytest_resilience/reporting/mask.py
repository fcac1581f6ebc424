"""Secrets of a fake must not show in what we print."""

from __future__ import annotations

from collections.abc import Mapping

SHORTEST = 6
"""A shorter value would take ordinary words out of a report."""


class Mask:
    """Puts the name of its variable in the place of each secret."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, variables: Mapping[str, str]) -> None:
        """Mask the values of these variables, except addresses."""
        from urllib.parse import quote

        for name, value in variables.items():
            if len(value) >= SHORTEST and "://" not in value:
                self._names[value] = name
                self._names[quote(value, safe="")] = name

    def __call__(self, text: str) -> str:
        """The text without the secrets, the longest first: one may be part of another."""
        for value in sorted(self._names, key=len, reverse=True):
            text = text.replace(value, f"<{self._names[value]}>")
        return text
