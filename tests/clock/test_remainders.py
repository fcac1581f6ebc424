"""What no other law of the clock's runs into by itself."""

from __future__ import annotations

import errno
import functools
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from pytest_resilience import FakeServer, VirtualClock, faults
from pytest_resilience.clock import (
    Job,
    _current,
    _ends,
    _foreign,
    _here,
    _kernel,
    _links,
    _moments,
    _polling,
    _references,
    _swaps,
    _threads,
    _watchers,
    interrupt,
)
from pytest_resilience.clock._ends import CLOSED, ESTABLISHED, Counts
from pytest_resilience.clock._parties import Party, Reason, Standing

if TYPE_CHECKING:
    from pytest_resilience.clock._conductor import Conductor


def test_an_interrupted_wait(clock: VirtualClock) -> None:
    """A thread that waits in virtual time can be got out of it, and one that has ended cannot."""
    seen: list[BaseException] = []

    def wait() -> None:
        try:
            threading.Event().wait()
        except ValueError as error:
            seen.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(1)
    error = ValueError("enough")
    assert interrupt(thread, error)
    thread.join()
    assert seen == [error]
    assert not interrupt(thread, error)


def test_no_clock_to_interrupt() -> None:
    """Without a clock nobody waits in virtual time, and no job is waited for."""
    assert not interrupt(threading.main_thread(), ValueError())
    Job(lambda: None).expect()


def test_a_process_that_is_looked_at_in_real_time(clock: VirtualClock) -> None:
    """It is no look of a thread whose time is real."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with _here.in_real_time():
            assert child.poll() is None
        child.communicate(b"\n")


def test_waits_among_the_looks(clock: VirtualClock) -> None:
    """Whoever has waited meanwhile is no loop before the patience."""
    conductor = clock._conductor
    assert conductor is not None
    looks = conductor.me(str).looks
    looks.begin(0)
    looks.count, looks.parks, looks.cpu_ns = _polling.LOOKS, 1, 10**18
    assert not _polling._is_loop(conductor, looks)


def test_a_failure_that_reaches_nobody(
    clock: VirtualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said once."""
    conductor = clock._conductor
    assert conductor is not None
    assert not conductor._fail("why")
    assert not conductor._fail("why")
    assert capsys.readouterr().err.count("pytest-resilience: why") == 1
    assert len(conductor.reports) == 1
    conductor.reports.clear()


def test_sockets_and_names(server: FakeServer) -> None:
    """A socket is no pipe, localhost is one of ours by its port, and who was never linked goes."""
    with socket.socket() as sock:
        assert not _foreign.is_pipe(sock.fileno())
        assert _links.ours(("localhost", server.port))
        assert not _links.ours(("localhost", 1))
        key = ("127.0.0.1", 1, 1)
        _links.serve(key, sock)
        _links.unserve(key)
    assert not _links.touched() or key not in _links._touched


# False alarms: whoever is woken looks again, and waits on


@pytest.fixture
def conductor(clock: VirtualClock) -> Conductor:
    """The clock's conductor."""
    assert clock._conductor is not None
    return clock._conductor


def woken_at(conductor: Conductor, wait: Callable[[], object], end: Callable[[], object]) -> float:
    """When the wait has ended which is disturbed at 1, and whose end comes at 2."""
    ended: list[float] = []

    def run() -> None:
        wait()
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    began = time.monotonic()
    thread.start()
    time.sleep(1)
    conductor.wake(_threads.parties[thread])
    time.sleep(1)
    end()
    thread.join()
    return ended[0] - began


def test_a_false_alarm_for_a_lock(conductor: Conductor) -> None:
    """It is still taken."""
    lock = threading.Lock()
    lock.acquire()
    assert woken_at(conductor, lock.acquire, lock.release) == 2


def test_a_false_alarm_for_a_poll(conductor: Conductor) -> None:
    """There is still nothing to read."""
    one, other = socket.socketpair()
    with one, other:
        assert (
            woken_at(conductor, lambda: select.select([one], [], []), lambda: other.send(b"x")) == 2
        )


