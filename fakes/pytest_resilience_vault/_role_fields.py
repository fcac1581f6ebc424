"""The fields of a role, in the order in which Vault reads and refuses them.

From builtin/credential/approle/path_role.go and sdk/helper/tokenutil.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience_vault._cidr import short, unparsable
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._policy_names import sanitized
from pytest_resilience_vault._secret_ids import WRONG_BLOCKS, check_blocks, refuse_blocks
from pytest_resilience_vault._times import in_go

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._role import Role

OLD_NAMES = {"policies": "token_policies", "period": "token_period"}
"""Names from before the token_ fields, which still work (tokenutil.UpgradeValue)."""
_BLOCK_LISTS = ("secret_id_bound_cidrs", "bound_cidr_list")
"""The newer name wins."""


def set_token_fields(role: Role, call: Call) -> None:
    """The fields that every auth method has (tokenutil.ParseTokenFields)."""
    if call.has("token_bound_cidrs"):
        _set_token_blocks(role, call, "")
    for name in ("token_explicit_max_ttl", "token_max_ttl", "token_period"):
        setattr(role, name, int(call.seconds(name, getattr(role, name))))
    role.token_no_default_policy = call.flag(
        "token_no_default_policy", default=role.token_no_default_policy
    )
    if call.has("token_policies"):
        role.token_policies = [name for name in call.texts("token_policies") if name]
    kind = call.text("token_type", role.token_type).removeprefix("default-") or "default"
    if kind not in ("default", "service", "batch"):
        raise bad_request(f"invalid 'token_type' value \"{kind}\"")
    role.token_type = kind
    _set_count(role, call, "token_num_uses", "'token_num_uses'")
    if kind == "batch":
        words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
        if role.token_period:
            raise bad_request(f"{words} periodic tokens")
        if role.token_num_uses:
            raise bad_request(f"{words} tokens with limited use count")
    role.token_ttl = int(call.seconds("token_ttl", role.token_ttl))
    if 0 < role.token_max_ttl < role.token_ttl:
        raise bad_request("'token_ttl' cannot be greater than 'token_max_ttl'")


def set_own_fields(role: Role, call: Call) -> None:
    """The fields that only AppRole has."""
    role.bind_secret_id = call.flag("bind_secret_id", default=role.bind_secret_id)
    given = next((name for name in _BLOCK_LISTS if call.has(name)), None)
    if given:
        role.secret_id_bound_cidrs = blocks = call.texts(given)
        refuse_blocks(blocks, WRONG_BLOCKS)
    _set_count(role, call, "secret_id_num_uses", "secret_id_num_uses")
    role.secret_id_ttl = int(call.seconds("secret_id_ttl", role.secret_id_ttl))


def set_old_names(role: Role, call: Call) -> None:
    """What is set under an old name shows under both, unless the new one is there, too."""
    if call.has("token_policies"):
        role.policies = role.token_policies if call.has("policies") else None
    elif call.has("policies"):
        role.policies = role.token_policies = sanitized(call.texts("policies"))
    if call.has("token_period"):
        role.period = role.token_period if call.has("period") else None
    elif call.has("period"):
        role.period = role.token_period = int(call.seconds("period"))


def check_period(period: float, role: Role, call: Call) -> None:
    """Refuse a period that is longer than the mount allows."""
    longest = call.mount.longest_ttl
    if period > longest:
        # Under the new name it is not the one that is printed.
        words = f'period of "{in_go(role.period or 0)}" is greater than the backend\'s maximum'
        raise bad_request(f'{words} lease TTL of "{in_go(longest)}"')


def set_part(role: Role, call: Call, field: str) -> None:
    """One setting, on a path of its own, where some words and rules are others."""
    if field in _BLOCK_LISTS:
        if call.has(field):
            _set_blocks(role, call, field)
    elif field == "token_bound_cidrs":
        if call.has(field):
            _set_token_blocks(role, call, "failed to parse token_bound_cidrs: ")
    elif field in OLD_NAMES.values():
        _set_renamed(role, call, field)
    elif field == "bind_secret_id":
        role.bind_secret_id = call.flag(field)
    elif field.endswith("num_uses"):
        _set_count(role, call, field, f"'{field}'" if field.startswith("token_") else field)
    else:
        setattr(role, field, int(call.seconds(field)))
        if 0 < role.token_max_ttl < role.token_ttl:
            raise bad_request(_TOO_LONG[field])


_TOO_LONG = {
    "token_ttl": "token_ttl should not be greater than token_max_ttl",
    "token_max_ttl": "token_max_ttl should be greater than or equal to token_ttl",
}


def _set_renamed(role: Role, call: Call, field: str) -> None:
    if field == "token_period":
        role.token_period = int(call.seconds(field, role.token_period))
    elif call.has(field):
        # As policyutil.ParsePolicies leaves them, which the whole role's path does not use.
        role.token_policies = sanitized(call.texts(field))
    set_old_names(role, call)
    if field == "token_period":
        check_period(role.token_period, role, call)


def _set_blocks(role: Role, call: Call, field: str) -> None:
    blocks = call.texts(field)
    if not blocks:
        raise bad_request("missing bound_cidr_list")
    try:
        check_blocks(blocks, WRONG_BLOCKS)
    except ValueError as error:
        raise bad_request(str(error)) from None
    role.secret_id_bound_cidrs = blocks


def _set_token_blocks(role: Role, call: Call, prefix: str) -> None:
    blocks = call.texts("token_bound_cidrs")
    problem = unparsable(blocks)
    if problem:
        raise bad_request(f"{prefix}{problem}")
    role.token_bound_cidrs = [short(block) for block in blocks]


def _set_count(role: Role, call: Call, name: str, quoted: str) -> None:
    value = call.whole(name, getattr(role, name))
    if value < 0:
        raise bad_request(f"{quoted} cannot be negative")
    setattr(role, name, value)
