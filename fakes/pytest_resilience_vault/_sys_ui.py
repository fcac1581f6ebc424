"""sys/internal/ui/mounts: how clients find out which KV version a path has.

The Go CLI asks it before every kv command (command/kv_helpers.go). The path needs a token
that may do something below the mount, which is checked here and not by policies.
"""

from __future__ import annotations

from typing import Any

from pytest_resilience_vault._backend import Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import Refused, invalid_token, no_token
from pytest_resilience_vault._mounts import Mount
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._tokens import Token


class UiPaths(Backend):
    """The mounts that the caller's token may use."""

    type = "system"

    @on("read", "internal/ui/mounts")
    def ui_mounts(self, call: Call) -> Reply:
        """All of them; without a token none, and no error."""
        token = self._caller(call)
        mounts = self.core.mounts
        return Reply(
            {
                "auth": self._visible(mounts.auth_methods(), token),
                "secret": self._visible(mounts.secret_engines(), token),
            }
        )

    @on("read", "internal/ui/mounts/(?P<path>.+)")
    def ui_mount(self, call: Call, path: str) -> Reply:
        """The one that a path belongs to."""
        token = self._caller(call)
        if token is None:
            raise no_token()
        asked = path if path.endswith("/") else f"{path}/"
        mount = self.core.mounts.of(asked)
        if mount is None or not self.core.reaches(token, mount.prefix):
            raise Refused(
                403,
                "preflight capability check returned 403, please ensure client's policies grant"
                f' access to path "{asked}"',
            )
        return Reply({**mount.entry(self.core.flavour), "path": mount.path})

    def _visible(self, mounts: list[Mount], token: Token | None) -> dict[str, Any]:
        flavour = self.core.flavour
        shown = {
            mount.path: mount.entry(flavour)
            for mount in mounts
            if token is not None and self.core.reaches(token, mount.prefix)
        }
        for mount in mounts:
            # Shown to everybody, and no more of it than this.
            if mount.path not in shown and mount.config.get("listing_visibility") == "unauth":
                shown[mount.path] = {
                    "description": mount.description,
                    "options": mount.options,
                    "type": mount.type,
                }
        return shown

    def _caller(self, call: Call) -> Token | None:
        if not call.token_id:
            return None
        token = self.core.tokens.find(call.token_id, call.now)
        if token is None:
            raise invalid_token()
        return token
