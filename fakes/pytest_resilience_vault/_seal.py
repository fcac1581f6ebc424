"""Sealed, unsealed, active, standby: what the server is, whatever the request (vault/core.go)."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_resilience_vault._errors import Refused, bad_request
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._times import is_past, stamp

SHARES, THRESHOLD = 5, 3
"""What `vault operator init` makes if nobody says otherwise."""

SHORTEST, LONGEST = 16, 33
"""Bytes of a share."""

FAILED = "cipher: message authentication failed"
WRONG_KEY = (
    f"unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: {FAILED}"
)

STEP_DOWN_SECONDS = 10
"""How long a node keeps out of the election after it was told to step down."""

HEARTBEAT = 5
"""Seconds between two calls of a standby at the active node (clusterHeartbeatInterval)."""

STANDBY, PERFORMANCE_STANDBY, DR_SECONDARY = "standby", "performance_standby", "dr_secondary"
FIRST_INDEX = 30
"""About what initializing writes."""

KINDS = (STANDBY, PERFORMANCE_STANDBY, DR_SECONDARY)
"""What a node may be besides active; the latter two in Vault Enterprise only."""


@dataclass(frozen=True, slots=True)
class Key:
    """What encrypts the storage."""

    term: int
    installed: float
    index: int
    """Of the state when it was installed."""

    def shown(self, index: int) -> dict[str, Any]:
        """As sys/key-status shows it."""
        installed, count = stamp(self.installed), index - self.index
        return {"encryptions": count, "install_time": installed, "term": self.term}


class Seal:
    """The seal and the node's part in its cluster."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self.initialized = True
        self.shares, self.threshold = SHARES, THRESHOLD
        self.keys = new_keys(SHARES)
        self.sealed = False
        self.nonce = ""
        self._given: list[bytes] = []
        self.cluster_id = new_uuid()
        self.cluster_name = f"vault-cluster-{secrets.token_hex(4)}"
        self.active_since = time()
        self.kind = STANDBY
        """What it is while it is not active."""
        self.leader = ""
        """The active node's address, if it is another one and known."""
        self.forwards = False
        self.cut_off = False
        """Whether its calls at the active node are not answered any more."""
        self._standby_since = 0.0
        self.behind_until = 0.0
        """Until when a performance standby has not caught up with the active node."""
        self.index = FIRST_INDEX
        """How many writes the storage has seen."""
        self.key = Key(1, time(), 0)
        self._applied = 0
        self._standby_until = 0.0
        self.opened: Callable[[], None] = lambda: None
        """Called when it has been unsealed."""

    def rotate(self) -> None:
        """Encrypt with a new key."""
        self.key = Key(self.key.term + 1, self._time(), self.index)

    def erase(self) -> None:
        """Be a server that nobody has initialized yet."""
        self.close()
        self.initialized = False
        self.shares = self.threshold = self.index = 0
        self.keys = []

    def initialize(self, shares: int, threshold: int) -> list[str]:
        """New keys; it stays sealed."""
        self.initialized = True
        self.index = FIRST_INDEX
        self.key = Key(1, self._time(), 0)
        self.shares, self.threshold = shares, threshold
        self.keys = new_keys(shares)
        return self.keys

    @property
    def progress(self) -> int:
        """How many shares are in, of those that are needed."""
        return len(self._given)

    @property
    def standby(self) -> bool:
        """Whether another node is active, or none."""
        return not is_past(self._standby_until, self._time())

    @property
    def is_behind(self) -> bool:
        """Whether it is a standby that has not caught up."""
        return self.standby and not is_past(self.behind_until, self._time())

    @property
    def applied(self) -> int:
        """The index of the state that is here."""
        return self._applied if self.is_behind else self.index

    def last_tick(self, now: float, seconds: float) -> float:
        """When what is done every so many seconds since it is active was done last."""
        return now - (now - self.active_since) % seconds

    def step_down(
        self,
        seconds: float,
        leader: str = "",
        *,
        forwards: bool = False,
        kind: str = STANDBY,
        behind: float = 0,
        cut_off: bool = False,
    ) -> None:
        """Be a standby for so long."""
        now = self._time()
        self.cut_off, self._standby_since = cut_off, now
        self._standby_until, self.behind_until = now + seconds, now + behind
        self._applied = self.index
        self.leader, self.forwards, self.kind = leader, forwards, kind

    @property
    def heartbeat(self) -> float | None:
        """Seconds since the active node answered; None where there is none that is known."""
        if not self.standby or not self.leader:
            return None
        since = self._time() - self._standby_since
        return since if self.cut_off else since % HEARTBEAT

    def step_up(self) -> None:
        """Be active."""
        if self.standby:
            self.active_since = self._time()
        self._standby_until = 0.0

    def close(self) -> None:
        """Seal."""
        self.sealed = True
        self.restart()

    def open(self) -> None:
        """Unseal without a key."""
        self.sealed = False
        self.active_since = self._time()
        self.restart()
        self.opened()

    def restart(self) -> None:
        """Forget the shares given so far."""
        self._given = []
        self.nonce = ""

    def give(self, key: str) -> None:
        """Take a share; the third good one unseals."""
        share = decoded(key)
        if not self.initialized:
            raise Refused(400, "Vault is not initialized")
        if not self.sealed:
            return
        check_length(share)
        if share in self._given:
            return
        self.nonce = self.nonce or new_uuid()
        self._given.append(share)
        if len(self._given) < self.threshold:
            return
        fits = self.fits(self._given)
        self.restart()
        if not fits:
            raise bad_request(WRONG_KEY)
        self.open()

    def fits(self, shares: list[bytes]) -> bool:
        """Whether these shares make the key."""
        good = {bytes.fromhex(own) for own in self.keys}
        return all(share in good for share in shares)


def new_keys(shares: int) -> list[str]:
    """Shares of a key, in hex: of one, the key itself; of more, each has one more byte."""
    length = LONGEST if shares > 1 else LONGEST - 1
    return [secrets.token_hex(length) for _ in range(shares)]


def check_length(share: bytes) -> None:
    """Refuse what cannot be a share."""
    if len(share) < SHORTEST:
        raise bad_request(f"invalid key: key is shorter than minimum {SHORTEST} bytes")
    if len(share) > LONGEST:
        raise bad_request(f"invalid key: key is longer than maximum {LONGEST} bytes")


def decoded(key: str) -> bytes:
    """A share, of hex or base64."""
    with contextlib.suppress(ValueError):
        share = bytes.fromhex(key)
        # Base64 may look like hex.
        if SHORTEST <= len(share) <= LONGEST:
            return share
    try:
        return base64.b64decode(key, validate=True)
    except ValueError:  # binascii.Error is one, and so is text beyond ASCII
        raise bad_request("'key' must be a valid hex or base64 string") from None
