"""sys/: the system backend, composed of its parts (vault/logical_system.go)."""

from __future__ import annotations

from pytest_resilience_vault._lockout import LockedUserPaths
from pytest_resilience_vault._sys_info import InfoPaths
from pytest_resilience_vault._sys_leases import LeasePaths
from pytest_resilience_vault._sys_mounts import AuthPaths
from pytest_resilience_vault._sys_namespaces import NamespacePaths
from pytest_resilience_vault._sys_policies import CapabilityPaths, PolicyPaths
from pytest_resilience_vault._sys_quotas import QuotaPaths
from pytest_resilience_vault._sys_root import RootPaths
from pytest_resilience_vault._sys_tools import ToolPaths
from pytest_resilience_vault._sys_ui import UiPaths
from pytest_resilience_vault._wrapping import WrappingPaths


class Sys(
    AuthPaths,
    PolicyPaths,
    CapabilityPaths,
    UiPaths,
    WrappingPaths,
    QuotaPaths,
    NamespacePaths,
    LockedUserPaths,
    LeasePaths,
    ToolPaths,
    RootPaths,
    InfoPaths,
):
    """What is asked with a token below sys/; the rest is in the HTTP front."""

    type = "system"
    open_paths = (
        "decode-token",
        "internal/ui/mounts",
        "internal/ui/mounts/*",
        "internal/ui/namespaces",
        "wrapping/lookup",
    )
    # vault/logical_system.go, PathsSpecial.Root, as far as the paths are here.
    sudo_paths = (
        "audit",
        "auth/*",
        "leases",
        "leases/lookup/*",
        "leases/revoke-force/*",
        "leases/revoke-prefix/*",
        "remount",
        "revoke-force/*",
        "revoke-prefix/*",
        "rotate",
        "rotate/keyring",
        "seal",
        "step-down",
    )
