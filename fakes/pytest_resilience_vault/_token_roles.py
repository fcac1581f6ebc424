"""auth/token/roles: what tokens that are created with a role may be (vault/token_store.go)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import NAME, WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._cidr import short, unparsable
from pytest_resilience_vault._errors import bad_request, quoted_list
from pytest_resilience_vault._reply import Reply

if TYPE_CHECKING:
    from pytest_resilience_vault._core import Core

_LISTS = (
    "allowed_policies",
    "allowed_policies_glob",
    "disallowed_policies",
    "disallowed_policies_glob",
)
_SUFFIX = re.compile(r"\w[\w.-]+\w", re.ASCII)
# The words of the fields from before the token_ ones, which still work.
_OLD = {
    "period": "token_period",
    "bound_cidrs": "token_bound_cidrs",
    "explicit_max_ttl": "token_explicit_max_ttl",
}
_TYPES = ("batch", "default-batch", "default-service", "service")


@dataclass(slots=True, eq=False)
class TokenRole:
    """A role of the token store."""

    name: str
    allowed_policies: list[str] = field(default_factory=list)
    allowed_policies_glob: list[str] = field(default_factory=list)
    disallowed_policies: list[str] = field(default_factory=list)
    disallowed_policies_glob: list[str] = field(default_factory=list)
    allowed_entity_aliases: list[str] | None = None
    orphan: bool = False
    renewable: bool = True
    path_suffix: str = ""
    token_bound_cidrs: list[str] = field(default_factory=list)
    token_explicit_max_ttl: int = 0
    token_no_default_policy: bool = False
    token_num_uses: int = 0
    token_period: int = 0
    token_type: str = "default-service"  # noqa: S105
    explicit_max_ttl: int = 0
    period: int = 0
    bound_cidrs: list[str] = field(default_factory=list)
    """As long as they were set under these names."""

    def shown(self) -> dict[str, Any]:
        """As a read shows it."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        for name in ("bound_cidrs", "token_bound_cidrs", "token_num_uses"):
            if not shown[name]:
                del shown[name]
        return shown

    def policies(
        self, asked: list[str], parents: list[str], *, no_default: bool = False
    ) -> list[str]:
        """The policies of a new token.

        Raises:
            Refused: The role does not allow one that was asked for.
        """
        default = [] if no_default else self._default()
        allowed = sorted({*self.allowed_policies, *default})
        limited = bool(self.allowed_policies or self.allowed_policies_glob)
        asked = asked or (allowed if limited else parents)
        wanted = ["root"] if "root" in asked else sorted({*asked, *default})
        if limited and not self._fit(wanted, allowed):
            words = f"token policies ({quoted_list(wanted)}) must be subset of the role's allowed"
            globs = quoted_list(sorted(self.allowed_policies_glob))
            raise bad_request(
                f"{words} policies ({quoted_list(allowed)}) or glob policies ({globs})"
            )
        for name in wanted:
            if name in self.disallowed_policies or _any(self.disallowed_policies_glob, name):
                raise bad_request(f'token policy "{name}" is disallowed by this role')
        return wanted

    @property
    def limits_policies(self) -> bool:
        """Whether it says anything about policies; if not, the usual rules hold."""
        return any(getattr(self, name) for name in _LISTS)

    def _default(self) -> list[str]:
        refused = self.token_no_default_policy or "default" in self.disallowed_policies
        return [] if refused else ["default"]

    def _fit(self, wanted: list[str], allowed: list[str]) -> bool:
        globs = self.allowed_policies_glob
        return all(name in allowed or _any(globs, name) for name in wanted)


def _check_batch(role: TokenRole) -> None:
    """What a role that gives batch tokens cannot become (tokenutil.ParseTokenFields)."""
    words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
    words = f"error parsing role fields: {words}"
    if role.token_period:
        raise bad_request(f"{words} periodic tokens")
    if role.token_num_uses:
        raise bad_request(f"{words} tokens with limited use count")


