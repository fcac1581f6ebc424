"""sys/quotas: rate limits (vault/logical_system_quotas.go)."""

from __future__ import annotations

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import NAME, WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._quotas import Place, RateLimit
from pytest_resilience_vault._reply import Reply


class QuotaPaths(Backend):
    """Rate limits, and whether answers speak of them."""

    type = "system"

    @on("read", "quotas/config")
    def read_quota_config(self, call: Call) -> Reply:
        """What holds for all quotas."""
        quotas = self.core.quotas
        return Reply(
            {
                "enable_rate_limit_audit_logging": quotas.audit,
                "enable_rate_limit_response_headers": quotas.headers,
                "rate_limit_exempt_paths": quotas.exempt,
            }
        )

    @on(WRITE, "quotas/config")
    def write_quota_config(self, call: Call) -> None:
        """Change it; what is not named becomes false, and no path is exempt (seen)."""
        quotas = self.core.quotas
        audit = call.flag("enable_rate_limit_audit_logging")
        quotas.headers = call.flag("enable_rate_limit_response_headers")
        quotas.audit, quotas.exempt = audit, call.texts("rate_limit_exempt_paths")

    @on("list", "quotas/rate-limit/?")
    def list_quotas(self, call: Call) -> Reply:
        """Their names."""
        return Reply({"keys": sorted(self.core.quotas.by_name)})

    @on("read", f"quotas/rate-limit/{NAME}")
    def read_quota(self, call: Call, name: str) -> Reply | None:
        """A quota."""
        quota = self.core.quotas.by_name.get(name)
        return None if quota is None else Reply(quota.shown())

    @on("delete", f"quotas/rate-limit/{NAME}")
    def delete_quota(self, call: Call, name: str) -> None:
        """Count no more."""
        self.core.quotas.by_name.pop(name, None)

    @on(WRITE, f"quotas/rate-limit/{NAME}", fields.QUOTA)
    def write_quota(self, call: Call, name: str) -> None:
        """Make a quota, or change one; counting begins anew."""
        rate = call.number("rate")
        if rate <= 0:
            raise bad_request("'rate' is invalid")
        interval = int(call.seconds("interval", 1)) or 1
        block = int(call.seconds("block_interval"))
        place = self._place(call.text("path"))
        known = self.core.quotas.by_name
        old = known.get(name)
        # A change does not reach the role (seen).
        role = old.role if old else call.text("role")
        self._check_role(call.text("role"), place)
        for other in known.values():
            same = (other.space, other.mount, other.path) == place
            if same and other.role == call.text("role") and other.name != name:
                words = "quota rule with similar properties exists under the name"
                raise bad_request(f'{words} "{other.name}"')
        known[name] = RateLimit(
            name,
            rate,
            interval,
            block,
            *place,
            role,
            inheritable=call.flag("inheritable", default=not (place.space or place.mount)),
        )

    def _place(self, path: str) -> Place:
        """The namespace, the mount and the path below it."""
        core, below = self.core.below_of(path.strip("/") + "/")
        bare = below.strip("/")
        if not bare:
            return Place(core.path, "", "")
        mount = core.mounts.of(bare)
        if mount is None:
            raise bad_request(f'invalid mount path "{bare}/"')
        return Place(core.path, mount.prefix, bare[len(mount.prefix) :])

    def _check_role(self, role: str, place: Place) -> None:
        if not role:
            return
        if place.below:
            words = "Quotas cannot contain both a path suffix and a role. If a role is provided,"
            raise bad_request(f"{words} path must be a valid auth mount with a concept of roles")
        mount = place.mount
        space = self.core.space(place.space)
        found = space.mounts.get(mount) if space else None
        if found is None or not found.is_auth:
            words = "is not a valid auth method and therefore unsuitable for use with role-based"
            raise bad_request(f'Mount path "{mount}" {words} quotas')
        if found.type != "approle":
            words = "does not support use with role-based quotas"
            raise bad_request(f'Mount path "{mount}" {words}')
