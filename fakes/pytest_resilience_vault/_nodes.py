"""What a node says about itself: health, seal, leader (http/sys_health.go, sys_seal.go, ...).

These answer without a mount, sealed or not, and as bare objects without an envelope.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault import _errors
from pytest_resilience_vault._call import parse_bool
from pytest_resilience_vault._errors import Refused, bad_request
from pytest_resilience_vault._gojson import Struct, kind_of
from pytest_resilience_vault._init import RootGeneration, initialize
from pytest_resilience_vault._parsing import object_of
from pytest_resilience_vault._seal import (
    DR_SECONDARY,
    HEARTBEAT,
    PERFORMANCE_STANDBY,
    STANDBY,
    STEP_DOWN_SECONDS,
    Seal,
)
from pytest_resilience_vault._times import ZERO_TIME, stamp

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from pytest_resilience_vault._core import Core
    from pytest_resilience_vault._tokens import Token

Answer = tuple[int, Any]


class Node:
    """Answers for the node."""

    def __init__(self, core: Core, address: Callable[[], str]) -> None:
        self._core = core
        self._address = address
        self._root = RootGeneration(core)

    def answer(self, path: str, request: Request, token_id: str) -> Answer:
        """Status and body; a body of None is none."""
        methods, name = NODE_PATHS[path]
        if request.method not in methods:
            raise Refused(405)
        answer: Answer = getattr(self, f"_{name}")(request, token_id)
        return answer

    def _health(self, request: Request, token_id: str) -> Answer:
        seal = self._core.seal
        status = _health_status(request.args, seal, openbao=self._core.flavour.is_openbao)
        return status, self.health_body(standby=seal.sealed or seal.standby)

    def health_body(self, *, standby: bool) -> Struct:
        """What sys/health says, whatever its status."""
        core, seal = self._core, self._core.seal
        openbao = core.flavour.is_openbao
        dr_secondary = seal.standby and seal.kind == DR_SECONDARY
        # A standby says what it has heard from the active node (ActiveNodeReplicationState), but
        # for one of OpenBao's (seen).
        heard = openbao or seal.kind != STANDBY or bool(seal.leader)
        mode = "unknown" if seal.sealed or (standby and not heard) else "disabled"
        # An OpenBao with integrated storage calls itself that (seen).
        performance = "primary" if openbao and mode == "disabled" else mode
        body = Struct(initialized=seal.initialized, sealed=seal.sealed, standby=standby)
        if not openbao:
            body["performance_standby"] = seal.standby and seal.kind == PERFORMANCE_STANDBY
        body.update(
            replication_performance_mode=performance,
            replication_dr_mode="secondary" if dr_secondary else mode,
            server_time_utc=int(core.time()),
            version=core.version,
        )
        if not openbao:
            # Performance standbys and DR secondaries are of Vault Enterprise.
            body["enterprise"] = seal.standby and seal.kind != STANDBY
        if not seal.sealed:
            body.update(cluster_name=seal.cluster_name, cluster_id=seal.cluster_id)
        if not openbao:
            body.update(echo_duration_ms=0, clock_skew_ms=0, replication_primary_canary_age_ms=0)
            body.update(removed_from_cluster=False, **_heartbeat(seal))
        return body

    def _seal_status(self, request: Request, token_id: str) -> Answer:
        return 200, self._status()

    def _status(self) -> Struct:
        core, seal = self._core, self._core.seal
        build, date = core.flavour.build
        openbao = core.flavour.is_openbao
        cluster = {"cluster_name": seal.cluster_name, "cluster_id": seal.cluster_id}
        body = Struct(
            type="shamir",
            initialized=seal.initialized,
            sealed=seal.sealed,
            t=seal.threshold,
            n=seal.shares,
            progress=seal.progress,
            nonce=seal.nonce,
        )
        if openbao:
            body["recovery_seal"] = False
        body.update({"version": core.version, build: date, "migration": False})
        if not seal.sealed:
            body.update(cluster)
        if openbao:
            body["storage_type"] = "raft"
        else:
            body.update(recovery_seal=False, storage_type="raft", removed_from_cluster=False)
        return body

    def _unseal(self, request: Request, token_id: str) -> Answer:
        fields = self._fields(request, "UnsealRequest")
        _check_types(fields, "UnsealRequest", key=str, reset=bool, migrate=bool)
        seal = self._core.seal
        if fields.get("reset"):
            if not seal.sealed:
                raise bad_request("vault is unsealed")
            seal.restart()
        else:
            key = fields.get("key")
            if not key:
                words = "'key' must be specified in request body as JSON, or 'reset' set to true"
                raise bad_request(words)
            seal.give(key)
        return 200, self._status()

    def _seal(self, request: Request, token_id: str) -> Answer:
        if self._core.seal.sealed:
            return 204, None
        self._fields(request, "SealRequest")
        self._demand_sudo("sys/seal", token_id)
        if self._core.seal.standby:
            # vault/core.go, sealInitCommon; an OpenBao seals all the same.
            raise Refused(500, "vault cannot seal when in standby mode; please restart instead")
        self._core.seal.close()
        return 204, None

    def _step_down(self, request: Request, token_id: str) -> Answer:
        if self._core.seal.sealed:
            raise _errors.sealed()
        self._fields(request, "StepDownRequest")
        self._demand_sudo("sys/step-down", token_id)
        if not self._core.seal.standby:
            self._core.seal.step_down(STEP_DOWN_SECONDS)
        return 204, None

    def _demand_sudo(self, path: str, token_id: str) -> None:
        core = self._core
        if not token_id:
            raise _errors.no_token()
        token: Token | None = core.tokens.find(token_id, core.time())
        if token is None:
            raise _errors.invalid_token()
        allowed = core.allows(token, "update", path, sudo=True)
        core.tokens.use(token)
        core.tokens.finish(token)
        if not allowed:
            raise _errors.not_allowed()

    def _leader(self, request: Request, token_id: str) -> Answer:
        seal = self._core.seal
        if seal.sealed and seal.initialized:
            raise _errors.sealed()
        own = self._address()
        body = Struct(ha_enabled=True, is_self=not seal.standby)
        # An OpenBao leaves out what it does not know.
        if not self._core.flavour.is_openbao or seal.leader or not seal.standby:
            address = seal.leader if seal.standby else own
            body.update(
                active_time=ZERO_TIME if seal.standby else stamp(seal.active_since),
                leader_address=address,
                leader_cluster_address=cluster_address(address),
            )
        if not self._core.flavour.is_openbao:
            performs = seal.standby and seal.kind == PERFORMANCE_STANDBY
            body.update(performance_standby=performs, performance_standby_last_remote_wal=0)
        if not seal.standby or self._core.flavour.is_openbao:
            body.update(raft_committed_index=seal.applied, raft_applied_index=seal.applied)
        return 200, body

    def _init(self, request: Request, token_id: str) -> Answer:
        if request.method == "GET":
            return 200, Struct(initialized=self._core.seal.initialized)
        return 200, initialize(self._core, self._fields(request, "InitRequest"))

    def _fields(self, request: Request, struct: str) -> dict[str, Any]:
        """The fields of the body; encoding/json matches those of a struct without case."""
        try:
            data = object_of(request.get_data(), openbao=self._core.flavour.is_openbao)
        except Refused as refused:
            words = refused.errors[0].replace("map[string]interface {}", f"http.{struct}")
            raise bad_request(words) from None
        return {name.lower(): value for name, value in data.items()}

    # sys/generate-root

    def _open(self) -> None:
        """An unsealed Vault only; an OpenBao does it elsewhere by now."""
        if self._core.seal.sealed:
            raise _errors.sealed()
        if self._core.flavour.is_openbao:
            raise Refused(405, "unsupported operation")

    def _attempt(self, request: Request, token_id: str) -> Answer:
        self._open()
        if request.method == "DELETE":
            self._root.cancel()
            return 204, None
        if request.method == "GET":
            return 200, self._root.status()
        return 200, self._root.begin(self._fields(request, "GenerateRootInitRequest"))

    def _update(self, request: Request, token_id: str) -> Answer:
        self._open()
        return 200, self._root.give(self._fields(request, "GenerateRootUpdateRequest"))


def _check_types(fields: dict[str, Any], struct: str, **types: type) -> None:
    """Refuse what does not fit into a field of a struct, as encoding/json does."""
    for name, wanted in types.items():
        value = fields.get(name)
        if value is not None and not isinstance(value, wanted):
            kind = kind_of(value)
            words = f"json: cannot unmarshal {kind} into Go struct field {struct}.{name} of type"
            go = {str: "string", bool: "bool"}[wanted]
            raise bad_request(f"failed to parse JSON input: {words} {go}")


NODE_PATHS: dict[str, tuple[tuple[str, ...], str]] = {
    "sys/generate-root/attempt": (("GET", "PUT", "POST", "DELETE"), "attempt"),
    "sys/generate-root/update": (("PUT", "POST"), "update"),
    "sys/health": (("GET", "HEAD"), "health"),
    "sys/init": (("GET", "PUT", "POST"), "init"),
    "sys/leader": (("GET",), "leader"),
    "sys/seal": (("PUT", "POST"), "seal"),
    "sys/seal-status": (("GET",), "seal_status"),
    "sys/step-down": (("PUT", "POST"), "step_down"),
    "sys/unseal": (("PUT", "POST"), "unseal"),
}
"""Paths of the node itself, with their methods."""

ANYWHERE = ("sys/leader", "sys/seal-status")
"""Those that a namespace answers, too (seen on OpenBao)."""


def _is_unhealthy(seal: Seal) -> bool:
    """Whether it has not heard from the active node for two heartbeats (GetHAHeartbeatHealth)."""
    return (seal.heartbeat or 0) >= 2 * HEARTBEAT


def _heartbeat(seal: Seal) -> dict[str, Any]:
    """What a standby tells about its connection to the active node, since Vault 1.19."""
    since = seal.heartbeat
    if since is None:
        return {}
    last = int(since * 1000)
    # A zero is left out (omitempty).
    shown = {"last_request_forwarding_heartbeat_ms": last} if last else {}
    return {"ha_connection_healthy": not _is_unhealthy(seal), **shown}


_CODES = {
    "uninitcode": 501,
    "sealedcode": 503,
    "standbycode": 429,
    "activecode": 200,
    "drsecondarycode": 472,
    "performancestandbycode": 473,
    "haunhealthycode": 474,
    "removedcode": 530,
}


_NUMBER = re.compile(r"[-+]?\d+", re.ASCII)
_VAULTS_CODES = ("drsecondarycode", "performancestandbycode", "haunhealthycode", "removedcode")


def _health_status(args: Any, seal: Seal, *, openbao: bool) -> int:
    """The status that the query asks for; 400 without a word for a bad one (sys_health.go).

    Also for one that no answer can have, where the real one panics and hangs up (seen).
    """
    # Those of Vault Enterprise, and of Vaults since 1.19, are not looked at by an OpenBao.
    known = ("standbyok",) if openbao else ("standbyok", "perfstandbyok")
    switches = {name: _switch(args.get(name)) for name in known}
    asked = {} if openbao else {name: args.get(name) for name in _VAULTS_CODES}
    asked.update((name, args.get(name)) for name in _CODES if name not in _VAULTS_CODES)
    codes = {name: _code(text, _CODES[name]) for name, text in asked.items()}
    status = codes[_state_of(seal, switches, openbao=openbao)]
    if not 200 <= status <= 999:
        raise Refused(400)
    return status


def _state_of(seal: Seal, switches: dict[str, bool], *, openbao: bool) -> str:
    """The name of the code for what it is, in the order of http/sys_health.go."""
    if not seal.initialized:
        return "uninitcode"
    if seal.sealed:
        return "sealedcode"
    if not seal.standby:
        return "activecode"
    special = "" if openbao else _special_standby(seal)
    if special:
        passes = special == "performancestandbycode" and switches["perfstandbyok"]
        return "activecode" if passes else special
    return "activecode" if switches["standbyok"] else "standbycode"


def _special_standby(seal: Seal) -> str:
    """Of standbys that an OpenBao does not know."""
    if _is_unhealthy(seal):
        return "haunhealthycode"
    kinds = {DR_SECONDARY: "drsecondarycode", PERFORMANCE_STANDBY: "performancestandbycode"}
    return kinds.get(seal.kind, "")


def _switch(value: str | None) -> bool:
    """A switch without a value is off (parseutil.ParseBool)."""
    found = parse_bool(value) if value else False
    if found is None:
        raise Refused(400)
    return found


def _code(value: str | None, default: int) -> int:
    if value is None:
        return default
    if not _NUMBER.fullmatch(value):
        raise Refused(400)
    return int(value)


def cluster_address(address: str) -> str:
    """The address of the other nodes: https, the next port (command/server)."""
    host, _, port = address.partition("//")[2].rpartition(":")
    return f"https://{host}:{int(port) + 1}" if port.isdigit() else ""