def _any(globs: list[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in globs)


class TokenRolePaths(Backend):
    """Making, reading and forgetting roles."""

    type = "token"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.roles: dict[str, TokenRole] = {}

    def exists(self, call: Call) -> bool | None:
        """Whether there is such a role; on the roles' own paths only."""
        folder, _, name = call.path.partition("/")
        return name in self.roles if folder == "roles" and name else None

    @on("list", "roles/?")
    def list_roles(self, call: Call) -> Reply:
        """Their names."""
        return Reply({"keys": sorted(self.roles)})

    @on("read", f"roles/{NAME}")
    def read_role(self, call: Call, name: str) -> Reply | None:
        """A role."""
        role = self.roles.get(name)
        return Reply(role.shown()) if role else None

    @on("delete", f"roles/{NAME}")
    def delete_role(self, call: Call, name: str) -> None:
        """Forget a role; its tokens live on."""
        self.roles.pop(name, None)

    @on(WRITE, f"roles/{NAME}", fields.TOKEN_ROLE)
    def write_role(self, call: Call, name: str) -> Reply | None:
        """Make a role, or change the settings that are named."""
        old = self.roles.get(name)
        role = TokenRole(
            **{key: getattr(old, key) for key in old.__slots__} if old else {"name": name}
        )
        for field_name in _LISTS:
            if call.has(field_name):
                setattr(role, field_name, call.texts(field_name))
        if call.has("allowed_entity_aliases"):
            role.allowed_entity_aliases = [
                one.lower() for one in call.texts("allowed_entity_aliases")
            ]
        role.orphan = call.flag("orphan", default=role.orphan)
        role.renewable = call.flag("renewable", default=role.renewable)
        suffix = call.text("path_suffix", role.path_suffix)
        if suffix and not _SUFFIX.fullmatch(suffix):
            words = "given role path suffix contains invalid characters; must match"
            raise bad_request(f"{words} \\w[\\w-.]+\\w")
        role.path_suffix = suffix
        self._set_times(role, call)
        if old is not None and old.token_type.endswith("batch"):
            _check_batch(role)
        self._set_type(role, call)
        self.roles[name] = role
        both = [(old, new) for old, new in _OLD.items() if call.has(old) and call.has(new)]
        warnings = [
            f"Both '{new}' and deprecated '{old}' value supplied, ignoring the deprecated value"
            for old, new in both
        ]
        return Reply(warnings=warnings) if warnings else None

    def _set_times(self, role: TokenRole, call: Call) -> None:
        for old, new in _OLD.items():
            name = new if call.has(new) else old
            if not call.has(name):
                continue
            value: Any = self._blocks(call, name) if "cidrs" in name else int(call.seconds(name))
            setattr(role, new, value)
            setattr(role, old, value if name == old else [] if "cidrs" in name else 0)
        role.token_no_default_policy = call.flag(
            "token_no_default_policy", default=role.token_no_default_policy
        )
        uses = call.whole("token_num_uses", role.token_num_uses)
        if uses < 0:
            raise bad_request("'token_num_uses' cannot be negative")
        role.token_num_uses = uses

    def _blocks(self, call: Call, name: str) -> list[str]:
        problem = unparsable(call.texts(name))
        if problem:
            raise bad_request(f"error parsing role fields: {problem}")
        return [short(block) for block in call.texts(name)]

    def _set_type(self, role: TokenRole, call: Call) -> None:
        kind = call.text("token_type", role.token_type) or "default-service"
        kind = "default-service" if kind == "default" else kind
        if kind not in _TYPES:
            raise bad_request(f"invalid 'token_type' value \"{kind}\"")
        if kind == "batch":
            words = "'token_type' cannot be 'batch' when role is set to generate"
            for wrong, what in (
                (not role.orphan, "non-orphan tokens"),
                (role.token_period, "periodic tokens"),
                (role.renewable, "renewable tokens"),
                (role.token_explicit_max_ttl, "tokens with an explicit max TTL"),
            ):
                if wrong:
                    raise bad_request(f"{words} {what}")
        role.token_type = kind
