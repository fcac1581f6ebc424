"""The paths of a role's secret ids (builtin/credential/approle/path_role.go)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import NAME, WRITE, Backend, on
from pytest_resilience_vault._cidr import are_within, full, is_block
from pytest_resilience_vault._errors import Refused, bad_request, one_of, quoted_list
from pytest_resilience_vault._ids import new_uuid
from pytest_resilience_vault._reply import NotThere, Reply
from pytest_resilience_vault._role import Role, SecretId

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core

ROLE = f"role/{NAME}"
TIDIES = 60
"""Seconds between two looks for what is over (path_tidy_user_id.go)."""
WRONG_BLOCKS = "failed to validate CIDR blocks"


class SecretIdPaths(Backend):
    """Make, look up and destroy secret ids."""

    type = "approle"
    captures: ClassVar = {"name": "role_name"}

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.roles: dict[str, Role] = {}
        self._dangling: dict[str, float] = {}
        """Accessors of deleted roles, and since when; they stay until they are tidied."""

    def drop_role(self, name: str, now: float) -> None:
        """Forget a role and its secret ids."""
        role = self.roles.pop(name.lower(), None)
        if role is not None:
            self._dangling.update((found.accessor, now) for found in role.secret_ids.values())

    def tidy_secret_ids(self, now: float) -> None:
        """Forget what is over; until that it is listed, and lets nobody in."""
        self._dangling.clear()
        for role in self.roles.values():
            role.tidy(now)

    def _tidied(self, now: float) -> None:
        """What happens once a minute by itself."""
        last = self.core.seal.last_tick(now, TIDIES)
        later = {name: since for name, since in self._dangling.items() if since >= last}
        self.tidy_secret_ids(last)
        self._dangling = later

    @on(WRITE, f"{ROLE}/secret-id/?", fields.SECRET_ID)
    def new_secret_id(self, call: Call, name: str) -> Reply:
        """A new one, random."""
        return self._add_secret_id(call, name, new_uuid())

    @on(WRITE, f"{ROLE}/custom-secret-id", fields.CUSTOM_SECRET_ID)
    def custom_secret_id(self, call: Call, name: str) -> Reply:
        """A new one, of the caller's choice."""
        return self._add_secret_id(call, name, call.text("secret_id"))

    def _add_secret_id(self, call: Call, name: str, secret_id: str) -> Reply:
        if not secret_id:
            raise bad_request("missing secret_id")
        role = self.roles.get(name.lower())
        if role is None:
            raise Refused(404, _no_role(name))
        if not role.bind_secret_id:
            raise bad_request("bind_secret_id is not set on the role")
        added = self._read_secret_id(call, role, secret_id)
        self._tidied(call.now)
        if secret_id in role.secret_ids:
            words = "failed to store secret_id: SecretID is already registered"
            raise Refused(500, one_of(words))
        role.secret_ids[secret_id] = added
        return Reply(
            {
                "secret_id": secret_id,
                "secret_id_accessor": added.accessor,
                "secret_id_num_uses": added.num_uses,
                "secret_id_ttl": added.ttl,
            }
        )

    def _read_secret_id(self, call: Call, role: Role, secret_id: str) -> SecretId:
        blocks, token_blocks = call.texts("cidr_list"), call.texts("token_bound_cidrs")
        refuse_blocks(blocks, WRONG_BLOCKS)
        _check_subset(role.secret_id_bound_cidrs or [], blocks)
        refuse_blocks(token_blocks, "failed to validate token CIDR blocks")
        _check_subset([full(block) for block in role.token_bound_cidrs or []], token_blocks)
        uses = call.whole("num_uses", role.secret_id_num_uses)
        if uses < 0:
            raise bad_request("num_uses cannot be negative")
        if role.secret_id_num_uses and not 0 < uses <= role.secret_id_num_uses:
            raise bad_request("num_uses cannot be higher than the role's secret_id_num_uses")
        ttl = int(call.seconds("ttl", role.secret_id_ttl))
        if role.secret_id_ttl and not 0 < ttl <= role.secret_id_ttl:
            raise bad_request("ttl cannot be longer than the role's secret_id_ttl")
        return SecretId(
            secret_id,
            call.now,
            num_uses=uses,
            ttl=ttl,
            metadata=_metadata(call.text("metadata")),
            cidrs=blocks,
            token_cidrs=token_blocks,
        )

    @on("list", f"{ROLE}/secret-id/?", fields.PAGES)
    def list_accessors(self, call: Call, name: str) -> Reply:
        """The accessors of a role's secret ids."""
        role = self.roles.get(name.lower())
        if role is None:
            raise Refused(400, _no_role(name))
        self._tidied(call.now)
        return self.listed(call, [found.accessor for found in role.secret_ids.values()])

    @on(WRITE, f"{ROLE}/secret-id/lookup/?", fields.NAMED_SECRET_ID)
    def lookup_secret_id(self, call: Call, name: str) -> Reply | None:
        """What a secret id is; an unknown one is no error."""
        secret_id = call.text("secret_id")
        if not secret_id:
            raise bad_request("missing secret_id")
        found = self._needed(name).secret(secret_id, call.now)
        return Reply(found.shown()) if found else None

    @on(f"{WRITE} delete", f"{ROLE}/secret-id/destroy/?")
    def destroy_secret_id(self, call: Call, name: str) -> None:
        """Let it log in no more."""
        secret_id = call.text("secret_id")
        if not secret_id:
            raise bad_request("missing secret_id")
        self._needed(name).secret_ids.pop(secret_id, None)

    @on(WRITE, f"{ROLE}/secret-id-accessor/lookup/?", fields.NAMED_ACCESSOR)
    def lookup_accessor(self, call: Call, name: str) -> Reply | None:
        """What the secret id with this accessor is."""
        accessor = self._accessor(call)
        role = self._needed(name)
        if not self._is_known(accessor, call):
            # An error response that was given a status of its own: it shows as data.
            raise NotThere(Reply({"error": _no_accessor(accessor)}))
        found = role.secret_of(accessor)
        return None if found is None or found.is_over(call.now) else Reply(found.shown())

    @on(f"{WRITE} delete", f"{ROLE}/secret-id-accessor/destroy/?")
    def destroy_accessor(self, call: Call, name: str) -> None:
        """Let the secret id with this accessor log in no more."""
        accessor = self._accessor(call)
        role = self._needed(name)
        if not self._is_known(accessor, call):
            raise Refused(500, one_of(_no_accessor(accessor)))
        found = role.secret_of(accessor)
        if found is None:
            raise Refused(403, "invalid secret id accessor")
        del role.secret_ids[found.secret_id]

    def _is_known(self, accessor: str, call: Call) -> bool:
        """Whether it is of any role, or of one that there was."""
        self._tidied(call.now)
        return accessor in self._dangling or any(
            role.secret_of(accessor) for role in self.roles.values()
        )

    def _accessor(self, call: Call) -> str:
        accessor = call.text("secret_id_accessor")
        if not accessor:
            raise bad_request("missing secret_id_accessor")
        return accessor

    def _needed(self, name: str) -> Role:
        role = self.roles.get(name.lower())
        if role is None:
            raise Refused(500, one_of(_no_role(name)))
        return role


