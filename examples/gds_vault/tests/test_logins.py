"""One login at a time, and its outcome for everybody who waits for it."""

import math
from concurrent.futures import Future

import pytest
import requests

from gds_vault.logins import Login, Logins
from gds_vault.text import Secret


class Desk:
    """Logs in, and meanwhile does what another thread does that needs a token too."""

    def __init__(self, *outcomes: BaseException | None) -> None:
        self.outcomes = list(outcomes)
        self.logins = Logins(self.log_in)
        self.waiting: list[Future[Login]] = []

    def log_in(self) -> Login:
        """Come as the other thread, see that one is to wait, and end as told."""
        flight, is_mine = self.logins._board()
        assert not is_mine
        self.waiting.append(flight)
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        return Login(Secret("hvs.token"), math.inf)


def test_who_comes_during_a_login_gets_that_login() -> None:
    """The login is asked for once and is the same for all."""
    desk = Desk(None)

    login = desk.logins.current()

    assert desk.waiting[0].result(0) is login
    assert desk.logins.current() is login


def test_a_failed_login_fails_for_all_who_waited_and_for_nobody_else() -> None:
    """An outage meets one login, not one for each thread; the next who asks tries again."""
    failure = requests.ConnectionError("Connection refused")
    desk = Desk(failure, None)

    with pytest.raises(requests.ConnectionError):
        desk.logins.current()

    assert desk.waiting[0].exception(0) is failure
    assert desk.logins.current().token.reveal() == "hvs.token"


def test_an_interrupted_login_is_a_failure_that_may_pass_for_the_others() -> None:
    """Ctrl-C ends the thread that it reaches; those that waited for its login try again."""
    desk = Desk(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        desk.logins.current()

    assert repr(desk.waiting[0].exception(0)) == "ConnectionError('Login interrupted')"


def test_dropping_an_old_login_leaves_the_new_one() -> None:
    """A thread that comes late with its refused token does not throw away the new one."""
    desk = Desk(None, None)
    old, new = desk.logins.current(), desk.logins.renew()

    desk.logins.drop(old)

    assert desk.logins.peek() is new
