"""sys/namespaces, as OpenBao has it; the community edition of Vault has no namespaces.

internal/vault/logical_system_namespaces.go of OpenBao; answers seen. Vault Enterprise's API
has the same paths.
"""

from __future__ import annotations

from typing import Any

from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call, go_type
from pytest_resilience_vault._core import Core
from pytest_resilience_vault._errors import bad_request, unsupported_path
from pytest_resilience_vault._merge import merged
from pytest_resilience_vault._reply import Reply

RESERVED = ("root", "sys", "audit", "auth", "cubbyhole", "identity")


class NamespacePaths(Backend):
    """The namespaces directly below this one."""

    type = "system"

    def _demand(self) -> None:
        if not self.core.root.has_namespaces:
            raise unsupported_path()

    @on("list", "namespaces/?")
    def list_namespaces(self, call: Call) -> Reply:
        """Their names."""
        self._demand()
        children = self.core.children
        shown = {name: _shown(children[name]) for name in sorted(children)}
        return Reply({"key_info": shown, "keys": list(shown)})

    @on("read", "namespaces/(?P<path>.+)")
    def read_namespace(self, call: Call, path: str) -> Reply | None:
        """One of them."""
        child = self._child(path)
        return Reply(_shown(child)) if child else None

    @on("patch", "namespaces/(?P<path>.+)", {"custom_metadata": "mapping"})
    def patch_namespace(self, call: Call, path: str) -> Reply:
        """Merge into its metadata; null takes away, one entry or all (seen)."""
        child = self._child(path)
        if child is None:
            raise bad_request("namespace not found")
        custom = call.mapping("custom_metadata")
        for value in custom.values():
            if value is not None and not isinstance(value, str):
                words = "metadata patch can only have string or null values"
                raise bad_request(f"{words}, got {go_type(value)[1:-1]}")
        if call.has("custom_metadata"):
            empty = call.data["custom_metadata"] is None
            child.custom_metadata = {} if empty else merged(dict(child.custom_metadata), custom)
        return Reply(_shown(child))

    def _child(self, name: str) -> Core | None:
        self._demand()
        name = name.strip("/")
        if "/" in name:
            raise bad_request("namespace name cannot contain /")
        return self.core.children.get(f"{name}/")

    @on(WRITE, "namespaces/(?P<path>.+)")
    def write_namespace(self, call: Call, path: str) -> Reply:
        """Make one, or change its metadata."""
        self._demand()
        name = path.strip("/")
        if "/" in name:
            raise bad_request("namespace name cannot contain /")
        if name in RESERVED:
            words = "is a reserved path and cannot be used as a namespace name"
            raise bad_request(f'"{name}/" {words}')
        if " " in name:
            words = "contains space characters that cannot be used in a namespace name"
            raise bad_request(f'"{name}" {words}')
        child = self.core.children.get(f"{name}/") or self.core.new_child(name)
        child.custom_metadata = call.pairs("custom_metadata")
        return Reply(_shown(child))

    @on("delete", "namespaces/(?P<path>.+)")
    def delete_namespace(self, call: Call, path: str) -> Reply:
        """Forget one and all that is in it."""
        self._demand()
        key = f"{path.strip('/')}/"
        if "/" in key[:-1]:
            raise bad_request("namespace name cannot contain /")
        child = self.core.children.get(key)
        if child is None:
            return Reply(warnings=["requested namespace does not exist"])
        if child.children:
            raise bad_request("unable to delete namespace containing child namespaces")
        del self.core.children[key]
        for token in self.core.tokens:
            if token.space == child.path:
                self.core.tokens.revoke(token)
        return Reply({"status": "in-progress"})


def _shown(child: Core) -> dict[str, Any]:
    return {
        "custom_metadata": child.custom_metadata,
        "id": child.id,
        "locked": False,
        "path": child.path,
        "tainted": False,
        "uuid": child.uuid,
    }
