"""The state as JSON, for the control API: `Vault.state` describes the form."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_vault import _wanted
from pytest_resilience_vault._core import Core
from pytest_resilience_vault._kv2 import Kv2
from pytest_resilience_vault._roles import FIELDS, any_approle, approle, change_role, check_role
from pytest_resilience_vault._seal import KINDS, STANDBY
from pytest_resilience_vault._stored import forget_secret, get_secret, kv_mounts, put_secret
from pytest_resilience_vault._times import LONGEST
from pytest_resilience_vault._tokens import ROOT_PATH, Token

KEYS = ("initialized", "sealed", "standby", "mounts", "secrets", "policies", "roles", "tokens")


def read(core: Core) -> dict[str, Any]:
    """All of it."""
    now, seal = core.time(), core.seal
    # One that was just initialized has no methods yet.
    roles = approle(core)[0].roles if any_approle(core) else {}
    standby = {name: getattr(seal, name) for name in _STANDBY}
    return {
        "initialized": seal.initialized,
        "sealed": seal.sealed,
        "standby": standby if seal.standby else None,
        "mounts": {
            mount.path: 2 if isinstance(mount.backend, Kv2) else 1 for mount in kv_mounts(core)
        },
        "secrets": secrets(core),
        "policies": {policy.name: policy.text for policy in core.policies},
        "roles": {
            name: {**role.shown(), "role_id": role.role_id, "secret_ids": list(role.secret_ids)}
            for name, role in roles.items()
        },
        "tokens": {
            token.id: _shown(token, now)
            for token in core.tokens
            if core.tokens.find(token.id, now) is not None
        },
    }


def _shown(token: Token, now: float) -> dict[str, Any]:
    ttl = None if token.expires is None else token.expires - now
    return {"policies": token.policies, "ttl": ttl}


def secrets(core: Core) -> dict[str, Any]:
    """The data of all secrets, by their paths."""
    found = {}
    for mount in kv_mounts(core):
        for path in mount.backend.secrets:  # type: ignore[attr-defined]  # both engines have it
            data = get_secret(core, f"{mount.path}{path}")
            if data is not None:
                found[f"{mount.path}{path}"] = data
    return found


Step = Callable[[], object]
"""One change, which cannot fail any more."""


def write(core: Core, state: Any) -> None:
    """Change what is named; all is looked at before anything is done."""
    given = _object("state", state)
    for key in given:
        if key not in KEYS:
            raise _unknown("the state of a Vault", key, KEYS)
    steps: list[Step] = []
    for key in KEYS:
        if key in given:
            steps += _WRITERS[key](core, given)
    for step in steps:
        step()


def _unknown(what: str, key: str, known: Any) -> PlanError:
    near = difflib.get_close_matches(str(key), list(known), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return PlanError(f"{what} has no {key!r}{hint}; there are: {', '.join(sorted(known))}")


def _object(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PlanError(f"{what} is {value!r}; wanted is an object")
    for key in value:
        if not isinstance(key, str):
            raise PlanError(f"{what} has the key {key!r}; wanted are texts, as in JSON")
    return value


def _initialized(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["initialized"]
    if not isinstance(value, bool):
        raise PlanError(f"initialized is {value!r}; allowed is true or false")
    if value and not core.seal.initialized:
        raise PlanError("initialized cannot become true; PUT sys/init does it, and gives the keys")
    return [] if value else [core.erase]


def _sealed(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["sealed"]
    if not isinstance(value, bool):
        raise PlanError(f"sealed is {value!r}; allowed is true or false")
    return [core.seal.close if value else core.seal.open] if value != core.seal.sealed else []


_STANDBY = {"leader": "", "forwards": False, "cut_off": False, "kind": STANDBY}


def _standby(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["standby"]
    if value is None:
        return [core.seal.step_up]
    standby = {**_STANDBY, **_object("standby", value)}
    for key in standby:
        if key not in _STANDBY:
            raise _unknown("standby", key, _STANDBY)
    leader, forwards, cut_off, kind = (standby[key] for key in _STANDBY)
    leader = _wanted.leader(leader)
    if not isinstance(forwards, bool):
        raise PlanError(f"standby is {value!r}; leader is a URL, forwards true or false")
    if not isinstance(cut_off, bool):
        raise PlanError(f"standby's cut_off is {cut_off!r}; allowed is true or false")
    if kind not in KINDS:
        raise PlanError(f"standby's kind is {kind!r}; allowed is {', '.join(KINDS)}")
    how = {"forwards": forwards, "cut_off": cut_off, "kind": kind}
    return [partial(core.seal.step_down, float("inf"), leader, **how)]


def _mounts(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["mounts"]
    steps: list[Step] = []
    for path, version in _object("mounts", value).items():
        prefix = path.strip("/") + "/"
        if version not in (1, 2) or isinstance(version, bool):
            raise PlanError(f"mounts[{path!r}] is {version!r}; allowed is 1 or 2")
        mount = core.mounts.get(prefix)
        if mount is None:
            conflict = core.mounts.conflict(prefix)
            if conflict is not None:
                raise PlanError(f"mounts[{path!r}]: {conflict.prefix!r} is mounted already")
            steps.append(partial(core.mount_kv, prefix, version))
        elif (2 if isinstance(mount.backend, Kv2) else 1) != version:
            raise PlanError(f"mounts[{path!r}] is {version}, and it is there as another version")
    return steps


def _stored(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["secrets"]
    steps: list[Step] = []
    for path, data in _object("secrets", value).items():
        _find_mount(core, path, state)
        if data is None:
            steps.append(partial(forget_secret, core, path))
        else:
            steps.append(partial(_put, core, path, _object(f"secrets[{path!r}]", data)))
    return steps


def _find_mount(core: Core, path: str, state: dict[str, Any]) -> None:
    """Refuse a path where no engine is, nor will be."""
    kept = [mount.path for mount in kv_mounts(core)]
    kept += [name.strip("/") + "/" for name in state.get("mounts", ())]
    bare = path.strip("/")
    if not any(bare.startswith(prefix) for prefix in kept):
        known = ", ".join(repr(prefix) for prefix in kept)
        raise PlanError(f"secrets[{path!r}]: no KV engine is there; there are: {known}")


def _put(core: Core, path: str, data: dict[str, Any]) -> None:
    """A secret that is there already with this data gets no new version."""
    if get_secret(core, path) != data:
        put_secret(core, path, data)


def _policies(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["policies"]
    steps: list[Step] = []
    for name, text in _object("policies", value).items():
        if text is None:
            steps.append(partial(core.policies.delete, name))
            continue
        if not isinstance(text, str):
            raise PlanError(f"policies[{name!r}] is {text!r}; wanted is HCL as a string")
        try:
            core.policies.read(name, text)
        except ValueError as error:
            raise PlanError(f"policies[{name!r}]: {error}") from None
        steps.append(partial(core.policies.write, name, text))
    return steps


def _roles(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["roles"]
    method, _ = approle(core)
    steps: list[Step] = []
    for name, settings in _object("roles", value).items():
        if settings is None:
            steps.append(partial(method.roles.pop, name.lower(), None))
            continue
        fields = dict(_object(f"roles[{name!r}]", settings))
        secret_ids = _secret_ids(name, fields.pop("secret_ids", None))
        fields.pop("local_secret_ids", None)
        for key in fields:
            if key not in FIELDS:
                raise _unknown(f"roles[{name!r}]", key, [*FIELDS, "secret_ids"])
        # Dry: a value that Vault would refuse is refused before anything has changed.
        fields = {key: field for key, field in fields.items() if field is not None}
        check_role(core, name, fields)
        steps.append(partial(change_role, core, name, fields))
        if secret_ids is not None:
            steps.append(partial(_set_secret_ids, core, name, secret_ids))
    return steps


def _secret_ids(name: str, value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        # Without the value: some of it may be what it should be, and is a secret then.
        raise PlanError(f"roles[{name!r}]: wanted as secret_ids is a list of texts")
    return value


def _set_secret_ids(core: Core, name: str, wanted: list[str]) -> None:
    for one in wanted:
        change_role(core, name, {"secret_id": one})
    role = approle(core)[0].roles[name.lower()]
    role.secret_ids = {one: role.secret_ids[one] for one in wanted}


def _tokens(core: Core, state: dict[str, Any]) -> list[Step]:
    value = state["tokens"]
    if value is None:
        return [partial(core.tokens.revoke, one) for one in core.tokens if not one.is_root]
    steps: list[Step] = []
    for token_id, settings in _object("tokens", value).items():
        token = core.tokens.find(token_id, core.time())
        if settings is None:
            steps += [] if token is None else [partial(core.tokens.revoke, token)]
            continue
        fields = _token_fields(settings)
        if token is None:
            if "policies" not in fields:
                raise PlanError("tokens names one that is not there; its policies would make it")
            token = _new_token(_wanted.token(token_id), fields, core)
            steps.append(partial(core.tokens.add, token))
        steps.append(partial(_change, token, fields, core.time()))
    return steps


def _new_token(token_id: str, fields: dict[str, Any], core: Core) -> Token:
    """One that an older state tells of: a server that was reset, or another one, lacks it."""
    ttl = fields.get("ttl") or 0
    path = ROOT_PATH if "root" in fields["policies"] else "auth/token/create"
    return Token(
        token_id, [], path, core.time(), ttl=ttl, granted=ttl, renewable=ttl > 0, space=core.path
    )


def _token_fields(settings: Any) -> dict[str, Any]:
    fields = _object("a token", settings)
    for key in fields:
        if key not in ("policies", "ttl"):
            raise _unknown("a token", key, ("policies", "ttl"))
    ttl, policies = fields.get("ttl"), fields.get("policies", [])
    is_time = isinstance(ttl, int | float) and not isinstance(ttl, bool) and 0 <= ttl <= LONGEST
    if ttl is not None and not is_time:
        raise PlanError(f"a token's ttl is {ttl!r}; wanted is seconds, or null for no end")
    if not isinstance(policies, list) or not all(isinstance(name, str) for name in policies):
        raise PlanError(f"a token's policies are {policies!r}; wanted is a list of names")
    return fields


def _change(token: Token, fields: dict[str, Any], now: float) -> None:
    token.policies = list(fields.get("policies", token.policies))
    if "ttl" in fields:
        token.expires = None if fields["ttl"] is None else now + fields["ttl"]


_WRITERS: dict[str, Callable[[Core, dict[str, Any]], list[Step]]] = {
    "initialized": _initialized,
    "sealed": _sealed,
    "standby": _standby,
    "mounts": _mounts,
    "secrets": _stored,
    "policies": _policies,
    "roles": _roles,
    "tokens": _tokens,
}
