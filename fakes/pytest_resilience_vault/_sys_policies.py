"""sys/policies/acl, sys/policy and sys/capabilities* (vault/logical_system.go)."""

from __future__ import annotations

import base64
from typing import Any

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import (
    Forbidden,
    Refused,
    bad_request,
    one_of,
    unsupported_operation,
)
from pytest_resilience_vault._policy import Terms
from pytest_resilience_vault._policy_names import internal
from pytest_resilience_vault._policy_terms import (
    check_and_set,
    read_terms,
    refuse_elapsed,
    shown_terms,
)
from pytest_resilience_vault._reply import Reply
from pytest_resilience_vault._tokens import Token


class PolicyPaths(Backend):
    """Policies, at the new path and at the old one."""

    type = "system"

    def _immutable(self) -> tuple[str, ...]:
        return ("root", *internal(openbao=self.core.flavour.is_openbao))

    def _names(self) -> list[str]:
        own = [] if self.core.parent else ["root"]
        return [*sorted(policy.name for policy in self.core.policies), *own]

    @on("list", "policies/acl/?")
    def list_policies(self, call: Call) -> Reply:
        """Their names."""
        return Reply({"keys": self._names()})

    @on("read list", "policy/?")
    def list_policies_old(self, call: Call) -> Reply:
        """Their names, twice."""
        return Reply({"keys": self._names(), "policies": self._names()}, top=True)

    @on("list", "policies/acl/(?P<name>.+)")
    def list_policies_below(self, call: Call, name: str) -> Reply:
        """Those whose names begin so; an OpenBao's."""
        return Reply({"keys": self._names_below(name)})

    @on("list", "policy/(?P<name>.+)")
    def list_policies_below_old(self, call: Call, name: str) -> Reply:
        """The same, twice."""
        names = self._names_below(name)
        shown: dict[str, Any] = {"keys": names, "policies": names} if names else {"policies": None}
        return Reply(shown, top=True)

    @on("list", "policies/detailed/acl/?(?P<name>.*)")
    def list_details(self, call: Call, name: str) -> Reply:
        """All that an OpenBao knows of those whose names begin so; of root in any case (seen)."""
        names = self._names_below(name)
        if name and not self.core.parent:
            names.append("root")
        details = {one: self._shown(one, "policy") for one in names}
        return Reply({"keys": names, "key_info": details})

    def _names_below(self, begin: str) -> list[str]:
        if not self.core.flavour.is_openbao:
            raise unsupported_operation()
        return [name for name in self._names() if name.startswith(begin)]

    @on("read", "policies/acl/(?P<name>.+)")
    def read_policy(self, call: Call, name: str) -> Reply | None:
        """A policy's text."""
        return self._read(name, "policy")

    @on("read", "policy/(?P<name>.+)")
    def read_policy_old(self, call: Call, name: str) -> Reply | None:
        """A policy's text, under another key."""
        reply = self._read(name, "rules")
        if reply is not None:
            reply.top = True
        return reply

    def _read(self, name: str, key: str) -> Reply | None:
        name = name.lower()
        if self.core.policies.get(name) is None and name != "root":
            return None
        return Reply(self._shown(name, key))

    def _shown(self, name: str, key: str) -> dict[str, Any]:
        policy = self.core.policies.get(name)
        data: dict[str, Any] = {"name": name, key: policy.text if policy else ""}
        if self.core.flavour.is_openbao:
            data.update(shown_terms(policy))
        return data

    @on(WRITE, "policies/acl/(?P<name>.+)")
    @on(WRITE, "policy/(?P<name>.+)")
    def write_policy(self, call: Call, name: str) -> Reply | None:
        """Write a policy; it is in force for every token at once."""
        name = name.lower()
        terms = self.core.policies.usual_terms
        if self.core.flavour.is_openbao:
            call.convert(fields.POLICY)
            terms = read_terms(call, terms)
        text = call.text("policy") or (
            call.text("rules") if call.path.startswith("policy/") else ""
        )
        self._set(name, text, call, terms)
        if not call.text("policy"):
            return Reply(warnings=["'rules' is deprecated, please use 'policy' instead"])
        return None

    def _set(self, name: str, text: str, call: Call, terms: Terms) -> None:
        if not text:
            raise bad_request("'policy' parameter not supplied or empty")
        text = _plain(text)
        refuse_elapsed(terms, call.now)
        try:
            self.core.policies.read(name, text)
        except ValueError as error:
            raise bad_request(str(error)) from None
        if name in self._immutable():
            raise bad_request(f'cannot update "{name}" policy')
        if self.core.flavour.is_openbao:
            check_and_set(self.core.policies.get(name), terms, call)
        self.core.policies.write(name, text, terms)

    @on("patch", "policies/acl/(?P<name>.+)", fields.POLICY)
    def patch_policy(self, call: Call, name: str) -> Reply:
        """Change what is named, in an OpenBao."""
        if not self.core.flavour.is_openbao:
            raise unsupported_operation()
        name = name.lower()
        old = self.core.policies.get(name)
        if old is None and name != "root":
            raise bad_request("policy not found")
        text = call.text("policy", old.text if old else "")
        terms = read_terms(call, old.terms if old else self.core.policies.usual_terms)
        call.data.setdefault("cas", old.number if old else 0)
        self._set(name, text, call, terms)
        return Reply()

    @on("delete", "policies/acl/(?P<name>.+)")
    @on("delete", "policy/(?P<name>.+)")
    def delete_policy(self, call: Call, name: str) -> None:
        """Forget a policy."""
        name = name.lower()
        if name in self._immutable():
            raise bad_request(f'cannot delete "{name}" policy')
        if name == "default":
            raise bad_request("cannot delete default policy")
        self.core.policies.delete(name)


