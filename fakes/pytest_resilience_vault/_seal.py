"""Sealed, unsealed, active, standby: what the server is, whatever the request (vault/core.go)."""

from __future__ import annotations

import base64
import contextlib
import secrets
import uuid
from collections.abc import Callable

from pytest_resilience_vault._errors import bad_request

SHARES, THRESHOLD = 5, 3
"""What `vault operator init` makes if nobody says otherwise."""

SHORTEST, LONGEST = 16, 33
"""Bytes of a share."""

WRONG_KEY = (
    "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher:"
    " message authentication failed"
)

STEP_DOWN_SECONDS = 10
"""How long a node keeps out of the election after it was told to step down."""


class Seal:
    """The seal and the node's part in its cluster."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        # A share of a 32-byte key has one more byte.
        self.keys = [secrets.token_hex(LONGEST) for _ in range(SHARES)]
        self.sealed = False
        self.nonce = ""
        self._given: list[bytes] = []
        self.cluster_id = str(uuid.uuid4())
        self.cluster_name = f"vault-cluster-{secrets.token_hex(4)}"
        self.active_since = time()
        self.leader = ""
        """The active node's address, if it is another one and known."""
        self.forwards = False
        self._standby_until = 0.0

    @property
    def progress(self) -> int:
        """How many shares are in, of those that are needed."""
        return len(self._given)

    @property
    def standby(self) -> bool:
        """Whether another node is active, or none."""
        return self._time() < self._standby_until

    def step_down(self, seconds: float, leader: str = "", *, forwards: bool = False) -> None:
        """Be a standby for so long."""
        self._standby_until = self._time() + seconds
        self.leader, self.forwards = leader, forwards

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

    def restart(self) -> None:
        """Forget the shares given so far."""
        self._given = []
        self.nonce = ""

    def give(self, key: str) -> None:
        """Take a share; the third good one unseals."""
        share = _decoded(key)
        if not self.sealed:
            return
        if len(share) < SHORTEST:
            raise bad_request(f"invalid key: key is shorter than minimum {SHORTEST} bytes")
        if len(share) > LONGEST:
            raise bad_request(f"invalid key: key is longer than maximum {LONGEST} bytes")
        if share in self._given:
            return
        self.nonce = self.nonce or str(uuid.uuid4())
        self._given.append(share)
        if len(self._given) < THRESHOLD:
            return
        good = {bytes.fromhex(own) for own in self.keys}
        fits = all(share in good for share in self._given)
        self.restart()
        if not fits:
            raise bad_request(WRONG_KEY)
        self.open()


def _decoded(key: str) -> bytes:
    with contextlib.suppress(ValueError):
        share = bytes.fromhex(key)
        # Base64 may look like hex.
        if SHORTEST <= len(share) <= LONGEST:
            return share
    try:
        return base64.b64decode(key, validate=True)
    except ValueError:  # binascii.Error is one, and so is text beyond ASCII
        raise bad_request("'key' must be a valid hex or base64 string") from None
