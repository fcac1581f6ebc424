"""The server behind the HTTP front: finds the mount, checks the token, calls the backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from pytest_resilience_vault import _errors
from pytest_resilience_vault._backend import Backend, matches
from pytest_resilience_vault._call import CREATE, DELETE, LIST, PATCH, UPDATE, WRITES, Call
from pytest_resilience_vault._default_policy import DEFAULT_POLICY
from pytest_resilience_vault._errors import Refused
from pytest_resilience_vault._kv1 import Kv1
from pytest_resilience_vault._kv2 import Kv2, NotThere
from pytest_resilience_vault._mounts import Mount, Mounts
from pytest_resilience_vault._policy import Acl, Policy, read_policy
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._seal import Seal
from pytest_resilience_vault._tokens import Token, Tokens
from pytest_resilience_vault._ttl import Wish

VERSION = "1.20.0"
"""The Vault that is imitated."""


class Core:
    """Everything a Vault knows: mounts, policies, tokens, and whether it is sealed."""

    def __init__(self, time: Callable[[], float]) -> None:
        from pytest_resilience_vault._identity import Cubbyhole, Identity
        from pytest_resilience_vault._sys import Sys
        from pytest_resilience_vault._token_api import TokenApi

        self.time = time
        self.version = VERSION
        self.seal = Seal(time)
        self.tokens = Tokens()
        self.mounts = Mounts()
        self.policies: dict[str, Policy] = {}
        self._acls: dict[tuple[str, ...], Acl] = {}
        self._denied: set[str] = set()
        self.set_policy("default", DEFAULT_POLICY)
        self.mounts.add(
            Mount("sys/", "system", Sys(self), description=SYS_WORDS, seal_wrap=True)
        ).config = {"passthrough_request_headers": ["Accept"]}
        token = Mount("token/", "token", TokenApi(self), is_auth=True)
        token.description = "token based credentials"
        self.mounts.add(token)
        self.mounts.add(
            Mount("cubbyhole/", "cubbyhole", Cubbyhole(self), description=HOLE_WORDS, local=True)
        )
        self.mounts.add(
            Mount("identity/", "identity", Identity(self), description="identity store")
        ).config = {"passthrough_request_headers": ["Authorization"]}

    # Policies

    def set_policy(self, name: str, text: str) -> None:
        """Write a policy.

        Raises:
            ValueError: It cannot be read, in Vault's words.
        """
        self.policies[name] = read_policy(name, text)
        self._acls.clear()

    def check_policy(self, name: str, text: str) -> None:
        """Raise what `set_policy` would."""
        read_policy(name, text)

    def delete_policy(self, name: str) -> None:
        """Forget a policy; tokens that have it lose what it granted."""
        self.policies.pop(name, None)
        self._acls.clear()

    def unknown_policies(self, names: Iterable[str]) -> list[str]:
        """The warnings about policies that nobody has written."""
        known = {*self.policies, "root"}
        return [f'Policy "{name}" does not exist' for name in names if name not in known]

    def acl(self, token: Token) -> Acl:
        """What a token may do."""
        key = tuple(token.policies)
        acl = self._acls.get(key)
        if acl is None:
            held = [self.policies[name] for name in key if name in self.policies]
            acl = Acl([*held, *self._denials()], root="root" in key)
            self._acls[key] = acl
        return acl

    def deny(self, paths: Iterable[str]) -> None:
        """Forbid paths to every token but root, whatever its policies."""
        self._denied.update(paths)
        self._acls.clear()

    def undeny(self, paths: Iterable[str]) -> None:
        """Take that back."""
        self._denied.difference_update(paths)
        self._acls.clear()

    def _denials(self) -> list[Policy]:
        stanzas = [f'path "{path}" {{ capabilities = ["deny"] }}' for path in self._denied]
        return [read_policy("denied", "\n".join(stanzas))]

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
        """Mount a KV engine; a version of None is one that was not asked for, which is 1."""
        backend: Backend = Kv2(self) if version == 2 else Kv1(self)
        mount = Mount(path, "kv", backend, description=description)
        mount.options = {} if version is None else {"version": str(version)}
        return self.mounts.add(mount)

    # Requests

    def handle(self, call: Call) -> tuple[Reply | None, str]:
        """The answer and the mount's type.

        Raises:
            Refused: With Vault's error.
            NotThere: A 404 with a body of its own.
        """
        if call.full_path.endswith("/") and call.operation in (UPDATE, CREATE, PATCH):
            raise _errors.bad_request("cannot write to a path ending in '/'")
        mount = self.mounts.of(call.full_path)
        if mount is not None:
            call.mount, call.path = mount, call.full_path[len(mount.prefix) :]
            if matches(call.path, mount.backend.open_paths):
                return self._answer_anyone(mount, call)
        token = self._token(call.token_id, call.now)
        call.token = token
        try:
            self._check(token, mount, call)
            if mount is None:
                raise _errors.no_handler(call.full_path)
            return self._answer(mount, call)
        finally:
            self.tokens.finish(token)

    def _answer_anyone(self, mount: Mount, call: Call) -> tuple[Reply | None, str]:
        """Answer on a path that needs no token, where errors are not listed (seen)."""
        try:
            return self._answer(mount, call)
        except Refused as refused:
            if refused.status == 405:
                raise Refused(405, "unsupported operation") from None
            raise

    def _token(self, token_id: str, now: float) -> Token:
        if not token_id:
            raise _errors.no_token()
        token = self.tokens.find(token_id, now)
        if token is None:
            raise _errors.invalid_token()
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
        if not self.acl(token).allows(call.operation, call.full_path, sudo=sudo):
            raise _errors.not_allowed()

    def _tell_create_from_update(self, mount: Mount, call: Call) -> None:
        if call.operation in WRITES:
            there = mount.backend.exists(call)
            call.checks_existence = there is not None
            if there is False:
                call.operation = CREATE

    def _answer(self, mount: Mount, call: Call) -> tuple[Reply | None, str]:
        reply = mount.backend.handle(call)
        if reply is not None and call.operation == LIST and (reply.data or {}).get("keys") == []:
            raise _errors.not_found()
        if reply is None and call.operation not in (CREATE, UPDATE, DELETE, PATCH):
            raise _errors.not_found()
        return reply, mount.type


SYS_WORDS = "system endpoints used for control, policy and debugging"
HOLE_WORDS = "per-token private secret storage"

__all__ = ["VERSION", "Core", "NotThere"]
