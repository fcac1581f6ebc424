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
    wrap_info: Struct | None = None
    warnings: list[str] = field(default_factory=list)
    lease_duration: int = 0
    status: int = 200
    """Anything but 200 sends the whole envelope under that status: a deleted version's 404."""
    top: bool = False
    """Whether the data is repeated at the top level, for clients from before the envelope."""


class NotThere(Exception):
    """A 404 that carries a reply, or no body at all (logical.RespondWithStatusCode)."""

    def __init__(self, reply: Reply | None) -> None:
        super().__init__(reply)
        self.reply = reply


def envelope(reply: Reply, request_id: str, mount_type: str | None) -> str:
    """The JSON of a logical response: every key, those without a value as null.

    `mount_type` comes from Vault's translate_response.go (0f63861); OpenBao has none.
    """
    top = ""
    if reply.top and reply.data:
        top = encode(reply.data)[1:-1] + ","
    kind = "" if mount_type is None else f',"mount_type":{encode(mount_type)}'
    return (
        f'{{{top}"request_id":"{request_id}","lease_id":"","renewable":false,'
        f'"lease_duration":{reply.lease_duration},"data":{encode(reply.data)},'
        f'"wrap_info":{encode(reply.wrap_info)},"warnings":{encode(reply.warnings or None)},'
        f'"auth":{encode(reply.auth)}{kind}}}'
    )
