"""`Verdict`: all findings of one client. Plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_resilience.checks.finding import Finding
from pytest_resilience.errors import CheckFailed

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was tried, and what was found. True when nothing was.

    ::

        verdict = verify(call, policy)
        verdict.raise_if_any()
        assert verdict.codes == []
    """

    findings: tuple[Finding, ...] = ()
    scenarios: tuple[str, ...] = ()
    """What was played, in order."""
    seconds: float = 0.0
    """Virtual seconds that it took."""

    @property
    def codes(self) -> list[str]:
        """The codes that were found, each once, in the order in which they were found."""
        return list(dict.fromkeys(finding.code for finding in self.findings))

    def raise_if_any(self) -> None:
        """Fail with all findings in words, if there are any.

        Raises:
            CheckFailed: There are; its first line names the first one.
        """
        __tracebackhide__ = True
        if self.findings:
            raise CheckFailed(str(self))

    def to_dict(self) -> dict[str, object]:
        """The same as JSON data."""
        return {
            "ok": not self.findings,
            "findings": [finding.to_dict() for finding in self.findings],
            "scenarios": list(self.scenarios),
            "seconds": self.seconds,
        }

    def __bool__(self) -> bool:
        return not self.findings

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        played = f"{len(self.scenarios)} scenarios, {self.seconds:g} virtual seconds"
        if not self.findings:
            return f"nothing found in {played}"
        if len(self.findings) == 1:
            return f"{self.findings[0]}\n({played})"
        count = f"{len(self.findings)} findings in {played}"
        first = f"{self.findings[0].code}: {self.findings[0].sentence}"
        more = f" (and {len(self.findings) - 1} more)"
        blocks = "\n\n".join(str(finding) for finding in self.findings)
        return f"{first}{more}\n\n{count}\n\n{blocks}"
