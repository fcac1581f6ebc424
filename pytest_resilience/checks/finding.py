"""What a check found: plain data, that any program can print."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience.checks.codes import CODES

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a client breaks its promise.

    `sentence` stands alone. The attempts and the log lines that prove it are `evidence`,
    and `replay` is the argument of ``verify`` that shows this alone.
    """

    code: str
    """One of ``CODES``; codes are never renamed."""
    sentence: str
    evidence: tuple[str, ...] = ()
    scenario: str = ""
    """Where it was found; `verify` fills it in."""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"no finding has the code {self.code!r}")

    @property
    def replay(self) -> str:
        """What to hand to ``verify`` to see this again and nothing else."""
        return f"only={self.scenario!r}"

    def to_dict(self) -> dict[str, object]:
        """The same as JSON data."""
        return {
            "code": self.code,
            "meaning": CODES[self.code],
            "sentence": self.sentence,
            "evidence": list(self.evidence),
            "scenario": self.scenario,
            "replay": self.replay,
        }

    def __str__(self) -> str:
        lines = [f"{self.code}: {self.sentence}"]
        lines += [f"  {line}" for line in self.evidence]
        if self.scenario:
            lines.append(f"  to see it alone: verify(..., {self.replay})")
        return "\n".join(lines)
