"""The server behind the HTTP front: finds the mount, checks the token, calls the backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pytest_resilience_vault import _errors
from pytest_resilience_vault._acl import Acl
from pytest_resilience_vault._backend import Backend, matches
from pytest_resilience_vault._call import CREATE, DELETE, LIST, PATCH, UPDATE, WRITES, Call
from pytest_resilience_vault._entities import Entities, Entity
from pytest_resilience_vault._errors import Forbidden, Refused, unlisted
from pytest_resilience_vault._flavour import VAULT, Flavour
from pytest_resilience_vault._ids import mint, new_uuid
from pytest_resilience_vault._kv1 import Kv1
from pytest_resilience_vault._kv2 import Kv2
from pytest_resilience_vault._mounts import Mount, Mounts
from pytest_resilience_vault._policies import Denials, Policies
from pytest_resilience_vault._quotas import Quotas
from pytest_resilience_vault._reply import NotThere, Reply
from pytest_resilience_vault._seal import Seal
from pytest_resilience_vault._tokens import ROOT_PATH, Token, Tokens
from pytest_resilience_vault._ttl import Wish
from pytest_resilience_vault._wrapping import (
    PATHS as WRAPPING_PATHS,
    Wraps,
    check_wrapping_token,
)

OWN_PATHS = ("auth/token/lookup-self", "auth/token/renew-self", "auth/token/revoke-self")
NAMING_PATHS = tuple(
    f"auth/token/{name}" for name in ("lookup", "renew", "revoke", "revoke-orphan")
)
"""Whose token in the body is looked at before the caller's."""