def test_an_alarm_before_the_wait(conductor: Conductor, clock: VirtualClock) -> None:
    """Whoever is woken while it runs, or by a due of a wait that has ended, sleeps its sleep."""
    me = conductor.me(str)
    conductor.wake(me)
    with conductor.lock:
        conductor.rouse(me, Reason.DUE)
    time.sleep(5)
    assert clock.now == 5


def test_one_that_was_given_up(conductor: Conductor, clock: VirtualClock) -> None:
    """A thread of the clock's own that shows itself again is waited for as before."""
    with conductor.lock:
        conductor.lose(conductor.me(str))
    time.sleep(5)
    assert clock.now == 5


def test_threads_that_nobody_can_look_at(
    conductor: Conductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel tells nothing of threads, none is looked for until one tells of itself."""
    monkeypatch.setattr(_kernel, "HAS_PROC", False)
    assert conductor._vigil._look_for_unseen(0) == -1


def test_a_thread_with_the_number_of_another(conductor: Conductor) -> None:
    """Who had it before has ended, whether the new one runs yet or not."""

    def run() -> None:
        for standing in (Standing.RUNNING, Standing.WAITING):
            former = conductor.me(str)
            party = Party(conductor, 99, "the new one", adopted=False)
            party.standing = standing
            party.enter()
            with conductor.lock:
                conductor._admit(party)
            assert former.standing is Standing.OVER
            assert conductor.me(str) is party
        conductor.leave(party)
        seen.append(party.standing)

    seen: list[Standing] = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [Standing.OVER]


def test_two_watchers_of_one_descriptor(conductor: Conductor) -> None:
    """When one has seen enough the other still watches."""
    watchers = _watchers.Watchers(conductor.engine, lambda watcher: None)
    two = [Party(conductor, number, "", adopted=False) for number in (98, 99)]
    one, other = socket.socketpair()
    with one, other:
        for party in two:
            watchers.watch(party, one.fileno(), select.POLLIN)
        watchers.unwatch(two[0], one.fileno())
        assert list(watchers._of[one.fileno()].parties) == [two[1]]
        watchers.unwatch(two[1], one.fileno())
    assert not watchers._of


def test_many_waits_at_one_moment(conductor: Conductor, clock: VirtualClock) -> None:
    """They are no loop before the patience."""
    me = conductor.me(str)
    me.looks.begin(conductor.now_ns)
    me.looks.parks = _polling.SLOW_LOOKS // _polling.PARK_LOOKS - 1
    _polling.note_park(conductor, me, Reason.WOKEN)
    assert me.looks.parks == _polling.SLOW_LOOKS // _polling.PARK_LOOKS
    assert clock.now == 0


def test_moments_that_end(clock: VirtualClock) -> None:
    """Whoever wants to know is told before time moves."""
    seen: list[float] = []

    def look() -> None:
        seen.append(clock.now)

    _moments.ending.append(look)
    time.sleep(5)
    time.sleep(2)
    _moments.ending.remove(look)

    assert seen == [0, 5]


# Sockets


def test_a_wait_for_an_answer_that_outlives_the_clock() -> None:
    """It goes on in real time."""
    come: list[bytes] = []
    one, other = socket.socketpair()
    with one, other:
        with VirtualClock():
            thread = threading.Thread(target=lambda: come.append(one.recv(1)))
            thread.start()
            time.sleep(1)
        other.send(b"x")
        thread.join()
    assert come == [b"x"]


def test_a_timeout_out_there_that_is_woken(clock: VirtualClock) -> None:
    """A false alarm does not end the wait until it has passed here."""
    conductor = _current.conductor
    assert conductor is not None
    party = _here.party_of(conductor)

    def wait() -> None:
        with _here.outside(conductor, "somebody", 5):
            party.pending = True
            raise TimeoutError

    with pytest.raises(TimeoutError):
        wait()
    assert clock.now == 5


def test_a_descriptor_that_is_closed_while_they_are_listed() -> None:
    """It is no end of a pipe."""
    assert not _foreign._is_end(Path("/proc/self/fd/1000000"), Path("pipe:[1]"))


def test_a_unix_socket_that_never_blocks(clock: VirtualClock, tmp_path: Path) -> None:
    """It is connected at once."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as sock:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        sock.settimeout(0)
        sock.connect(str(tmp_path / "socket"))
    assert clock.now == 0


def ends(state: int, sent: int = 0, received: int = 0, unsent: int = 0, unacked: int = 0) -> Counts:
    return Counts(state, unacked, unsent, sent, received)


def test_what_has_arrived() -> None:
    """All that was sent, or nothing more after a reset."""
    with socket.socket() as sock:
        there = ends(ESTABLISHED, received=7)
        assert _ends.arrived(ends(ESTABLISHED, sent=7), there, sock)
        assert not _ends.arrived(ends(ESTABLISHED, sent=8), there, sock)
        assert _ends.arrived(ends(CLOSED, sent=8), there, sock)
        assert not _ends.arrived(ends(ESTABLISHED, sent=7, unsent=1), there, sock)
        assert not _ends.arrived(ends(ESTABLISHED, sent=7, unsent=1, unacked=1), there, sock)


def test_a_connection_whose_ends_go(clock: VirtualClock) -> None:
    """While our FIN is under way it is not quiet; when an end cannot be asked any more, it is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with socket.create_connection(address) as client, listening.accept()[0] as accepted:
            _links.connect(client, address[1])
            key = _links._keys[client]
            _links.serve(key, accepted)
            assert _links._is_quiet(key)
            _links.served_sent(key, finished=True)
            assert not _links._is_quiet(key)
            accepted.close()
            assert _links._is_quiet(key)
            _links.unserve(key)


def test_a_queue_that_has_room(clock: VirtualClock) -> None:
    """It is not full."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        for one, sock in ((("127.0.0.1", 1), None), (address, listening)):
            _links.listen(one, sock)
        assert not _links._is_full(address[1])
        for one in (("127.0.0.1", 1), address):
            _links.unlisten(one)


def test_a_socket_that_is_connected_twice(clock: VirtualClock, server: FakeServer) -> None:
    """The second time it is told so."""
    address = (server.host, server.port)
    with socket.create_connection(address) as sock:
        assert sock.connect_ex(address) == errno.EISCONN
        with pytest.raises(OSError, match="already connected"):
            sock.connect(address)


def test_real_delays(server: FakeServer) -> None:
    """Without a virtual clock a delay is a real one."""
    server.fail(faults.latency(0.001))
    assert requests.get(server.url, timeout=30).status_code == 200


# References


def real() -> None:
    """Something that is referred to."""


def stand_in() -> None:
    """What stands in for it."""


def replaced(holder: object, swap: _swaps.Swap, key: object) -> bool:
    return _references.Place(holder, key, swap).put(real, stand_in)


def test_places_that_hold_something_else_meanwhile() -> None:
    """They are left alone."""

    class Holder:
        method = staticmethod(print)
        value = 1

    assert not replaced(Holder(), _swaps.in_attribute, "value")
    assert not replaced(Holder, _swaps.in_class, "value")
    assert not replaced(Holder.__dict__["method"], _swaps.in_static_method, None)
    assert not replaced(replaced, _swaps.in_default, None)
    assert not replaced([(1,)], _swaps.in_tuple, 0)
    assert (Holder.value, Holder.method) == (1, print)


def test_a_list_and_an_attribute_of_a_partial() -> None:
    """Both are places, of which the second is a dictionary's."""
    functions = [lambda: "real"]
    new = [lambda: "stand-in"]
    references = _references.References([_references.Substitution(functions[0], new[0])])
    references.replace()
    assert functions[0]() == "stand-in"
    references.restore()
    assert functions[0]() == "real"

    partial = functools.partial(print)
    partial.spare = time.sleep  # type: ignore[attr-defined]
    with VirtualClock() as clock:
        partial.spare(5)  # type: ignore[attr-defined]
        assert clock.now == 5
