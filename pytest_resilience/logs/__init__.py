"""Everything that is said while code runs: recorded, and passed on as it was."""

from __future__ import annotations

from pytest_resilience.logs.line import Line
from pytest_resilience.logs.lines import Lines
from pytest_resilience.logs.recorder import Recorder

__all__ = ["Line", "Lines", "Recorder"]
