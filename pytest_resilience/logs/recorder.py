"""`Recorder`: everything said while a block runs, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pytest_resilience.clock import Clock, current_clock, moments
from pytest_resilience.logs import _descriptors, _hub, _joining, _own_files
from pytest_resilience.logs.lines import Choosing, Lines
from pytest_resilience.records import Trace

if TYPE_CHECKING:
    from pytest_resilience.logs._entry import Entry
    from pytest_resilience.server.server import FakeServer

SECOND = 1_000_000_000


class Recorder(Choosing):
    """Everything that is said in its block: recorded, and passed on as it was.

    ::

        with Recorder(server) as logs:
            client.get_secret("secret/data/myapp")
        logs.check_retries()
        assert not logs.at("ERROR")

    It hears the standard library's logging (all loggers, whatever their levels and
    handlers), structlog, warnings, stdout, stderr, and what is written to log files.
    Levels, handlers, processors and streams stay as they are, and so does what they
    print. Recorders may overlap.

    Args:
        servers: Each line is joined to the attempt at these servers that it is about. Or a
            function that tells which servers there are.
        mask: Takes secrets out of what is shown of the lines; they themselves stay.

    It cannot see what is guarded by a question of the code's own (``if
    log.isEnabledFor(DEBUG):``) and answered with no. What other processes and C code write to
    the descriptors of stdout and stderr it hears where pytest or ``capfd`` captures them.
    """

    def __init__(
        self,
        *servers: FakeServer | Callable[[], Iterable[FakeServer]],
        mask: Callable[[str], str] | None = None,
    ) -> None:
        self._servers = servers
        self._mask = mask
        self._said: list[tuple[int, tuple[_joining.Mark, ...], Entry]] = []
        self._clock: Clock | None = None
        self._origin_ns = 0
        self._last_ns = 0

    @property
    def lines(self) -> Lines:
        """What was said so far, in order."""
        moments.end()
        said = [
            line
            for at, marks, entry in self._said
            for line in entry.lines(at / SECOND, _joining.nearest(marks))
        ]
        options = {} if self._mask is None else {"mask": self._mask}
        return Lines(said, trace=self._trace(), **options)

    def _trace(self) -> Trace | None:
        """The attempts, when it is clear which server's they are."""
        traces = [server.trace for server in self._watched()]
        busy = [trace for trace in traces if trace]
        return Trace() if not busy else busy[0] if len(busy) == 1 else None

    def clear(self) -> None:
        """Forget what was said so far."""
        _own_files.notice(parted=True)
        self._said.clear()

    def hear(self, entry: Entry) -> None:
        """This is being said; the taps call it."""
        marks = tuple(_joining.mark(server) for server in self._watched() if server.running)
        self._said.append((self._now_ns(), marks, entry))

    def _watched(self) -> list[FakeServer]:
        found: list[FakeServer] = []
        for one in self._servers:
            found.extend(one() if callable(one) else [one])
        return found

    def _now_ns(self) -> int:
        clock = current_clock()
        if clock is not self._clock:
            self._follow(clock)
        self._last_ns = clock.monotonic_ns() - self._origin_ns
        return self._last_ns

    def _follow(self, clock: Clock) -> None:
        """Go by this clock from now on."""
        start: int | None = getattr(clock, "start_ns", None)
        if self._clock is not None and start is not None:
            # A virtual clock that was put on meanwhile counts from its own beginning, so
            # that a line has the time that the trace has.
            self._origin_ns = start
        else:
            self._origin_ns = clock.monotonic_ns() - self._last_ns
        self._clock = clock

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._now_ns()
        _hub.begin(self)
        _descriptors.begin(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Listen no longer, and leave no trace of it."""
        _descriptors.end(self)
        _hub.end(self)