def _plain(text: str) -> str:
    """A policy that may have been sent as base64 (logical_system.go, handlePoliciesSet)."""
    try:
        plain = base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one, and so is text beyond ASCII
        return text
    try:
        return plain.decode()
    except ValueError:
        raise bad_request("failed to parse policy: At 1:1: illegal char") from None


class CapabilityPaths(Backend):
    """What a token may do on paths."""

    type = "system"

    @on(WRITE, "capabilities-self", fields.CAPABILITIES)
    def capabilities_self(self, call: Call) -> Reply:
        """The caller's token."""
        return self._capabilities(call, call.token)

    @on(WRITE, "capabilities", fields.CAPABILITIES)
    def capabilities(self, call: Call) -> Reply:
        """A named token."""
        named = call.text("token")
        if not named:
            raise Refused(500, one_of("no token found"))
        return self._capabilities(call, self.core.tokens.find(named, call.now))

    @on(WRITE, "capabilities-accessor", fields.CAPABILITIES)
    def capabilities_accessor(self, call: Call) -> Reply:
        """The token with this accessor."""
        accessor = call.text("accessor")
        if not accessor:
            raise bad_request("missing accessor")
        token = self.core.tokens.find_accessor(accessor, call.now)
        if token is None:
            raise bad_request(one_of("invalid accessor"))
        return self._capabilities(call, token)

    def _capabilities(self, call: Call, token: Token | None) -> Reply:
        paths = call.texts("paths") or call.texts("path")
        if not paths:
            raise bad_request("paths must be supplied")
        if "" in paths:
            raise bad_request(one_of("missing path"))
        if token is None:
            raise bad_request(one_of("invalid token"))
        core = self.core
        try:
            data: dict[str, Any] = {
                path: core.capabilities(token, path.removeprefix("/")) for path in paths
            }
        except Forbidden as error:
            raise Refused(403, one_of(error.why)) from None
        if len(paths) == 1:
            # For clients from before several paths could be asked about.
            data["capabilities"] = data[paths[0]]
        return Reply(data, top=True)
