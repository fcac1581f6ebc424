"""What a server answers, seen on its way out."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_resilience.answers import Answer
from pytest_resilience.faults import Context, Script

__all__ = ["Spy"]


@dataclass(frozen=True, slots=True)
class Spy:
    """A fault that changes nothing, and remembers the answers that pass."""

    seen: list[Answer] = field(default_factory=list)
    label: str = "none"

    def apply(self, script: Script, context: Context) -> Script:
        """Look, and let it pass."""
        self.seen.append(script.answer)
        return script
