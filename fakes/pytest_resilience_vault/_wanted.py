"""What the verbs of a test take: anything else is refused where it is written."""

from __future__ import annotations

from pytest_resilience import PlanError
from pytest_resilience_vault._mounts import Mounts
from pytest_resilience_vault._stored import checked_path
from pytest_resilience_vault._sys_mounts import PROTECTED
from pytest_resilience_vault._sys_namespaces import RESERVED

_SCHEMES = ("http://", "https://")


def seconds(name: str, value: object) -> float:
    """A time from now on; infinity is for ever."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise PlanError(f"{name} is {value!r}; wanted are seconds, 0 or more")
    return value


def leader(value: object) -> str:
    """The address of another node; none is a leader that nobody knows."""
    if value != "" and not (isinstance(value, str) and value.startswith(_SCHEMES)):
        raise PlanError(f"leader is {value!r}; wanted is a URL such as 'http://10.0.0.2:8200'")
    return str(value)


def token(value: object) -> str:
    """A token, known or not."""
    if not isinstance(value, str) or not value:
        raise PlanError(f"token is {value!r}; wanted is a token")
    return value


def free_place(mounts: Mounts, path: str) -> str:
    """Where an engine can be mounted."""
    prefix = checked_path(path) + "/"
    conflict = mounts.conflict(prefix)
    if conflict is not None:
        raise PlanError(f"path is {path!r}, and {conflict.prefix!r} is mounted already")
    if prefix.startswith(PROTECTED):
        raise PlanError(f"path is {path!r}; no engine can be mounted there")
    return prefix


def namespace(path: object) -> list[str]:
    """The names in a namespace's path."""
    names = path.strip("/").split("/") if isinstance(path, str) else [""]
    for name in names:
        if not name or " " in name or name in RESERVED:
            reserved = ", ".join(sorted(RESERVED))
            words = "wanted are names without spaces, such as 'team/child', and none of"
            raise PlanError(f"namespace is {path!r}; {words}: {reserved}")
    return names
