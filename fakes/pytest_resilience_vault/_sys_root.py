"""How an OpenBao makes a new root token, and what decodes it.

sys/generate-root of a Vault needs no token; this does (logical_system_generate_root.go).
"""

from __future__ import annotations

import base64
from typing import Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Refused, bad_request, one_of, unsupported_path
from pytest_resilience_vault._init import RootGeneration, combined
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._seal import FAILED, WRONG_KEY
from pytest_resilience_vault._sys_tools import first_bad

BUSY = "root generation already in progress"


class RootPaths(Backend):
    """sys/generate-root-token and sys/decode-token."""

    type = "system"

    def __init__(self, core: Any) -> None:
        super().__init__(core)
        self._generation = RootGeneration(core)

    @on("read", "generate-root-token/attempt")
    def root_status(self, call: Call) -> Reply:
        """How far it is."""
        self._demand_openbao()
        return self._told(self._generation.status())

    @on(WRITE, "generate-root-token/attempt", fields.ROOT_ATTEMPT)
    def begin_root(self, call: Call) -> Reply:
        """Start."""
        self._demand_openbao()
        try:
            return self._told(self._generation.begin(call.data))
        except Refused as refused:
            more = " for this namespace" if refused.errors == [BUSY] else ""
            raise bad_request(refused.errors[0] + more) from None

    @on("delete", "generate-root-token/attempt")
    def cancel_root(self, call: Call) -> None:
        """Forget it."""
        self._demand_openbao()
        self._generation.cancel()

    @on(WRITE, "generate-root-token/update", fields.ROOT_UPDATE)
    def give_share(self, call: Call) -> Reply:
        """Take a share; the last one gives the token."""
        self._demand_openbao()
        for name in ("nonce", "key"):
            if not call.text(name):
                raise bad_request(f"{name} is required")
        nonce = self._generation.nonce
        try:
            status = self._generation.give(call.data)
        except Refused as refused:
            vaults = f"failed to decrypt keys from storage: {FAILED}"
            words = refused.errors[0].replace(vaults, WRONG_KEY)
            raise Refused(500, one_of(words)) from None
        names = ("complete", "encoded_token", "pgp_fingerprint", "progress", "required", "started")
        return Reply({"nonce": nonce, **{name: status[name] for name in names}, "started": True})

    @on("", "generate-root")
    def no_root(self, call: Call) -> None:
        """Nothing, whatever the operation."""

    def _told(self, status: dict[str, Any]) -> Reply:
        names = ["complete", "otp", "otp_length", "progress", "required", "started"]
        if status["started"]:
            names += ["nonce", "pgp_fingerprint"]
        return Reply({name: status[name] for name in names})

    def _demand_openbao(self) -> None:
        if not self.core.flavour.is_openbao:
            raise unsupported_path()

    @on(WRITE, "decode-token", fields.DECODE)
    def decode(self, call: Call) -> Reply:
        """The token, of what was made of it and of the one-time password."""
        encoded, otp = call.text("encoded_token"), call.text("otp").encode()
        if not encoded or not otp:
            raise bad_request("provided 'encoded_token' or 'otp' is empty")
        bad = first_bad(encoded)
        if bad < len(encoded) and (bad % 4 or len(encoded) % 4 == 1):
            words = "error decoding base64'd token: illegal base64 data at input byte"
            raise bad_request(f"{words} {bad}")
        found = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        if len(found) != len(otp):
            words = f"length of byte slices is not equivalent: {len(found)} != {len(otp)}"
            raise bad_request(f"error xoring token: {words}")
        return Reply({"token": combined(found, otp).decode("utf-8", "replace")})