class Core:
    """Everything a Vault knows: mounts, policies, tokens, and whether it is sealed.

    A namespace is a core of its own, with its own mounts and policies; tokens, the seal and
    the quotas are those of the whole server.
    """

    def __init__(
        self, time: Callable[[], float], flavour: Flavour = VAULT, parent: Core | None = None
    ) -> None:
        self.time = time
        self.flavour = flavour
        self.version = flavour.version
        self.path = ""
        """Of the namespace, with a slash at the end; the root namespace's is empty."""
        self.id = "root"
        self.uuid = new_uuid()
        self.custom_metadata: dict[str, str] = {}
        self.parent = parent
        self.root: Core = parent.root if parent else self
        self.seal: Seal = parent.seal if parent else Seal(time)
        self.tokens: Tokens = parent.tokens if parent else Tokens()
        self.wraps: Wraps = parent.wraps if parent else Wraps()
        self.quotas: Quotas = parent.quotas if parent else Quotas()
        self.address: Callable[[], str] = str
        """Of the root namespace: where the server is asked."""
        self.root_token = ""
        """The newest that was made by init."""
        self.has_namespaces = flavour.is_openbao
        """Of the root namespace: whether X-Vault-Namespace means anything."""
        self.denials: Denials = parent.denials if parent else Denials()
        self.empty()

    def empty(self) -> None:
        """Leave only what every Vault has."""
        self.mounts = Mounts()
        self.policies = Policies(self.time, self.denials, openbao=self.flavour.is_openbao)
        self.children: dict[str, Core] = {}
        self.entities = Entities(self._id_suffix, self._name_suffix)
        self.entities.changed = self.policies.changed
        from pytest_resilience_vault._own_mounts import add_own_mounts, configure_own_mounts

        add_own_mounts(self)
        if self.parent is None:
            self.seal.opened = lambda: configure_own_mounts(self)

    def erase(self) -> None:
        """Be a server that nobody has initialized yet, with nothing in it."""
        self.empty()
        for token in self.tokens:
            self.tokens.revoke(token)
        self.seal.erase()

    def new_child(self, name: str) -> Core:
        """A namespace below this one."""
        child = Core(self.time, self.flavour, self)
        child.path = f"{self.path}{name}/"
        child.id = mint(6)
        self.children[f"{name}/"] = child
        return child

    def space(self, path: str) -> Core | None:
        """The namespace with this path below this one; "" is this one."""
        found: Core | None = self
        for name in path.strip("/").split("/") if path.strip("/") else ():
            found = found.children.get(f"{name}/") if found else None
        return found

    def below_of(self, path: str) -> tuple[Core, str]:
        """The namespace below this one in which a path is, and the path in it."""
        found: Core = self
        name, slash, rest = path.partition("/")
        while slash and f"{name}/" in found.children:
            found, path = found.children[f"{name}/"], rest
            name, slash, rest = path.partition("/")
        return found, path

    def new_token_id(self, *, batch: bool = False) -> str:
        """The id for a new token; in a namespace it ends with the namespace's."""
        flavour = self.flavour
        text = flavour.new_batch_token() if batch else flavour.new_token()
        return text if self.parent is None else f"{text}.{self.id}"

    def new_root_token(self) -> Token:
        """A token as init and generate-root make it: no lease, and shorter than others."""
        token = Token(
            id=self.flavour.new_root_token(),
            policies=["root"],
            path=ROOT_PATH,
            created=self.time(),
            display_name="root",
        )
        return self.tokens.add(token)

    # What a token may do

    def acl(self, token: Token) -> Acl:
        """What a token may do, by the policies of its own namespace."""
        home = self.root.space(token.space) if token.space != self.path else self
        if home is not self:
            return home.acl(token) if home else Acl(())
        entity = self.entities.by_id.get(token.entity_id)
        return self.policies.acl(token.policies, entity, root=token.is_root)

    def entity_of(self, token: Token) -> Entity | None:
        """Whose a token is, by its own namespace."""
        home = self.root.space(token.space) if token.space != self.path else self
        return home.entities.by_id.get(token.entity_id) if home else None

    def identity_policies(self, token: Token) -> list[str]:
        """Those that a token has because of whose it is."""
        entity = self.entity_of(token)
        return entity.policies if entity else []

    def _id_suffix(self) -> str:
        """Of an entity's id: in a namespace that of the namespace."""
        return f".{self.id}" if self.parent else ""

    def _name_suffix(self) -> str:
        """Of a name that is made for an entity: an OpenBao's says the namespace (seen)."""
        return f".{self.id}" if self.flavour.is_openbao else ""

    def below(self, token: Token) -> str | None:
        """This namespace's path as a token's policies write it; None outside of its own."""
        if not self.path.startswith(token.space):
            return None
        return self.path[len(token.space) :]

    def allows(
        self,
        token: Token,
        operation: str,
        path: str,
        *,
        sudo: bool = False,
        call: Call | None = None,
    ) -> bool:
        """Whether a token may do something in this namespace; see `Acl.allows`."""
        below = self.below(token)
        if below is None:
            return False
        return self.acl(token).allows(operation, f"{below}{path}", sudo=sudo, call=call)

    def capabilities(self, token: Token, path: str) -> list[str]:
        """What a token may do on a path of this namespace, as sys/capabilities-self lists it."""
        below = self.below(token)
        return ["deny"] if below is None else self.acl(token).capabilities(f"{below}{path}")

    def reaches(self, token: Token, prefix: str) -> bool:
        """Whether a token may do anything at or below a mount of this namespace."""
        below = self.below(token)
        try:
            return below is not None and self.acl(token).reaches(f"{below}{prefix}")
        except Forbidden as error:
            raise Refused(403, *error.errors) from None

    def renewal(self, token: Token, increment: float) -> Wish:
        """On which terms a token is renewed: those of its auth method."""
        mount = self.mounts.of(token.path)
        if mount is None:
            # A test has made it where no method is any more.
            return Wish(increment, token.granted)
        terms = mount.backend.renewal(token)
        return replace(terms, increment=increment, default=mount.ttl, longest=mount.longest_ttl)

    # Mounts

    def mount_kv(self, path: str, version: int | None, description: str = "") -> Mount:
        """Mount a KV engine."""
        return self.mounts.add(self.new_kv(path, version, description))

    def new_kv(self, path: str, version: int | None, description: str = "") -> Mount:
        """One that is not mounted yet; a version of None was not asked for, and is 1."""
        backend: Backend = Kv2(self) if version == 2 else Kv1(self)
        mount = Mount(path, "kv", backend, description=description)
        mount.options = {} if version is None else {"version": str(version)}
        return mount

    # Requests

    def handle(self, call: Call) -> tuple[Reply | None, str]:
        """The answer and the mount's type.

        Raises:
            Refused: With Vault's error.
            NotThere: A 404 with a body of its own.
        """
        home = self._home(call)
        if home is not self:
            return home.handle(call)
        if call.full_path.endswith("/") and call.operation in (UPDATE, CREATE, PATCH):
            raise _errors.bad_request("cannot write to a path ending in '/'")
        mount = self.mounts.of(call.full_path)
        if mount is not None:
            call.mount, call.path = mount, call.full_path[len(mount.prefix) :]
        if call.full_path in WRAPPING_PATHS:
            check_wrapping_token(self, call)
        if call.full_path in NAMING_PATHS and not isinstance(call.data.get("token", ""), str):
            # Before the caller's own token is looked at (request_handling.go).
            raise Refused(403, "invalid token")
        if mount is not None and matches(call.path, mount.backend.open_paths):
            return self._answer_anyone(mount, call)
        token = self._token(call)
        call.token = token
        try:
            self._check(token, mount, call)
            if mount is None:
                raise _errors.no_handler(call.full_path)
            return self._answer(mount, call)
        finally:
            self.tokens.finish(token)

    def _home(self, call: Call) -> Core:
        """The -self paths mean nothing outside of the token's own namespace, and go there."""
        token = self.tokens.find(call.token_id, call.now) if call.full_path in OWN_PATHS else None
        return (self.root.space(token.space) if token else None) or self

    def _answer_anyone(self, mount: Mount, call: Call) -> tuple[Reply | None, str]:
        """Answer on a path that needs no token, where errors are not listed (seen)."""
        try:
            return self._answer(mount, call)
        except Refused as refused:
            bare = [unlisted(error) for error in refused.errors]
            raise Refused(refused.status, *bare) from None

    def _token(self, call: Call) -> Token:
        if not call.token_id:
            raise _errors.no_token()
        token = self.tokens.find(call.token_id, call.now)
        if token is None:
            raise _errors.invalid_token()
        if not token.may_come_from(call.remote):
            raise _errors.no_token()
        if token.entity_id:
            entity = self.entity_of(token)
            if entity is None or entity.disabled:
                raise _errors.no_token()
        return token

    def _check(self, token: Token, mount: Mount | None, call: Call) -> None:
        """Count the use, then ask the policies; a refused request has used the token, too."""
        sudo = False
        try:
            if mount is not None:
                sudo = matches(call.path, mount.backend.sudo_paths)
                self._tell_create_from_update(mount, call)
        finally:
            self.tokens.use(token)
        if not self.allows(token, call.operation, call.full_path, sudo=sudo, call=call):
            raise _errors.not_allowed()

    def _tell_create_from_update(self, mount: Mount, call: Call) -> None:
        if call.operation in WRITES:
            there = mount.backend.exists(call)
            if there is not None:
                call.checks_existence = True
                mount.backend.convert(call)
            if there is False:
                call.operation = CREATE

    def _answer(self, mount: Mount, call: Call) -> tuple[Reply | None, str]:
        reply = self._replied(mount, call)
        if reply is None and call.operation not in (CREATE, UPDATE, DELETE, PATCH):
            raise _errors.not_found()
        if reply is not None and call.wrap_ttl and reply.wrap_info is None:
            reply = self.wraps.wrap(self, call, reply, call.wrap_ttl, None)
        return reply, mount.type

    def _replied(self, mount: Mount, call: Call) -> Reply | None:
        try:
            reply = mount.backend.handle(call)
            if (
                reply is not None
                and call.operation == LIST
                and (reply.data or {}).get("keys") == []
            ):
                raise _errors.not_found()
        except NotThere as missing:
            if not call.wrap_ttl or missing.reply is None:
                raise
            return replace(missing.reply, status=404)
        except Refused as refused:
            if (
                call.wrap_ttl
                and call.operation == LIST
                and (refused.status, *refused.errors) == (404,)
            ):
                # Nobody is to unwrap an empty list (vault/wrapping.go).
                raise Refused(404, "unsupported path") from None
            raise
        return reply
