"""One login at a time, and its outcome for everybody who waits for it."""

import inspect
import itertools
import math
import sys
import threading
import time
from types import FrameType
from typing import Any

import requests

from gds_vault import logins
from gds_vault.logins import Login, Logins
from gds_vault.text import Secret
from helpers import in_threads
from pytest_resilience import VirtualClock


class Desk:
    """Logs in, which takes a second: in virtual time, until all other threads wait for it."""

    def __init__(self, *outcomes: BaseException | None) -> None:
        self.outcomes = list(outcomes)
        self.logins = Logins(self.log_in)

    def log_in(self) -> Login:
        """End as told."""
        outcome = self.outcomes.pop(0)
        time.sleep(1)
        if outcome is not None:
            raise outcome
        return Login(Secret("hvs.token"), math.inf)

    def current(self) -> Login | str:
        """Return the login, or say that this is the thread that Ctrl-C has reached."""
        try:
            return self.logins.current()
        except KeyboardInterrupt:
            return "interrupted"


def test_who_comes_during_a_login_gets_that_login(virtual_clock: VirtualClock) -> None:
    """The login is asked for once and is the same for all."""
    desk = Desk(None)

    first, second, third = in_threads(3, desk.logins.renew)

    assert first is second is third is desk.logins.current()


def test_a_failed_login_fails_for_all_who_waited_and_for_nobody_else(
    virtual_clock: VirtualClock,
) -> None:
    """An outage meets one login, not one for each thread; the next who asks tries again."""
    failure = requests.ConnectionError("Connection refused")
    desk = Desk(failure, None)

    assert in_threads(3, desk.logins.current) == [failure] * 3
    assert desk.logins.current().token.reveal() == "hvs.token"


def test_an_interrupted_login_is_made_by_the_next_who_waits(virtual_clock: VirtualClock) -> None:
    """Ctrl-C ends the thread that it reaches, and is no reason for the others to stop."""
    desk = Desk(KeyboardInterrupt(), None)

    results = in_threads(3, desk.current)

    login = desk.logins.current()
    assert sorted(results, key=str) == [login, login, "interrupted"]


def test_a_log_handler_may_need_a_login_during_a_login() -> None:
    """It is called by the thread that logs in, which must not wait for itself."""
    tokens = iter(["hvs.outer", "hvs.inner"])

    def log_in() -> Login:
        token = next(tokens)
        if token == "hvs.outer":
            assert shared.current().token.reveal() == "hvs.inner"
        return Login(Secret(token), math.inf)

    shared = Logins(log_in)

    assert shared.current().token.reveal() == "hvs.outer"
    assert shared.current().token.reveal() == "hvs.outer"


def is_interrupted(shared: Logins, at: int) -> bool:
    """Log in, and have Ctrl-C strike at this step; return whether there was such a step."""
    lines = inspect.getsource(logins).splitlines()
    steps = itertools.count(1)

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != logins.__file__:
            return None
        # Where a with begins and ends, Python does not look for Ctrl-C.
        is_step = event == "line" and "with" not in lines[frame.f_lineno - 1].split()
        if is_step and next(steps) == at:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        shared.renew()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def logs_in_elsewhere(shared: Logins) -> bool:
    """Whether another thread gets a login."""
    thread = threading.Thread(target=shared.renew, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


def test_wherever_ctrl_c_strikes_nobody_waits_for_ever() -> None:
    """What an interrupted thread leaves behind keeps no other from logging in."""
    shared = Logins(lambda: Login(Secret("hvs.token"), math.inf))
    step = 1
    while is_interrupted(shared, step):
        assert logs_in_elsewhere(shared), f"interrupted at step {step}"
        step += 1

    assert step > 5


def test_dropping_an_old_login_leaves_the_new_one(virtual_clock: VirtualClock) -> None:
    """A thread that comes late with its refused token does not throw away the new one."""
    desk = Desk(None, None)
    old, new = desk.logins.current(), desk.logins.renew()

    desk.logins.drop(old)

    assert desk.logins.peek() is new
