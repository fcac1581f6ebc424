"""The token in use, and how many threads get by with one login."""

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from gds_vault.mounts import Mount
from gds_vault.text import Secret

# The last tenth of a token's life is left unused, but never more than five minutes, so
# that a request never sets out with a token that ends on the way.
UNUSED_SHARE = 0.1
UNUSED_SECONDS = 300.0

# How long a token that replaced a refused one, and is refused as well, is left in use. A
# server that refuses everything then sees one login a minute, not one for each call.
PROBATION_SECONDS = 60.0

LONGEST_LEASE = 2**63 / 1e9  # a Go duration counts nanoseconds in 64 bits

SecretKey = tuple[str, int | None]


@dataclass(eq=False)
class Login:
    """A token, and all that was learnt with it.

    The caches live here because what one token may read says nothing about what the
    next one may. So a cached secret is never older than the token in use. Secrets are kept
    as JSON: reading it makes a copy for each caller, also where `copy.deepcopy` would be too
    deep for the stack.
    """

    token: Secret
    good_until: float
    secrets: dict[SecretKey, str] = field(default_factory=dict, repr=False)
    mounts: dict[str, Mount | None] = field(default_factory=dict, repr=False)

    accepted: bool = False
    replaced_in_vain: bool = False
    probation_until: float = -math.inf

    @property
    def is_good(self) -> bool:
        """Whether the token may still be used, as far as we know."""
        return time.monotonic() < self.good_until

    @property
    def is_on_probation(self) -> bool:
        """Whether a refusal of this token is no reason to get yet another one.

        It is one for a token that was accepted and then ended, as a token for one use does.
        But where it was refused like the one before it, other paths may accept it all the same.
        """
        is_doubtful = self.replaced_in_vain or not self.accepted
        return is_doubtful and time.monotonic() < self.probation_until


def usable_seconds(lease_duration: float) -> float:
    """How much of a lease is used. Vault's 0 means that the token does not expire."""
    if lease_duration == 0:
        return math.inf
    return lease_duration - min(lease_duration * UNUSED_SHARE, UNUSED_SECONDS)


def granted(answer: object) -> tuple[Secret, float] | None:
    """Take the token and its lease, in seconds, from the answer to a login.

    None when they are not there, or could not be sent or counted. It does not raise, so
    that no traceback passes here, where the token can be seen.
    """
    auth = answer.get("auth") if isinstance(answer, Mapping) else None
    if not isinstance(auth, Mapping):
        return None
    token, lease = auth.get("client_token"), auth.get("lease_duration")
    # requests would quote a token that cannot be a header in its exception.
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        return None
    if not isinstance(lease, int | float) or not 0 <= lease <= LONGEST_LEASE:
        return None
    return Secret(token), lease


class Logins:
    """Logs in when there is no good token; who comes while that is under way waits for it.

    Waiters share the outcome, an error included. Otherwise an outage would meet one
    login for each thread, one after the other, each waiting for its own timeout.
    """

    def __init__(self, log_in: Callable[[], Login]) -> None:
        self._log_in = log_in
        # Held during a login. Others wait for this and for nothing else, because a lock is
        # given back wherever Ctrl-C strikes. The thread that holds it may call a log handler
        # that needs a secret, too: so it is let in again.
        self._under_way = threading.RLock()
        self._flight: Future[Login] | None = None
        self._lock = threading.Lock()  # guards the next; never held during a request
        self._login: Login | None = None

    def current(self) -> Login:
        """Return the login in use, or a new one when there is none or it is about to end."""
        return self._good() or self._share(renew=False)

    def replace(self, refused: Login) -> Login:
        """Return another login than the one that Vault has refused."""
        self.drop(refused)
        login = self.current()
        login.probation_until = time.monotonic() + PROBATION_SECONDS
        return login

    def renew(self) -> Login:
        """Log in, whatever token there is."""
        return self._share(renew=True)

    def peek(self) -> Login | None:
        """Return the login in use, if there is one; never asks Vault."""
        return self._login

    def drop(self, login: Login | None = None) -> None:
        """Forget the login in use; if one is named, only when it is that one."""
        with self._lock:
            if login is None or self._login is login:
                self._login = None

    def start_anew(self) -> None:
        """Forget a login under way, and who held the locks: in a fork they never end."""
        self._under_way, self._lock, self._flight = threading.RLock(), threading.Lock(), None

    def _good(self) -> Login | None:
        login = self._login
        return login if login is not None and login.is_good else None

    def _share(self, *, renew: bool) -> Login:
        flight = self._flight
        if flight is not None and flight.done():
            flight = None  # over, and left behind by a Ctrl-C
        with self._under_way:
            if flight is not None and flight.done():
                return flight.result()
            if not renew and (login := self._good()) is not None:
                return login
            return self._fly()

    def _fly(self) -> Login:
        flight = self._flight = Future()
        try:
            login = self._log_in()
            with self._lock:
                self._login = login
            flight.set_result(login)
        except Exception as exc:
            flight.set_exception(exc)
            raise
        finally:
            self._flight = None
        return login
