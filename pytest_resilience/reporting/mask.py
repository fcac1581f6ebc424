"""Secrets of a fake must not show in what we print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_resilience.reporting.custody import Watched


class Mask:
    """Puts the name of each secret in its place, however it is written.

    Args:
        servers: Whose secrets; the list may grow.
    """

    def __init__(self, servers: Sequence[Watched] = ()) -> None:
        self._servers = servers
        self._variables: dict[str, str] = {}

    def add(self, variables: Mapping[str, str]) -> None:
        """Mask the values of these variables, too, except addresses."""
        for name, value in variables.items():
            if "://" not in value:
                self._variables[value] = name

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        from pytest_resilience.secrets.search import Search
        from pytest_resilience.secrets.value import Secret

        secrets = [Secret.of(name, value) for value, name in self._variables.items()]
        for watched in self._servers:
            secrets += watched.server.secrets
        return Search(secrets, strict=False).mask(text)
