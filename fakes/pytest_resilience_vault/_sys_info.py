"""What a server tells about itself, its cluster, its keys and its users (logical_system.go)."""

from __future__ import annotations

import socket
from typing import Any

from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Refused, invalid_token
from pytest_resilience_vault._nodes import cluster_address
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import stamp


class InfoPaths(Backend):
    """Numbers, versions and nodes."""

    type = "system"

    @on("read", "ha-status")
    def ha_status(self, call: Call) -> Reply:
        """This node, which is the active one: a standby does not answer."""
        core = self.core
        address = core.root.address()
        node = {
            "hostname": socket.gethostname(),
            "api_address": address,
            "cluster_address": cluster_address(address),
            "active_node": True,
            "last_echo": None,
            "version": core.version,
        }
        if core.flavour.is_openbao:
            node["upgrade_version"] = core.version
        else:
            zeros = ("clock_skew_ms", "echo_duration_ms", "replication_primary_canary_age_ms")
            node.update(dict.fromkeys(zeros, 0))
        return Reply({"nodes": [node]}, top=True)

    @on("read", "key-status")
    def key_status(self, call: Call) -> Reply:
        """Which key encrypts, and since when."""
        return Reply(self.core.seal.key.shown(self.core.seal.index), top=True)

    @on(WRITE, "rotate")
    @on(WRITE, "rotate/keyring")
    def rotate(self, call: Call) -> None:
        """A new key; what the old one has encrypted is still read."""
        if call.path == "rotate/keyring" and not self.core.flavour.is_openbao:
            raise self.no_such_path(call)
        self.core.seal.rotate()

    @on("read", "audit")
    def list_audit(self, call: Call) -> Reply:
        """No audit device is there, nor can be made in this fake."""
        return Reply({}, top=True)

    @on("list", "version-history/?")
    def versions(self, call: Call) -> Reply:
        """The only one that has been installed."""
        version = self.core.version
        key, built = self.core.flavour.build
        installed = stamp(int(self.core.seal.active_since))
        entry = {key: built, "previous_version": None, "timestamp_installed": installed}
        return Reply({"keys": [version], "key_info": {version: entry}})

    @on("read", "internal/counters/tokens")
    def count_tokens(self, call: Call) -> Reply:
        """Service tokens that live."""
        total = len(self.core.tokens.accessors(call.now))
        return Reply({"counters": {"service_tokens": {"total": total}}})

    @on("read", "internal/counters/entities")
    def count_entities(self, call: Call) -> Reply:
        """Who has logged in."""
        return Reply({"counters": {"entities": {"total": len(self.core.entities.by_id)}}})

    @on("read", "internal/counters/requests")
    def count_requests(self, call: Call) -> Reply:
        """No more."""
        raise Refused(404, "The functionality has been removed on this path")

    @on("read", "internal/ui/namespaces")
    def ui_namespaces(self, call: Call) -> Reply:
        """Those in which the caller's token may do anything; a Vault without any lists "" (source).

        vault/logical_system_util.go of the community edition, pathInternalUINamespacesRead.
        """
        if not call.token_id:
            raise Refused(500, "client token empty")
        token = self.core.tokens.find(call.token_id, call.now)
        if token is None:
            raise invalid_token()
        if not self.core.root.has_namespaces:
            return Reply({"keys": [""]})
        children = self.core.children
        seen = [path for path in sorted(children) if self.core.reaches(token, path)]
        return Reply({"keys": seen} if seen else {})

    @on("read", "internal/ui/resultant-acl")
    def resultant_acl(self, call: Call) -> Reply:
        """All that the caller's policies grant together."""
        assert call.token is not None
        acl = self.core.acl(call.token)
        shown: dict[str, Any] = {"root": acl.root}
        return Reply(shown if acl.root else {**shown, **acl.shown()})
