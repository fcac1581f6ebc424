"""auth/token/roles: what tokens that are created with a role may be (vault/token_store.go)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import NAME, WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._cidr import short, unparsable
from pytest_resilience_vault._errors import bad_request, quoted_list
from pytest_resilience_vault._policy_names import is_among, sanitized
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
        """The policies of a new token (resolveTokenPolicies).

        Raises:
            Refused: The role does not allow one that was asked for.
        """
        default = not (no_default or self.token_no_default_policy or self._refuses("default"))
        wanted = sanitized(asked, default=default) if asked else []
        if self.allowed_policies or self.allowed_policies_glob:
            allowed = sanitized(self.allowed_policies, default=default)
            self._check_allowed(wanted, allowed)
            wanted = wanted or allowed
        else:
            wanted = wanted or sanitized(parents, default=default)
        for name in wanted:
            if self._refuses(name):
                raise bad_request(f'token policy "{name}" is disallowed by this role')
        return wanted

    def _check_allowed(self, wanted: list[str], allowed: list[str]) -> None:
        globs = self.allowed_policies_glob
        if not all(name in allowed or is_among(name, globs) for name in wanted):
            words = f"token policies ({quoted_list(wanted)}) must be subset of the role's allowed"
            raise bad_request(
                f"{words} policies ({quoted_list(allowed)}) or glob policies ({quoted_list(globs)})"
            )

    def _refuses(self, name: str) -> bool:
        return name in self.disallowed_policies or is_among(name, self.disallowed_policies_glob)

    @property
    def limits_policies(self) -> bool:
        """Whether it says anything about policies; if not, the usual rules hold."""
        return any(getattr(self, name) for name in _LISTS)


class TokenRolePaths(Backend):
    """Making, reading and forgetting roles."""

    type = "token"
    captures: ClassVar = {"name": "role_name"}

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
        self._set_own(role, call)
        kind = _asked_type(call)
        _set_token_fields(role, call)
        if kind is None and role.token_type.endswith("batch"):
            _check_batch(role)
        if kind is not None:
            if kind not in _TYPES:
                raise bad_request(f"invalid 'token_type' value \"{kind}\"")
            role.token_type = kind
        warnings = _set_old_names(role, call)
        if role.token_type == "batch":  # noqa: S105
            _check_only_batch(role)
        if call.has("allowed_entity_aliases"):
            aliases = {one.lower() for one in call.texts("allowed_entity_aliases")}
            role.allowed_entity_aliases = sorted(aliases - {""})
        self.roles[name] = role
        return Reply(warnings=warnings) if warnings else None

    def _set_own(self, role: TokenRole, call: Call) -> None:
        """What only roles of the token store have."""
        role.orphan = call.flag("orphan", default=role.orphan)
        role.renewable = call.flag("renewable", default=role.renewable)
        suffix = call.text("path_suffix", role.path_suffix)
        # One fitting piece is enough.
        if suffix and not _SUFFIX.search(suffix):
            words = "given role path suffix contains invalid characters; must match"
            raise bad_request(f"{words} \\w[\\w-.]+\\w")
        if ".." in suffix:
            words = "error registering path suffix: path cannot contain parent references"
            raise bad_request(words)
        role.path_suffix = suffix
        for name in _LISTS:
            if call.has(name):
                # "root" stands alone among those that are allowed only.
                allows = name.startswith("allowed")
                names = {one.lower() for one in call.texts(name)} - {""}
                setattr(role, name, sanitized(names) if allows else sorted(names))


def _asked_type(call: Call) -> str | None:
    """The type that the body names; it is refused later than an unfit field."""
    if not call.has("token_type"):
        return None
    if call.data["token_type"] is None:
        raise bad_request("Invalid 'token_type' value: null")
    return call.text("token_type")


def _set_token_fields(role: TokenRole, call: Call) -> None:
    """The fields that auth methods have, too (tokenutil.ParseTokenFields)."""
    if call.has("token_bound_cidrs"):
        role.token_bound_cidrs = _blocks(call, "token_bound_cidrs", "role fields")
    for name in ("token_explicit_max_ttl", "token_period"):
        setattr(role, name, int(call.seconds(name, getattr(role, name))))
    role.token_no_default_policy = call.flag(
        "token_no_default_policy", default=role.token_no_default_policy
    )
    role.token_num_uses = call.whole("token_num_uses", role.token_num_uses)
    if role.token_num_uses < 0:
        raise bad_request("error parsing role fields: 'token_num_uses' cannot be negative")


def _blocks(call: Call, name: str, what: str) -> list[str]:
    problem = unparsable(call.texts(name))
    if problem:
        raise bad_request(f"error parsing {what}: {problem}")
    return [short(block) for block in call.texts(name)]


def _set_old_names(role: TokenRole, call: Call) -> list[str]:
    """The names from before the token_ fields; the warnings."""
    warnings = []
    for old, new in _OLD.items():
        if call.has(new):
            setattr(role, old, [] if old == "bound_cidrs" else 0)
            if call.has(old):
                words = f"Both '{new}' and deprecated '{old}' value supplied, ignoring the"
                warnings.append(f"{words} deprecated value")
        elif call.has(old):
            value = _blocks(call, old, old) if old == "bound_cidrs" else int(call.seconds(old))
            setattr(role, old, value)
            setattr(role, new, value)
    longest = role.explicit_max_ttl
    if call.has("token_explicit_max_ttl"):
        longest = role.token_explicit_max_ttl
    if longest > call.mount.longest_ttl:
        warnings.append(
            f"Given explicit max TTL of {longest} is greater than system/mount allowed value of"
            f" {call.mount.longest_ttl} seconds; until this is fixed attempting to create tokens"
            " against this role will result in an error"
        )
    return warnings


def _check_batch(role: TokenRole) -> None:
    """What a role that gave batch tokens cannot become (tokenutil.ParseTokenFields)."""
    words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
    words = f"error parsing role fields: {words}"
    if role.token_period:
        raise bad_request(f"{words} periodic tokens")
    if role.token_num_uses:
        raise bad_request(f"{words} tokens with limited use count")


def _check_only_batch(role: TokenRole) -> None:
    words = "'token_type' cannot be 'batch' when role is set to generate"
    for wrong, what in (
        (not role.orphan, "non-orphan tokens"),
        (role.token_period, "periodic tokens"),
        (role.renewable, "renewable tokens"),
        (role.token_explicit_max_ttl, "tokens with an explicit max TTL"),
    ):
        if wrong:
            raise bad_request(f"{words} {what}")
