"""The stage: one client, one server, one clock, and the calls of one scenario at a time."""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.clock import current_clock
from pytest_resilience.clock.virtual import VirtualClock
from pytest_resilience.judge import taps
from pytest_resilience.judge.authorities import read_late
from pytest_resilience.judge.ends import ProcessEnded, no_end
from pytest_resilience.judge.halting import Halted
from pytest_resilience.judge.hands import Ended, Hands, Runner
from pytest_resilience.judge.unseen import unseen_errors
from pytest_resilience.plan import Rule
from pytest_resilience.records import Trace
from pytest_resilience.server.server import FakeServer

if TYPE_CHECKING:
    from pytest_resilience.judge.scenario import Scenario

__all__ = ["HORIZON", "ProcessEnded", "Stage"]

HORIZON = 2_000_000.0
"""Virtual seconds after which a call counts as one that never returns: three weeks."""

SECOND = 1_000_000_000

REST = 120.0
"""Virtual seconds between two scenarios, so that breakers and limits come to rest."""


class Stage:
    """Where scenarios are played. A context manager.

    Args:
        call: The client's call, without arguments.
        server: Its server, which is running.
        is_async: Whether `call` is a coroutine function.
        runner: Runs it, when it is not asyncio's.
        another: The same call with another credential.
    """

    def __init__(
        self,
        call: Callable[[], object],
        server: FakeServer,
        *,
        is_async: bool = False,
        runner: Runner | None = None,
        another: Callable[[], object] | None = None,
    ) -> None:
        self.server = server
        self.client = call
        """The client's call itself, for scenarios that make it in a way of their own."""
        self.is_async = is_async
        self.another = another
        self.rest = REST
        self.keeps = False
        """Whether the client keeps answers, for less than `rest`."""
        self.usual: dict[tuple[str, str], int] = {}
        """How often an undisturbed call asks for each method and target."""
        self.first_outage: Call | None = None
        """How the first one was waited through, before anything could be kept of it."""
        self.stuck = 0
        """How many workers were left behind."""
        self.is_doubtful = False
        """Whether time, in what was observed last, has gone on without a thread: too early,
        perhaps."""
        self._runner = runner
        self._stack = contextlib.ExitStack()
        self._calls: list[Call] = []
        self._thread_errors: list[BaseException] = []
        self._task_errors: list[BaseException] = []
        self._scene = 0
        self._ended = ""
        self._origin = 0
        self._reported = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            self._own_clock = not isinstance(current_clock(), VirtualClock)
            undo.enter_context(read_late())
            self._undo = undo.pop_all()
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self.server.new_trace()
        self._undo.close()

    def _open(self) -> None:
        clock = current_clock()
        if self._own_clock:
            clock = self._stack.enter_context(VirtualClock(patience=1.0))
        assert isinstance(clock, VirtualClock)
        self.clock = clock
        self._stack.enter_context(no_end(self._note_end))
        self._stack.enter_context(self._no_silent_threads())
        self._stack.enter_context(unseen_errors(lambda: self._scene, self._note_task))
        self._stack.enter_context(_warned_only())
        self.connect_timeouts = self._stack.enter_context(
            taps.connect_timeouts(lambda: self.now_ns)
        )
        self.hands = Hands(is_async=self.is_async, runner=self._runner)

    def _close(self) -> None:
        if not self.hands.close():
            self.stuck += 1
        self._stack.close()

    def renew(self) -> None:
        """A new worker, and a new clock, in place of those that a call holds for ever."""
        self._close()
        self._open()

    # What a scenario may do

    @property
    def now_ns(self) -> int:
        """Nanoseconds since the scenario began."""
        return self.clock.monotonic_ns() - self._origin

    def fail(self, *faults: object, **options: object) -> Rule:
        """Plan faults, as ``FakeServer.fail`` does."""
        return self.server.fail(*faults, **options)  # type: ignore[arg-type]  # it checks them itself

    def call(self, function: Callable[[], object] | None = None, *, limit: float = HORIZON) -> Call:
        """Make one call, wait for its end, and note it.

        Args:
            function: Made in place of the client's own call.
            limit: Virtual seconds after which it counts as one that never returns.
        """
        began, seen = self.now_ns, len(self.server.trace)
        ended = self.hands.call(function or self.client, limit)
        return self._note(began, seen, ended)

    def together(self, count: int, *, limit: float = HORIZON) -> list[Call]:
        """Make as many calls at once, and note them; coroutines in one loop, others in threads."""
        began, seen = self.now_ns, len(self.server.trace)
        ends: list[int | None] = [None] * count

        def one(place: int) -> Callable[[], object]:
            def call() -> object:
                try:
                    return self.client()
                finally:
                    ends[place] = self.now_ns

            return call

        calls = [one(place) for place in range(count)]
        outcomes = self.hands.together(calls, limit)
        trace = self.server.trace[seen:]
        for place, outcome in enumerate(outcomes):
            self._calls.append(_call(outcome, began, ends[place], trace, place))
        return self._calls[-count:]

    def error_body(self, fault: object) -> str:
        """The body of a status fault as this server sends it; empty for other faults."""
        if not isinstance(fault, int) or not len(self.server.trace):
            return ""
        body = self.server.error_answer(fault, self.server.trace[0]).whole
        return body.decode(errors="replace")

    def advance(self, seconds: float) -> None:
        """Let time pass between two calls."""
        self.clock.advance(seconds)

    @property
    def open_connections(self) -> int:
        """How many connections to the server are open."""
        listener = self.server._listener  # noqa: SLF001 -- nobody else has to know
        return len(listener.connections) if len(self.server.trace) and listener else 0

    def forget(self) -> None:
        """Hold none of what calls have returned and raised; connections may hang on it."""
        self._calls = [replace(call, value=None, error=None) for call in self._calls]
        self._thread_errors.clear()
        self._task_errors.clear()

    def remember_outage(self) -> None:
        """The last call met the first outage of all."""
        self.first_outage = replace(self._calls[-1], value=None, error=None)

    # Playing

    def play(self, scenario: Scenario, baseline: Call) -> Observation:
        """Play one scenario from its beginning to its end."""
        self.begin()
        facts = scenario.play(self)
        observation = self.observe(scenario.name, baseline, facts)
        if any(call.never_returned for call in observation.calls):
            self.renew()
        return observation

    def begin(self) -> None:
        """An empty trace, an empty plan, and time from 0, on a whole second for dates."""
        self.clock.advance(-self.clock.monotonic_ns() % SECOND / SECOND)
        self.server.new_trace()
        self._origin = self.clock.monotonic_ns()
        self._calls = []
        self._thread_errors = []
        self._task_errors = []
        self._scene += 1
        self._ended = ""
        self._reported = len(self.clock.reports)

    def recover(self) -> None:
        """Let time pass and make a call that works, so that no scenario inherits from another."""
        self.begin()
        self.advance(self.rest)
        self.call()
        if self.keeps:
            self.advance(self.rest)

    def observe(self, name: str, baseline: Call, facts: object = None) -> Observation:
        """What was seen since the beginning."""
        self.is_doubtful = len(self.clock.reports) > self._reported
        return Observation(
            scenario=name,
            calls=tuple(self._calls),
            trace=self.server.trace,
            baseline=baseline,
            thread_errors=tuple(self._thread_errors),
            task_errors=tuple(self._task_errors),
            ended_process=self._ended,
            facts=facts if isinstance(facts, Mapping) else {},
        )

    def _note(self, began: int, seen: int, ended: Ended | None) -> Call:
        trace: Trace = self.server.trace[seen:]
        call = replace(_call(ended, began, self.now_ns, trace), usual=self.usual)
        self._calls.append(call)
        return call

    # What a client must not do to us

    def _note_end(self, how: str) -> None:
        self._ended = how

    def _note_task(self, scene: int, error: BaseException) -> None:
        """A task that was thrown away late is no matter of the scenario that is on by then."""
        if scene == self._scene:
            self._task_errors.append(error)

    @contextlib.contextmanager
    def _no_silent_threads(self) -> Iterator[None]:
        """What a thread of the client dies of is noted, and nobody else hears of it."""
        real, real_unraisable = threading.excepthook, sys.unraisablehook

        def note(arguments: threading.ExceptHookArgs) -> None:
            # One that leaves by sys.exit() has not died: threading says nothing of it either.
            if not isinstance(arguments.exc_value, SystemExit | None):
                self._thread_errors.append(arguments.exc_value)

        def note_of_a_bare_one(arguments: sys.UnraisableHookArgs) -> None:
            # CPython's thread_run says so of what `_thread` has started.
            bare = "in thread started by" in str(arguments.err_msg)
            if bare and arguments.exc_value:  # pragma: no cover -- no tracer is on a bare thread
                self._thread_errors.append(arguments.exc_value)
                return
            real_unraisable(arguments)

        threading.excepthook, sys.unraisablehook = note, note_of_a_bare_one
        try:
            yield
        finally:
            threading.excepthook, sys.unraisablehook = real, real_unraisable


@contextlib.contextmanager
def _warned_only() -> Iterator[None]:
    """What a client forgets to await or to close is a finding, and no error of who judges it.

    Python raises it where nobody can catch it when warnings are errors.
    """
    with warnings.catch_warnings():
        forgotten = "coroutine .* was never awaited"
        warnings.filterwarnings("default", message=forgotten, category=RuntimeWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def _call(ended: Ended | None, began: int, end: int | None, trace: Trace, thread: int = 0) -> Call:
    """One that had to be halted never came back."""
    if ended is None or isinstance(ended[1], Halted):
        return Call(began, None, trace=trace, thread=thread)
    return Call(began, end, *ended, trace, thread)