def not_within(of_role: list[str], own: list[str]) -> str:
    """What is said of a secret id's blocks that are not all in the role's; "" if they are."""
    if are_within(own, of_role):
        return ""
    words = "failed to verify subset relationship between CIDR blocks on the role"
    mine = f"and CIDR blocks on the secret ID {quoted_list(own)}"
    # It formats an error that is not there.
    return f"{words} {quoted_list(of_role)} {mine}: %!w(<nil>)"


def _check_subset(of_role: list[str], own: list[str]) -> None:
    problem = not_within(of_role, own)
    if problem:
        raise Refused(500, one_of(problem))


def check_blocks(blocks: list[str], words: str) -> None:
    """Raise a ValueError for what is no block of addresses."""
    for block in blocks:
        if not is_block(block):
            raise ValueError(f"{words}: invalid CIDR address: {block}")


def refuse_blocks(blocks: list[str], words: str) -> None:
    """Refuse what is no block of addresses."""
    try:
        check_blocks(blocks, words)
    except ValueError as error:
        raise Refused(500, one_of(str(error))) from None


def _no_role(name: str) -> str:
    return f'role "{name.lower()}" does not exist'


def _no_accessor(accessor: str) -> str:
    return f'failed to find accessor entry for secret_id_accessor: "{accessor}"'


def _metadata(text: str) -> dict[str, str]:
    """Metadata in the form Vault wants it: a string of JSON, or of key=value pairs."""
    if not text:
        return {}
    try:
        data: Any = json.loads(text)
    except ValueError:
        data = None
    if isinstance(data, dict) and all(isinstance(value, str) for value in data.values()):
        return data
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(mark for _, mark, _ in pairs):
        words = "failed to parse metadata: failed to parse the input: invalid <key,value> format"
        raise bad_request(words)
    return {key.strip(): value.strip() for key, _, value in pairs}
