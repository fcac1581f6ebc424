"""The conductor of the virtual clock that is on, in one place that costs nothing to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

conductor: Conductor | None = None
