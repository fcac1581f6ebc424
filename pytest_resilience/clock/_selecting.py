"""select, poll, epoll and the selectors made of them, in virtual time.

All of an event loop's waiting is done here: asyncio's in a selector, trio's in an epoll.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import weakref
from collections.abc import Callable, Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_resilience.clock import _foreign, _links
from pytest_resilience.clock._coarse import get_past_timers
from pytest_resilience.clock._here import conducting, due_after, party_of, seconds_until, settle
from pytest_resilience.clock._outliving import move_trio
from pytest_resilience.clock._parties import Reason
from pytest_resilience.clock._polling import OUTSIDE, STATE, note_look, note_nothing, note_park
from pytest_resilience.clock._running import loop_of_asyncio, runner_of_trio
from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor

real_select = select.select
real_poll = getattr(select, "poll", None)
real_epoll = getattr(select, "epoll", None)
real_selector_select = selectors.DefaultSelector.select
real_register = selectors.DefaultSelector.register
POLLS = 100
"""So many times a loop may poll in between before it is made to wait for everybody else."""
SELECT_EVENTS = (select.POLLIN, select.POLLOUT, select.POLLPRI)


class Waited(Protocol):
    """What is waited for."""

    @property
    def fds(self) -> Container[int]:
        """The descriptors that are waited for."""

    @property
    def pipes(self) -> Iterable[int]:
        """Those of them that may be pipes."""

    def look(self, seconds: float | None) -> Any:
        """Find what is ready, within so many real seconds."""

    def one(self) -> contextlib.AbstractContextManager[int]:
        """A descriptor that becomes readable when there is something to find."""


def wait(what: str, timeout: float | None, waited: Waited) -> Any:
    """What is ready, within the timeout: seconds, None for no end."""
    conductor = conducting()
    if conductor is None:
        return waited.look(timeout)
    if timeout is not None and timeout <= 0:
        note_look(conductor, OUTSIDE if _foreign.any_busy(waited.fds, waited.pipes) else STATE)
        if _links.touched():
            settle(conductor)
        return waited.look(0)
    found = () if _links.touched() else waited.look(0)
    if _something(found):
        return found
    with waited.one() as fd:
        return _park(conductor, what, timeout, waited, fd)


def _something(found: Any) -> bool:
    return any(found) if isinstance(found, tuple) else bool(found)  # select's are three lists


def _park(conductor: Conductor, what: str, timeout: float | None, waited: Waited, fd: int) -> Any:
    party = party_of(conductor)
    due = due_after(conductor, timeout)
    paced = _foreign.any_busy(waited.fds, waited.pipes)
    while True:
        reason = conductor.park(party, what, due, (fd, select.POLLIN), paced=paced)
        if reason is Reason.STOPPED:
            move_trio(conductor)
            return waited.look(seconds_until(conductor, due))
        found = waited.look(0)
        if reason is Reason.DUE or _something(found):
            note_park(conductor, party, reason)
            return found


# Selectors made of a descriptor (epoll, kqueue)

_pipes: weakref.WeakKeyDictionary[Any, set[int]] = weakref.WeakKeyDictionary()


def register(self: Any, fileobj: Any, events: int, data: Any = None) -> Any:
    """Selector.register."""
    key = real_register(self, fileobj, events, data)
    if _foreign.is_pipe(key.fd):
        _pipes_of(self).add(key.fd)
    return key


def _pipes_of(selector: Any) -> set[int]:
    pipes = _pipes.get(selector)
    if pipes is None:
        pipes = _pipes[selector] = set(filter(_foreign.is_pipe, selector._fd_to_key))
    return pipes


class _OfSelector:
    def __init__(self, selector: Any) -> None:
        self._selector = selector
        self.fds: Container[int] = selector._fd_to_key

    @property
    def pipes(self) -> Iterable[int]:
        return _pipes_of(self._selector)

    def look(self, seconds: float | None) -> Any:
        return real_selector_select(self._selector, seconds)

    def one(self) -> contextlib.AbstractContextManager[int]:
        return contextlib.nullcontext(self._selector.fileno())


def selector_select(self: Any, timeout: float | None = None) -> Any:
    """Selector.select."""
    conductor = conducting()
    if conductor is None:
        return real_selector_select(self, timeout)
    loop = _loop_of(self)
    if loop is None:
        return wait("an event loop's I/O", timeout, _OfSelector(self))
    return _select_of_loop(self, loop, conductor, timeout)


def _select_of_loop(selector: Any, loop: Any, conductor: Conductor, timeout: float | None) -> Any:
    """What is ready for asyncio's loop: found only when everybody else waits.

    *Problem.* A loop that has something to run polls in between, and what it finds then
    depends on how far the server has got in real time: so would the order of its tasks.

    *Solution.* It is shown nothing before it waits itself, and then all of this moment, in
    the order in which it has registered. A loop that never waits is made to, now and then.
    """
    party = party_of(conductor)
    if loop not in conductor.loops:
        with conductor.lock:
            conductor.loops.add(loop)
    if timeout is not None and timeout <= 0:
        note_look(conductor, OUTSIDE if _pipes_of(selector) else STATE)
        get_past_timers(conductor, party)
        party.polls += 1
        if party.polls < POLLS:
            return []
    party.polls = 0
    found = _park(
        conductor, "an event loop's I/O", timeout, _OfSelector(selector), selector.fileno()
    )
    if len(found) > 1:
        places = {fd: number for number, fd in enumerate(selector._fd_to_key)}
        found.sort(key=lambda ready: places[ready[0].fd])
    return found


def _loop_of(selector: Any) -> Any:
    """The loop of asyncio that runs in this thread, if it waits by this selector."""
    loop = loop_of_asyncio()
    return loop if getattr(loop, "_selector", None) is selector else None


# select


class _OfSelect:
    def __init__(self, lists: tuple[list[Any], list[Any], list[Any]]) -> None:
        self._lists = lists
        self._masks: dict[int, int] = {}
        for things, events in zip(lists, SELECT_EVENTS, strict=True):
            for thing in things:
                fd = _fileno(thing)
                self._masks[fd] = self._masks.get(fd, 0) | events
        self.fds: Container[int] = self._masks

    @property
    def pipes(self) -> Iterable[int]:
        return self._masks

    def look(self, seconds: float | None) -> Any:
        return real_select(*self._lists, seconds)

    def one(self) -> contextlib.AbstractContextManager[int]:
        return _as_one(self._masks)


def select_select(
    _: object, rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    """select.select."""
    if conducting() is None:
        return real_select(rlist, wlist, xlist, timeout)
    lists = (list(rlist), list(wlist), list(xlist))
    found: tuple[list[Any], list[Any], list[Any]] = wait("select()", timeout, _OfSelect(lists))
    return found


def _fileno(thing: Any) -> int:
    return thing if isinstance(thing, int) else int(thing.fileno())


@contextlib.contextmanager
def _as_one(masks: dict[int, int]) -> Iterator[int]:
    """Several descriptors as one, for as long as a wait lasts."""
    assert real_epoll is not None
    epoll = real_epoll()
    try:
        for fd, events in masks.items():
            with contextlib.suppress(PermissionError):  # A plain file is always ready.
                epoll.register(fd, events)
        yield epoll.fileno()
    finally:
        epoll.close()


class Poll:
    """select.poll(), whose waits a virtual clock can see."""

    def __init__(self) -> None:
        assert real_poll is not None
        self._real: Any = real_poll()
        self.fds: dict[int, int] = {}

    def register(self, fd: Any, eventmask: int = 7) -> None:
        """As poll's."""
        self._real.register(fd, eventmask)
        self.fds[_fileno(fd)] = eventmask

    def modify(self, fd: Any, eventmask: int) -> None:
        """As poll's."""
        self._real.modify(fd, eventmask)
        self.fds[_fileno(fd)] = eventmask

    def unregister(self, fd: Any) -> None:
        """As poll's."""
        self._real.unregister(fd)
        self.fds.pop(_fileno(fd), None)

    def poll(self, timeout: float | None = None, /) -> Any:
        """As poll's; the timeout is in milliseconds."""
        endless = timeout is None or timeout < 0
        found = wait("poll()", None if endless or timeout is None else timeout / 1000, self)
        if timeout == 0 and not found:
            note_nothing(self)
        return found

    @property
    def pipes(self) -> Iterable[int]:
        """See `Waited`."""
        return self.fds

    def look(self, seconds: float | None) -> Any:
        """See `Waited`."""
        return self._real.poll(None if seconds is None else seconds * 1000)

    def one(self) -> contextlib.AbstractContextManager[int]:
        """See `Waited`."""
        return _as_one(self.fds)


