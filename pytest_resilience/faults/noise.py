"""Faults of sense: bytes that are no HTTP, and heads no client wants."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import Close, Context, Script, Send


@dataclass(frozen=True, slots=True)
class Garbage:
    """Random bytes where a status line should be, then a FIN.

    Args:
        size: How many bytes, 1 or more.
    """

    size: int = 64

    def __post_init__(self) -> None:
        _check.whole("garbage(size)", self.size, 1, 16 * 1024 * 1024)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "garbage"

    def apply(self, script: Script, context: Context) -> Script:
        """Send noise from the plan's seed; it never happens to look like HTTP."""
        noise = b"\x00" + context.random.randbytes(self.size - 1)
        return script.instead(Send(noise), Close())


@dataclass(frozen=True, slots=True)
class HugeHeaders:
    """The right answer behind header fields larger than clients accept.

    Args:
        size: Bytes of header to add, in fields of at most 8,000 bytes.
    """

    size: int = 1_000_000

    def __post_init__(self) -> None:
        _check.whole("huge_headers(size)", self.size, 1, 64 * 1024 * 1024)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "huge_headers"

    def apply(self, script: Script, context: Context) -> Script:
        """Add filler fields."""
        fields: list[tuple[str, str]] = []
        left = self.size
        while left > 0:
            fields.append((f"X-Filler-{len(fields)}", "x" * min(left, 8_000)))
            left -= 8_000
        answer = replace(script.answer, headers=(*script.answer.headers, *fields))
        return replace(script, answer=answer)
