"""cubbyhole/: a token's own storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._errors import Refused, bad_request, one_of
from pytest_resilience_vault._kv1 import keys_below
from pytest_resilience_vault._reply import Reply

if TYPE_CHECKING:
    from pytest_resilience_vault._call import Call
    from pytest_resilience_vault._core import Core

OLD_UNWRAP = (
    "Reading from 'cubbyhole/response' is deprecated. Please use sys/wrapping/unwrap to unwrap"
    " responses, as it provides additional security checks and other benefits."
)


class Cubbyhole(Backend):
    """Secrets that only the token which has written them can read (logical_cubbyhole.go)."""

    type = "cubbyhole"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._of_token: dict[str, dict[str, dict[str, Any]]] = {}

    def _own(self, call: Call) -> dict[str, dict[str, Any]]:
        if call.token and call.token.is_batch:
            words = "cubbyhole operations are only supported by 'service' type tokens"
            raise bad_request(words)
        return self._of_token.setdefault(call.token.id if call.token else "", {})

    def exists(self, call: Call) -> bool | None:
        """Whether the token has something there."""
        return call.path in self._own(call)

    @on("read", "(?P<path>.*)")
    def read(self, call: Call, path: str) -> Reply | None:
        """The map."""
        _demand_path(path)
        wrapped = self.core.wraps.of(call.token)
        if wrapped is not None and path == "response":
            flavour = self.core.flavour
            kind = None if flavour.is_openbao else wrapped.mount_type
            return Reply({"response": wrapped.text(kind)}, warnings=[OLD_UNWRAP])
        data = self._own(call).get(path)
        return None if data is None else Reply(data)

    @on(WRITE, "(?P<path>.*)")
    def write(self, call: Call, path: str) -> None:
        """Replace the map."""
        _demand_path(path)
        if not call.data:
            raise Refused(500, one_of("missing data fields"))
        self._own(call)[path] = dict(call.data)

    @on("delete", "(?P<path>.*)")
    def delete(self, call: Call, path: str) -> None:
        """Forget it."""
        self._own(call).pop(path, None)

    @on("list", "(?P<path>.*)")
    def keys(self, call: Call, path: str) -> Reply:
        """The names below a folder."""
        return Reply({"keys": keys_below(list(self._own(call)), path)})


def _demand_path(path: str) -> None:
    if not path:
        raise Refused(500, one_of("missing path"))
