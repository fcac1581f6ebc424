"""The conductor of the virtual clock that is on, in one place that costs nothing to import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

conductor: Conductor | None = None


def _forget_in_child() -> None:
    """A forked child has no engine that could conduct: its time is real."""
    global conductor  # noqa: PLW0603 -- this place
    if conductor is not None:
        conductor.forget_in_child()
        conductor = None


if hasattr(os, "register_at_fork"):  # pragma: no branch -- not on Windows
    os.register_at_fork(after_in_child=_forget_in_child)
