"""KV version 1: a map at a path, and nothing of what it was before."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import bad_request, refuse_too_large
from pytest_resilience_vault._gojson import encode
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._times import seconds

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core


def keys_below(paths: list[str], prefix: str) -> list[str]:
    """The names directly below a folder; folders end with a slash."""
    below = {path[len(prefix) :] for path in paths if path.startswith(prefix)}
    return sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below} - {""})


class Kv1(Backend):
    """The engine (builtin passthrough backend, vault-plugin-secrets-kv/passthrough.go)."""

    type = "kv"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.secrets: dict[str, dict[str, Any]] = {}

    def exists(self, call: Call) -> bool | None:
        """Whether there is a secret at the path."""
        return call.path in self.secrets

    @on("read", "(?P<path>.*)")
    def read(self, call: Call, path: str) -> Reply | None:
        """The map; its ``ttl`` or ``lease`` field, if it has one, is the lease's duration."""
        data = self.secrets.get(path)
        if data is None:
            return None
        duration = call.mount.ttl
        named = data.get("ttl", data.get("lease"))
        if named is not None:
            with contextlib.suppress(ValueError):
                duration = int(seconds(named))
        return Reply(data, lease_duration=duration)

    @on(WRITE, "(?P<path>.*)")
    def write(self, call: Call, path: str) -> None:
        """Replace the map."""
        if not path:
            raise bad_request("missing path")
        if not call.data:
            raise bad_request("missing data fields")
        refuse_too_large(encode(call.data), path, "failed to write: ")
        self.secrets[path] = dict(call.data)

    @on("delete", "(?P<path>.*)")
    def delete(self, call: Call, path: str) -> None:
        """Forget it; nothing there is fine, too."""
        self.secrets.pop(path, None)

    @on("list", "(?P<path>.*)")
    def keys(self, call: Call, path: str) -> Reply:
        """The names below a folder."""
        return Reply({"keys": keys_below(list(self.secrets), path)})
