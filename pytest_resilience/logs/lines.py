"""`Lines`: what was said, to choose from and to assert on."""

from __future__ import annotations

import abc
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Self

from pytest_resilience.errors import CheckFailed, ResilienceError
from pytest_resilience.logs.line import Line
from pytest_resilience.records import Trace

if TYPE_CHECKING:
    from pytest_resilience.checks.finding import Finding
    from pytest_resilience.policy.logs import LogContract

Mask = Callable[[str], str]

SOURCES = ("logging", "structlog", "warnings", "stdout", "stderr", "file")


class Choosing(abc.ABC):
    """What lines can be asked for; of a recorder it is asked as of its lines."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def lines(self) -> Lines:
        """All that there are now."""

    def at(self, level: int | str) -> Lines:
        """Those of exactly this level, by its name or number."""
        wanted = number(level)
        return self.those(lambda line: line.level == wanted)

    def above(self, level: int | str) -> Lines:
        """Those of this level or a higher one."""
        wanted = number(level)
        return self.those(lambda line: line.level is not None and line.level >= wanted)

    def of(self, logger: str) -> Lines:
        """Those of this logger and the ones below it."""
        return self.those(lambda line: f"{line.logger}.".startswith(f"{logger}."))

    def by(self, source: str) -> Lines:
        """Those of this source: logging, structlog, warnings, stdout, stderr or file."""
        if source not in SOURCES:
            raise ValueError(f"no source is called {source!r}; there are: {', '.join(SOURCES)}")
        return self.those(lambda line: line.source == source)

    def about(self, attempt: int | None) -> Lines:
        """Those about this attempt; None for those about none."""
        if not isinstance(attempt, int | None):
            raise ValueError(f"about({attempt!r}): wanted the number of an attempt, or None")  # noqa: TRY004 -- as of a level
        return self.those(lambda line: line.attempt == attempt)

    def matching(self, pattern: str) -> Lines:
        """Those in whose text this regular expression is found."""
        find = re.compile(pattern).search
        return self.those(lambda line: find(line.text) is not None)

    def those(self, wanted: Callable[[Line], bool]) -> Lines:
        """Those of which this is true."""
        lines = self.lines
        return Lines(filter(wanted, lines), trace=lines.trace, mask=lines.mask)

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [line.text for line in self.lines]

    def check(
        self,
        contract: LogContract,
        *,
        trace: Trace | None = None,
        succeeded: bool | None = None,
    ) -> None:
        """Hold what was said to a contract.

        Args:
            contract: What the client claims.
            trace: The attempts; by default those of the one server that there is. Of one
                call, when ``succeeded`` is said.
            succeeded: Whether the call succeeded. When it is None, errors are not counted.

        Raises:
            CheckFailed: With the first finding, and the lines and attempts that prove it.
        """
        __tracebackhide__ = True
        from pytest_resilience.checks import logs

        lines = self.lines
        attempts = lines.trace if trace is None else trace
        if attempts is None:
            raise ResilienceError("of several servers, say which one: trace=server.trace")
        found = logs.judge(lines, attempts, contract, succeeded=succeeded)
        if found:
            raise CheckFailed(lines.mask(_in_words(found)))

    def check_retries(
        self,
        pattern: str = "",
        *,
        trace: Trace | None = None,
        level: int | str = logging.WARNING,
        logger: str | None = None,
        attempt: str | None = "*",
        delay: str | None = "*",
        counts: str = "failed",
    ) -> None:
        """Hold that each retry was logged, with its number and the wait before it.

        Without a pattern, one line of the level must have both numbers, in its text or in
        its fields; with one, a retry has exactly one line of the level that it matches.

        Args:
            pattern: A regular expression that is found in each retry's line, and in no other.
            trace: The attempts; by default those of the one server that there is.
            level: The level of these lines.
            logger: Only this logger and those below it.
            attempt: Where the attempt's number is: a named group of the pattern, a field,
                or ``"*"`` for anywhere; None does not look for it.
            delay: Where the seconds are, likewise.
            counts: Whether the number is that of the attempt that ``"failed"``, or of the
                ``"next"`` one.

        Raises:
            CheckFailed: With the first retry that is not logged so.
            PolicyError: The pattern, or where it is to be found, cannot be meant.
        """
        __tracebackhide__ = True
        from pytest_resilience.policy.logs import LogContract

        groups = LogContract(retry=pattern).groups
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
        self.check(contract, trace=trace)


def _as_it_is(text: str) -> str:
    return text


class Lines(tuple[Line, ...], Choosing):  # noqa: SLOT001 -- it knows more than a tuple
    r"""What was said, in order: a tuple of lines that can be narrowed down.

    ::

        logs.at("WARNING").matching(r"attempt (\d+) failed")
    """

    trace: Trace | None
    """The attempts that the lines were joined to; None when they are of several servers."""
    mask: Mask
    """Takes secrets out of what is shown."""

    def __new__(
        cls, lines: Iterable[Line] = (), *, trace: Trace | None = None, mask: Mask = _as_it_is
    ) -> Self:
        """Lines that know what they are about."""
        self = super().__new__(cls, lines)
        self.trace, self.mask = trace, mask
        return self

    @property
    def lines(self) -> Lines:
        """These."""
        return self

    def table(self) -> str:
        """The lines as a person reads them."""
        return self.mask("\n".join(f"  {line}" for line in self))

    def __repr__(self) -> str:
        # On one line, because pytest shows it so.
        count = f"{len(self)} line{'' if len(self) == 1 else 's'}"
        return f"<{count}: {self.mask(' | '.join(map(str, self)))}>" if self else "<no lines>"


def _in_words(found: Sequence[Finding]) -> str:
    first, *others = found
    more = f" (and {len(others)} more)" if others else ""
    return "\n".join([first.sentence + more, *first.evidence, *(one.sentence for one in others)])


def number(level: int | str) -> int:
    """The number of a level.

    Raises:
        ValueError: There is no level of this name.
    """
    if isinstance(level, int):
        return level
    known = logging.getLevelNamesMapping()
    name = str(level).upper()
    if name not in known:
        raise ValueError(f"no level is called {level!r}; there are: {', '.join(known)}")
    return known[name]