class Epoll:
    """select.epoll(), whose waits a virtual clock can see."""

    def __init__(self, sizehint: int = -1, flags: int = 0) -> None:
        assert real_epoll is not None
        self._take(real_epoll(sizehint, flags))

    def _take(self, real: Any) -> None:
        self._real = real
        self._most = -1
        self.fds: set[int] = set()
        self.pipes: set[int] = set()
        self.fileno = real.fileno
        self.modify = real.modify
        self.close = real.close

    @classmethod
    def fromfd(cls, fd: int, /) -> Self:
        """As epoll's."""
        assert real_epoll is not None
        self = cls.__new__(cls)
        self._take(real_epoll.fromfd(fd))
        return self

    @classmethod
    def of(cls, real: Any, fds: Iterable[int]) -> Self:
        """One that is there already, and waits for these."""
        self = cls.__new__(cls)
        self._take(real)
        self.fds.update(fds)
        self.pipes.update(filter(_foreign.is_pipe, fds))
        return self

    @property
    def closed(self) -> bool:
        """As epoll's."""
        return bool(self._real.closed)

    def register(self, fd: Any, *args: Any, **kwargs: Any) -> None:
        """As epoll's."""
        self._real.register(fd, *args, **kwargs)
        number = _fileno(fd)
        self.fds.add(number)
        if _foreign.is_pipe(number):
            self.pipes.add(number)

    def unregister(self, fd: Any) -> None:
        """As epoll's."""
        self._real.unregister(fd)
        self.fds.discard(_fileno(fd))

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> Any:
        """As epoll's; the timeout is in seconds."""
        self._most = maxevents
        endless = timeout is None or timeout < 0
        return wait("an event loop's I/O", None if endless else timeout, self)

    def look(self, seconds: float | None) -> Any:
        """See `Waited`."""
        return self._real.poll(seconds, self._most)

    def one(self) -> contextlib.AbstractContextManager[int]:
        """See `Waited`."""
        return contextlib.nullcontext(self._real.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def see_into_trio(undo: Callable[[Callable[[], object]], object]) -> None:
    """Let trio's loop wait in virtual time that runs in this thread and began before the clock."""
    manager: Any = getattr(runner_of_trio(), "io_manager", None)
    real = getattr(manager, "_epoll", None)
    if real_epoll is not None and isinstance(real, real_epoll):
        manager._epoll = Epoll.of(real, manager._registered)
        undo(lambda: setattr(manager, "_epoll", real))
