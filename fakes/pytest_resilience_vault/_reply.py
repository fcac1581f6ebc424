"""What a backend answers, before it is JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_resilience_vault._gojson import Struct, encode

JSON_TYPE = "application/json"
"""Exactly this: hvac compares the whole string and drops the errors otherwise (adapters.py)."""


@dataclass(slots=True)
class Reply:
    """A logical response (sdk/logical/response.go)."""

    data: dict[str, Any] | None = None
    auth: Struct | None = None
    warnings: list[str] = field(default_factory=list)
    lease_duration: int = 0
    status: int = 200
    """Anything but 200 sends the whole envelope under that status: a deleted version's 404."""
    top: bool = False
    """Whether the data is repeated at the top level, for clients from before the envelope."""


def envelope(reply: Reply, request_id: str, mount_type: str) -> str:
    """The JSON of a logical response: every key, those without a value as null.

    `mount_type` comes from Vault's translate_response.go (0f63861); OpenBao has none.
    """
    body = Struct()
    if reply.top and reply.data is not None:
        for key in sorted(reply.data):
            body[key] = reply.data[key]
    body.update(
        request_id=request_id,
        lease_id="",
        renewable=False,
        lease_duration=reply.lease_duration,
        data=reply.data,
        wrap_info=None,
        warnings=reply.warnings or None,
        auth=reply.auth,
        mount_type=mount_type,
    )
    return encode(body)
