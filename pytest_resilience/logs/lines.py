"""`Lines`: what was said, to choose from and to assert on."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pytest_resilience.errors import CheckFailed
from pytest_resilience.logs.line import Line
from pytest_resilience.records import Trace

if TYPE_CHECKING:
    from pytest_resilience.checks.finding import Finding
    from pytest_resilience.policy.logs import LogContract

NOTHING = Trace()


class Lines(tuple[Line, ...]):
    r"""What was said, in order: a tuple of lines that can be narrowed down.

    ::

        logs.lines.at("WARNING").matching(r"attempt (\d+) failed")
    """

    __slots__ = ()

    def at(self, level: int | str) -> Lines:
        """Those of exactly this level, by its name or number."""
        wanted = number(level)
        return self._those(lambda line: line.level == wanted)

    def above(self, level: int | str) -> Lines:
        """Those of this level or a higher one."""
        wanted = number(level)
        return self._those(lambda line: line.level is not None and line.level >= wanted)

    def of(self, logger: str) -> Lines:
        """Those of this logger and the ones below it."""
        return self._those(lambda line: f"{line.logger}.".startswith(f"{logger}."))

    def by(self, source: str) -> Lines:
        """Those of this source: logging, structlog, warnings, stdout, stderr or file."""
        return self._those(lambda line: line.source == source)

    def about(self, attempt: int | None) -> Lines:
        """Those about this attempt; None for those about none."""
        return self._those(lambda line: line.attempt == attempt)

    def matching(self, pattern: str) -> Lines:
        """Those in whose text this regular expression is found."""
        find = re.compile(pattern).search
        return self._those(lambda line: find(line.text) is not None)

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [line.text for line in self]

    def check(
        self, contract: LogContract, trace: Trace = NOTHING, *, succeeded: bool | None = None
    ) -> None:
        """Hold what was said to a contract.

        Args:
            contract: What the client claims.
            trace: Its attempts; of one call, when ``succeeded`` is said.
            succeeded: Whether the call succeeded. When it is None, errors are not counted.

        Raises:
            CheckFailed: With the first finding, and the lines and attempts that prove it.
        """
        __tracebackhide__ = True
        from pytest_resilience.checks import logs

        _fail(logs.judge(self, trace, contract, succeeded=succeeded))

    def check_retries(
        self,
        trace: Trace,
        pattern: str = "",
        *,
        level: int | str = logging.WARNING,
        logger: str | None = None,
        attempt: str | None = "*",
        delay: str | None = "*",
        counts: str = "failed",
    ) -> None:
        """Hold that each retry was logged, with its number and the wait before it.

        Without a pattern, one line of the level must have both numbers, in its text or in
        its fields; with one, a retry has exactly one line that it matches.

        Args:
            trace: The attempts.
            pattern: A regular expression that is found in each retry's line, and in no other.
            level: The level of these lines.
            logger: Only this logger and those below it.
            attempt: Where the attempt's number is: a named group of the pattern, a field,
                or ``"*"`` for anywhere; None does not look for it.
            delay: Where the seconds are, likewise.
            counts: Whether the number is that of the attempt that ``"failed"``, or of the
                ``"next"`` one.

        Raises:
            CheckFailed: With the first retry that is not logged so.
        """
        __tracebackhide__ = True
        from pytest_resilience.policy.logs import LogContract

        groups = re.compile(pattern).groupindex
        contract = LogContract(
            logger=logger,
            retry=pattern,
            retry_level=level,
            attempt="attempt" if attempt == "*" and "attempt" in groups else attempt,
            delay="delay" if delay == "*" and "delay" in groups else delay,
            counts=counts,
            failure_level=None,
            quiet=None,
            one_line=False,
        )
        self.check(contract, trace)

    def table(self) -> str:
        """The lines as a person reads them."""
        return "\n".join(f"  {line}" for line in self)

    def _those(self, wanted: Callable[[Line], bool]) -> Lines:
        return type(self)(line for line in self if wanted(line))

    def __repr__(self) -> str:
        return f"<{len(self)} lines>\n{self.table()}" if self else "<no lines>"


def _fail(found: Sequence[Finding]) -> None:
    __tracebackhide__ = True
    if not found:
        return
    first, *others = found
    more = f" (and {len(others)} more)" if others else ""
    lines = [first.sentence + more, *first.evidence, *(one.sentence for one in others)]
    raise CheckFailed("\n".join(lines))


def number(level: int | str) -> int:
    """The number of a level.

    Raises:
        ValueError: There is no level of this name.
    """
    if isinstance(level, int):
        return level
    known = logging.getLevelNamesMapping()
    if level.upper() not in known:
        raise ValueError(f"no level is called {level!r}; there are: {', '.join(known)}")
    return known[level.upper()]
