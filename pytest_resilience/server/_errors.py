"""What was raised while a server served, so many and no more."""

from __future__ import annotations

MOST = 100
"""Each holds the frames that raised it, and with them the request's body."""


class Errors(list[BaseException]):
    """The first hundred: those after them tell nothing new, and may come for days."""

    def append(self, error: BaseException) -> None:
        """Add one while there is room."""
        if len(self) < MOST:
            super().append(error)
