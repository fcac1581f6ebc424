"""Initializing, and making a new root token with the shares of the key.

http/sys_init.go, vault/init.go, http/sys_generate_root.go and vault/generate_root.go; the
texts of sys/init were seen on OpenBao. An OpenBao of today lets sys/generate-root be used by
its listener's option only (405 otherwise, seen), so this is Vault's.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._errors import Lacking, Refused, bad_request
from pytest_resilience_vault._gojson import Struct, kind_of
from pytest_resilience_vault._ids import mint, new_uuid
from pytest_resilience_vault._seal import FAILED, check_length, decoded

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core


def initialize(core: Core, fields: dict[str, Any]) -> Struct:
    """The keys and the root token of a server that was not initialized."""
    shares, threshold = (_whole(fields, name) for name in ("secret_shares", "secret_threshold"))
    if core.seal.initialized:
        _check_shares(shares, threshold)
        raise bad_request("Vault is already initialized")
    for name in ("recovery_shares", "recovery_threshold", "recovery_pgp_keys"):
        if fields.get(name):
            raise bad_request(f"parameters {name} not applicable to seal type shamir")
    _check_shares(shares, threshold)
    keys = fields.get("pgp_keys") or []
    if keys:
        if len(keys) != shares:
            words = "count mismatch between number of provided PGP keys and number of shares"
            raise bad_request(f"invalid seal configuration: {words}")
        raise Lacking("this fake of Vault does not encrypt with PGP")
    made = core.seal.initialize(shares, threshold)
    core.root_token = core.new_root_token().id
    encoded = [base64.b64encode(bytes.fromhex(key)).decode() for key in made]
    return Struct(keys=made, keys_base64=encoded, root_token=core.root_token)


def _whole(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name) or 0
    if isinstance(value, int):
        return int(value)
    words = f"into Go struct field InitRequest.{name} of type int"
    kind = kind_of(value)
    raise bad_request(f"failed to parse JSON input: json: cannot unmarshal {kind} {words}")


def _check_shares(shares: int, threshold: int) -> None:
    """vault/seal.go, SealConfig.Validate."""
    problem = ""
    if shares < 1:
        problem = "shares must be at least one"
    elif threshold < 1:
        problem = "threshold must be at least one"
    elif shares > 1 and threshold == 1:
        problem = "threshold must be greater than one for multiple shares"
    elif shares > 255:
        problem = "shares must be less than 256"
    elif threshold > shares:
        problem = "threshold cannot be larger than shares"
    if problem:
        raise bad_request(f"invalid seal configuration: {problem}")


@dataclass(slots=True, eq=False)
class RootGeneration:
    """At most one under way."""

    core: Core
    nonce: str = ""
    otp: str = ""
    _given: list[bytes] = field(default_factory=list)

    @property
    def _otp_length(self) -> int:
        return len(self.core.flavour.new_root_token())

    def status(self, **more: Any) -> Struct:
        """How far it is."""
        status = {
            "nonce": self.nonce,
            "started": bool(self.nonce),
            "progress": len(self._given),
            "required": self.core.seal.threshold,
            "complete": False,
            "encoded_token": "",
            "encoded_root_token": "",
            "pgp_fingerprint": "",
            "otp": "",
            "otp_length": self._otp_length,
        }
        return Struct({**status, **more})

    def begin(self, fields: dict[str, Any]) -> Struct:
        """Start; without a one-time password it makes one and shows it this once."""
        if fields.get("pgp_key"):
            raise Lacking("this fake of Vault does not encrypt with PGP")
        given = str(fields.get("otp") or "")
        if given and len(given) != self._otp_length:
            raise bad_request("OTP string is wrong length")
        if self.nonce:
            raise bad_request("root generation already in progress")
        self.nonce, self.otp = new_uuid(), given or mint(self._otp_length)
        return self.status(otp="" if given else self.otp)

    def cancel(self) -> None:
        """Forget it."""
        self.nonce, self.otp, self._given = "", "", []

    def give(self, fields: dict[str, Any]) -> Struct:
        """Take a share; the last one gives the token, combined with the password."""
        key, nonce = fields.get("key"), fields.get("nonce") or ""
        if not key or not isinstance(key, str):
            raise bad_request("'key' must be specified in request body as JSON")
        share = decoded(key)
        check_length(share)
        if not self.nonce:
            raise bad_request("no root generation in progress")
        if nonce != self.nonce:
            words = "incorrect nonce supplied; nonce for this root generation operation is"
            raise bad_request(f'{words} "{self.nonce}"')
        if share in self._given:
            words = "given key has already been provided during this generation operation"
            raise bad_request(words)
        self._given.append(share)
        seal, progress = self.core.seal, len(self._given)
        if progress < seal.threshold:
            return self.status(otp_length=0)
        given, self._given = self._given, []
        if not seal.fits(given):
            words = "root generation aborted: unable to authenticate: failed to decrypt keys from"
            raise Refused(400, f"{words} storage: {FAILED}")
        token = self.core.new_root_token().id
        pair = combined(token.encode(), self.otp.encode("utf-8", "replace"))
        # Without padding (sdk/helper/roottoken, EncodeToken).
        encoded = base64.b64encode(pair).decode().rstrip("=")
        answer = self.status(
            progress=progress,
            complete=True,
            encoded_token=encoded,
            encoded_root_token=encoded,
            otp_length=0,
        )
        self.cancel()
        return answer


def combined(one: bytes, two: bytes) -> bytes:
    """The two, byte by byte."""
    return bytes(first ^ second for first, second in zip(one, two, strict=False))
