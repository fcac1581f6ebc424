"""X-Vault-Index: the state of the storage that an answer has seen, or that a request needs.

An OpenBao gives it with every answer of an engine, and looks at it before anything but the
quotas: website/content/community/rfcs/index-headers.mdx, and seen on 2.7.2, two nodes. What
is missing there is a 429 with Retry-After, not the 412 of the document. Vault Enterprise
gives it with answers to writes (api, ParseReplicationState, says in which form), and has 412.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._errors import Refused, bad_request, sealed

if TYPE_CHECKING:
    from pytest_resilience_vault._seal import Seal

FAIL, FORWARD, AWAIT = "fail", "forward-active-node", "await-state"
INDEX, INCONSISTENT = '"X-Vault-Index"', '"X-Vault-Inconsistent"'


class Missing(Refused):
    """The state is not here yet: to be asked for again after a second."""

    def __init__(self) -> None:
        super().__init__(429)


def shown(seal: Seal, *, openbao: bool) -> str:
    """The header field of an answer that has seen the newest state."""
    if openbao:
        state = {"cluster": seal.cluster_id, "value": str(seal.index)}
        return _encoded(json.dumps(state, separators=(",", ":")))
    state_of_vault = f"v1:{seal.cluster_id}:{seal.index}:0"
    # Nobody but a Vault can look at its key.
    return _encoded(f"{state_of_vault}:{hashlib.sha256(state_of_vault.encode()).hexdigest()}")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def check(index: str | None, inconsistent: str | None, seal: Seal) -> None:
    """Refuse what an OpenBao cannot read, or has not got; of fields that come twice, both.

    Args:
        index: X-Vault-Index.
        inconsistent: X-Vault-Inconsistent.
        seal: Of the node that is asked.
    """
    wanted = _read(index or "")
    modes = None if inconsistent is None else [mode.strip() for mode in inconsistent.split(",")]
    _check_modes(modes)
    if wanted is None or not _is_missing(wanted, seal):
        return
    if FORWARD not in (modes or ()):
        raise Missing
    if seal.sealed:
        # There is nobody to whom it could be sent.
        raise sealed()


def _read(index: str) -> tuple[str, str] | None:
    """The cluster and the value."""
    if "," in index:
        raise bad_request(f"expected at most one value for {INDEX}")
    if not index.strip():
        return None
    try:
        state: Any = json.loads(base64.b64decode(index.strip(), validate=True))
    except ValueError:  # binascii.Error is one
        raise bad_request(f"failed to decode {INDEX}") from None
    # As encoding/json reads a struct: names in any case, and null is nothing.
    fields = {} if state is None else state
    if isinstance(fields, dict):
        named = {name.lower(): value for name, value in fields.items()}
        cluster, value = (named.get(name) or "" for name in ("cluster", "value"))
        if isinstance(cluster, str) and isinstance(value, str):
            return cluster, value
    raise bad_request(f"failed to decode {INDEX}")


def _check_modes(modes: list[str] | None) -> None:
    if modes is None:
        return
    if len(modes) > 2:
        raise bad_request(f"expected at most two values for {INCONSISTENT}")
    first, *rest = modes
    if first not in (FAIL, FORWARD, AWAIT):
        raise bad_request(f"unknown value for {INCONSISTENT} header")
    if rest and first != AWAIT:
        raise bad_request(f"X-Vault-Inconsistent={first} cannot be used with more than one value")
    if rest and rest[0] not in (FAIL, FORWARD):
        words = f'must either be "{FAIL}" or "{FORWARD}"'
        raise bad_request(f"unknown second value for {INCONSISTENT}: {words}")


def _is_missing(wanted: tuple[str, str], seal: Seal) -> bool:
    """Whether this node has not got there; what is not its cluster's, or no number, is no state."""
    cluster, value = wanted
    ours = seal.cluster_id if seal.initialized else ""
    active = not (seal.sealed or seal.standby)
    return not active and cluster == ours and value.isdecimal() and int(value) > seal.applied


def is_missing_in_vault(index: str, seal: Seal) -> bool:
    """The same in Vault Enterprise, where what cannot be read is no state that is here."""
    try:
        local = int(base64.b64decode(index, validate=True).split(b":")[2])
    except (ValueError, IndexError):
        return seal.is_behind
    return local > seal.applied
