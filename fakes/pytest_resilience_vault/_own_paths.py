"""Paths below sys/ that only the root namespace has."""

from __future__ import annotations

# vault/request_handling.go of OpenBao (restrictedSysAPIs, by whole segments); Vault names the
# same ones as far as they are in this fake (docs/enterprise/namespaces, root-only API paths).
_ROOT_ONLY = tuple(
    f"sys/{path}/"
    for path in (
        "audit",
        "audit-hash",
        "config/auditing",
        "config/cors",
        "config/reload",
        "config/state",
        "config/ui",
        "host-info",
        "in-flight-req",
        "internal/counters/activity",
        "internal/counters/config",
        "internal/inspect/router",
        "loggers",
        "metrics",
        "mfa/method",
        "monitor",
        "pprof",
        "quotas/config",
        "quotas/rate-limit",
        "raw",
        "rekey",
        "rekey-recovery-key",
        "storage",
    )
)


def is_of_root_only(path: str) -> bool:
    """Whether a namespace does not answer on it."""
    return path.startswith("sys/") and f"{path}/".startswith(_ROOT_ONLY)
