# ruff: noqa: E501 -- a request a line
"""Random requests, the same ones for the same seed.

An episode is a row of requests about mounts, roles and policies of its own, so that what one
has left behind does not tell in the next. Names and values come from small pools: requests
are to meet what others have made, and the odd values what a server refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.conformance.sides import Ask

LENGTH = 100
"""Requests in an episode, without those that set it up and clear it away."""

PATCH = (("Content-Type", "application/merge-patch+json"),)
POLICY = 'path "{}/*" {{ capabilities = [{}] }}\n'
CONSTRAINED = 'path "{}/*" {{ capabilities = ["create", "read", "update", "list"] {} }}\n'
CONSTRAINTS = [
    'allowed_parameters = { "data" = [] "n" = ["1", 1] "m" = ["x*"] }', "min_wrapping_ttl = 301",
    'denied_parameters = { "m" = ["*x"] "options" = [] }', 'denied_parameters = { "*" = [] }',
    'required_parameters = ["data"]', 'required_parameters = ["N"]', 'max_wrapping_ttl = "5m"',
    'allowed_parameters = { "*" = [] "n" = ["2"] }', 'allowed_parameters = ["a"]',
    'min_wrapping_ttl = "x"', "min_wrapping_ttl = 2 max_wrapping_ttl = 1", "pagination_limit = 1",
    'expiration = "2020-01-01T00:00:00Z"', 'expiration = "x"', 'pagination_limit = "y"',
]  # fmt: skip
CAPABILITIES = ["create", "read", "update", "patch", "delete", "list", "deny", "sudo"]


class Episode:
    """Draws the requests of one episode."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.mark = f"e{self.random.randrange(10**9)}"
        self.kv2, self.kv1 = f"{self.mark}v2", f"{self.mark}v1"
        self.auth, self.policy = f"{self.mark}ar", f"{self.mark}p"
        self.space = f"{self.mark}ns"
        self.last = -1

    # Drawing

    def pick(self, *values: Any) -> Any:
        """One of them."""
        return self.random.choice(values)

    def name(self) -> str:
        """A path of a secret."""
        return str(self.pick("a", "b", "c/d", "c/e", "c"))

    def odd(self) -> Any:
        """A value that few fields want."""
        return self.pick(
            None, True, False, 0, -1, 7, 1.5, "", "x", "1h", "90s", "-5", [], {}, ["x"], [1],
            {"a": 1}, "a=b", ["10.0.0.0/8"], "127.0.0.1/32", "é", "<&>",
        )  # fmt: skip

    def some(self, fields: dict[str, Callable[[], Any]], most: int = 4) -> dict[str, Any]:
        """A body with some of the fields; now and then one of them is odd."""
        names = self.random.sample(sorted(fields), self.random.randint(0, min(most, len(fields))))
        body = {name: fields[name]() for name in names}
        if names and self.random.random() < 0.12:
            body[self.pick(*names)] = self.odd()
        return body

    def who(self) -> str:
        """The token of a request: mostly root's."""
        draw = self.random.random()
        if draw < 0.72:
            return "{root}"
        return str(self.pick("{t1}", "{t2}", "{t3}", "{t1}", "{t2}", "", "s.nobody"))

    def index(self) -> tuple[tuple[str, str], ...]:
        """The header fields that say which state a request needs; many of them wrong."""
        index = self.pick("e30=", "bnVsbA==", "abc", "W10=", "eyJ2YWx1ZSI6MX0=", "",
                          "eyJDbHVzdGVyIjoiYSIsInZhbHVlIjoiOSJ9")  # fmt: skip
        mode = self.pick("fail", "await-state", "forward-active-node", "x", "")
        fields = (("X-Vault-Index", index), ("X-Vault-Inconsistent", mode))
        return tuple(self.random.sample(fields, self.pick(1, 1, 2)))

    # An episode

    def requests(self) -> Iterator[Ask]:
        """All of them."""
        yield from self._begin()
        kinds = [
            (self._kv2, 24), (self._kv1, 8), (self._role, 12), (self._secret_id, 12),
            (self._login, 8), (self._token, 18), (self._token_role, 8), (self._policies, 8),
            (self._mounts, 8), (self._wrapping, 8), (self._quota, 5), (self._namespace, 4),
            (self._node, 6), (self._malformed, 6), (self._identity, 8), (self._leases, 5),
        ]  # fmt: skip
        draws, weights = zip(*kinds, strict=True)
        for _ in range(LENGTH):
            ask: Ask = self.random.choices(draws, weights)[0]()
            yield ask
        yield from self._end()

    def _begin(self) -> Iterator[Ask]:
        text = POLICY.format(self.kv2, '"create", "read", "update", "list"')
        text += POLICY.format(self.kv1, '"read", "list"')
        text += 'path "auth/token/create*" { capabilities = ["update", "sudo"] }\n'
        yield Ask("POST", f"sys/mounts/{self.kv2}", {"type": "kv", "options": {"version": "2"}})
        yield Ask("POST", f"sys/mounts/{self.kv1}", {"type": "kv", "options": {"version": "1"}})
        yield Ask("POST", f"sys/auth/{self.auth}", {"type": "approle"})
        yield Ask("PUT", f"sys/policies/acl/{self.policy}", {"policy": text})
        for name, fields in (("t1", {}), ("t2", {"type": "batch"}), ("t3", {"ttl": "2h"})):
            body = {"policies": [self.policy], **fields}
            save = ((name, "auth.client_token"), (f"{name}a", "auth.accessor"))
            yield Ask("POST", "auth/token/create", body, save=save)
        yield Ask("POST", f"auth/{self.auth}/role/r1", {"token_policies": self.policy})

    def _end(self) -> Iterator[Ask]:
        for path in ("/".join(("quotas/rate-limit", self.mark + name)) for name in ("q1", "q2")):
            yield Ask("DELETE", f"sys/{path}")
        yield Ask("POST", "sys/quotas/config", {})
        for path in (f"mounts/{self.kv2}", f"mounts/{self.kv1}", f"mounts/{self.mark}x",
                     f"mounts/{self.mark}y", f"auth/{self.auth}", f"auth/{self.mark}z"):  # fmt: skip
            yield Ask("DELETE", f"sys/{path}")
        for name in (self.policy, f"{self.policy}2"):
            yield Ask("DELETE", f"sys/policies/acl/{name}")
        for name in ("a", "b"):
            yield Ask("DELETE", f"auth/token/roles/{self.mark}{name}")
        for one in ("{e1}", "{e2}", "{own}"):
            yield Ask("DELETE", f"identity/entity/id/{one}")
        yield Ask("DELETE", f"sys/namespaces/{self.space}")

    # Engines

    def _kv2(self) -> Ask:
        path, who = self.name(), self.who()
        draw: Callable[[str, str], Ask] = self.pick(
            self._kv2_write, self._kv2_write, self._kv2_read, self._kv2_read, self._kv2_versions,
            self._kv2_metadata, self._kv2_other,
        )  # fmt: skip
        return draw(path, who)

    def _kv2_write(self, path: str, who: str) -> Ask:
        body: dict[str, Any] = {
            "data": self.pick({"n": 1}, {"n": 2, "m": {"k": [1]}}, {}, {"n": None})
        }
        if self.random.random() < 0.4:
            body["options"] = {"cas": self.pick(0, 1, 2, 3, "0", "x", None)}
        if self.random.random() < 0.06:
            body = self.pick({"data": self.odd()}, {"data": {}, "options": self.odd()}, {"x": 1})
        method = self.pick("POST", "PUT", "PATCH")
        headers = PATCH if method == "PATCH" else ()
        return Ask(method, f"{self.kv2}/data/{path}", body, who, headers)

    def _kv2_read(self, path: str, who: str) -> Ask:
        query = self.pick(
            "",
            "",
            "",
            "?version=1",
            "?version=2",
            "?version=99",
            "?version=x",
            "?version=-1",
            "?version=0",
        )
        folder = self.pick("data", "data", "data", "metadata", "subkeys", "config", "")
        if folder == "subkeys":
            query = self.pick("", "?depth=1", "?depth=2", "?version=1", "?depth=x")
        if folder == "config":
            return Ask("GET", f"{self.kv2}/config", None, who)
        where = f"{self.kv2}/{folder}/{path}" if folder else f"{self.kv2}/{path}"
        return Ask("GET", f"{where}{query}", None, who)

    def _kv2_versions(self, path: str, who: str) -> Ask:
        folder = self.pick("delete", "undelete", "destroy")
        versions = self.pick(
            [1], [2], [1, 2], ["1"], "1,2", [99], [], None, "x", [-1], {}, ["x", 1, "y"], "1, 2",
            [True, "", None], [[1]], {"a": 1},
        )  # fmt: skip
        return Ask(
            self.pick("POST", "PUT"), f"{self.kv2}/{folder}/{path}", {"versions": versions}, who
        )

    def _kv2_metadata(self, path: str, who: str) -> Ask:
        fields: dict[str, Callable[[], Any]] = {
            "max_versions": lambda: self.pick(0, 1, 2, 5, "3"),
            "cas_required": lambda: self.pick(True, False, "true"),
            "delete_version_after": lambda: self.pick("0s", "3h", 3600, "90m"),
            "custom_metadata": lambda: self.pick(
                {"a": "b"}, {}, {"a": ""}, {"a": 1}, None, {"a\n": "b"}, {"a": "\x7f"}
            ),
        }
        method = self.pick("POST", "PUT", "PATCH")
        headers = PATCH if method == "PATCH" else ()
        if self.random.random() < 0.15:
            del fields["custom_metadata"]
            return Ask("POST", f"{self.kv2}/config", self.some(fields), who)
        return Ask(method, f"{self.kv2}/metadata/{path}", self.some(fields), who, headers)

    def _kv2_other(self, path: str, who: str) -> Ask:
        method, where = self.pick(
            ("LIST", "metadata/"), ("LIST", "metadata/c"), ("GET", "metadata?list=true"),
            ("DELETE", f"data/{path}"), ("DELETE", f"metadata/{path}"), ("LIST", f"data/{path}"),
            ("GET", "data"), ("GET", "metadata"), ("POST", "data"), ("DELETE", f"destroy/{path}"),
            ("GET", f"delete/{path}"), ("GET", ""), ("LIST", ""), ("POST", f"nope/{path}"),
            ("GET", f"metadata/{path}"), ("DELETE", "config"), ("LIST", "metadata?limit=1&after=a"),
            ("LIST", "metadata/?zz=1"), ("GET", f"data/{path}?zz=1"), ("GET", f"data/x%2F..%2F{path}"),
            ("POST", "data/a%7Fb"), ("GET", "data/x%2F%2Fy"), ("GET", f"subkeys/{path}?depth=-1"),
        )  # fmt: skip
        return Ask(method, f"{self.kv2}/{where}", {} if method == "POST" else None, who)

    def _kv1(self) -> Ask:
        path, who = self.name(), self.who()
        method = self.pick("GET", "GET", "POST", "POST", "PUT", "DELETE", "LIST", "PATCH")
        body = None
        if method in ("POST", "PUT", "PATCH"):
            body = self.pick(
                {"n": 1}, {"ttl": "5m", "n": 1}, {"data": {"n": 1}}, {}, {"lease": "x"}
            )
        if method == "LIST":
            path = self.pick("", "c", "a", "c/")
        headers = PATCH if method == "PATCH" else ()
        return Ask(method, f"{self.kv1}/{path}", body, who, headers)

    # AppRole

    def _role(self) -> Ask:
        role = f"auth/{self.auth}/role/{self.pick('r1', 'r1', 'r2', 'R1', 'nope')}"
        fields: dict[str, Callable[[], Any]] = {
            "token_policies": lambda: self.pick("default", [self.policy], ["x", "Y"], "", []),
            "token_ttl": lambda: self.pick("20m", 60, 0, "1h"),
            "token_max_ttl": lambda: self.pick("30m", 3600, 0, "9000h"),
            "token_period": lambda: self.pick(0, "1h", 60),
            "token_num_uses": lambda: self.pick(0, 1, 3),
            "token_explicit_max_ttl": lambda: self.pick(0, "5m"),
            "token_no_default_policy": lambda: self.pick(True, False),
            "token_bound_cidrs": lambda: self.pick(
                [], ["127.0.0.0/8"], "10.0.0.0/8", "x", "127.0.0.1/32"
            ),
            "token_type": lambda: self.pick("default", "service", "batch", "default-service"),
            "bind_secret_id": lambda: self.pick(True, True, False),
            "secret_id_num_uses": lambda: self.pick(0, 1, 2),
            "secret_id_ttl": lambda: self.pick(0, "10m"),
            "secret_id_bound_cidrs": lambda: self.pick([], ["127.0.0.0/8"], ["10.0.0.0/8"]),
            "policies": lambda: self.pick(["a"], "b"),
            "period": lambda: self.pick(0, 60),
            "role_id": lambda: self.pick(f"{self.mark}-id", ""),
            "local_secret_ids": lambda: self.pick(True, False),
        }
        draw = self.random.random()
        if draw < 0.4:
            return Ask("POST", role, self.some(fields), self.who())
        if draw < 0.6:
            return Ask("GET", role, None, self.who())
        if draw < 0.65:
            return Ask(self.pick("DELETE", "PATCH"), role, None, self.who())
        if draw < 0.7:
            query = self.pick("", "?limit=1", "?after=r1", "?zz=1&list=true")
            return Ask("LIST", f"auth/{self.auth}/role{query}", None, self.who())
        part = self.pick(
            "policies", "secret-id-num-uses", "secret-id-ttl", "token-ttl", "token-max-ttl",
            "bind-secret-id", "secret-id-bound-cidrs", "token-bound-cidrs", "token-num-uses",
            "period", "bound-cidr-list", "local-secret-ids", "nope",
        )  # fmt: skip
        field = {"policies": "token_policies", "period": "token_period"}.get(
            part, part.replace("-", "_")
        )
        method = self.pick("GET", "GET", "POST", "DELETE")
        body = {field: fields.get(field, self.odd)()} if method == "POST" else None
        return Ask(method, f"{role}/{part}", body, self.who())

    def _secret_id(self) -> Ask:
        role = f"auth/{self.auth}/role/{self.pick('r1', 'r1', 'r1', 'r2', 'nope')}"
        fields: dict[str, Callable[[], Any]] = {
            "metadata": lambda: self.pick('{"a":"b"}', "a=b", "", "x", '{"a":1}'),
            "cidr_list": lambda: self.pick([], ["127.0.0.1/32"], "10.0.0.0/8", "x"),
            "token_bound_cidrs": lambda: self.pick([], ["127.0.0.1/32"]),
            "num_uses": lambda: self.pick(0, 1, 2, -1),
            "ttl": lambda: self.pick(0, "5m", "20m"),
        }
        slot = self.pick("1", "2")
        save = ((f"s{slot}", "data.secret_id"), (f"sa{slot}", "data.secret_id_accessor"))
        named: Any = self.pick(f"{{s{slot}}}", f"{{s{slot}}}", "nope", "")
        accessor: Any = self.pick(f"{{sa{slot}}}", f"{{sa{slot}}}", "nope", "")
        return self.pick(  # type: ignore[no-any-return]
            Ask("POST", f"{role}/secret-id", self.some(fields, 2), "{root}", save=save),
            Ask("POST", f"{role}/secret-id", self.some(fields, 2), self.who(), save=save),
            Ask("POST", f"{role}/custom-secret-id", {"secret_id": self.pick("own", "own2", "")}),
            Ask("LIST", f"{role}/secret-id", None, self.who()),
            Ask("POST", f"{role}/secret-id/lookup", {"secret_id": named}, self.who()),
            Ask("POST", f"{role}/secret-id/destroy", {"secret_id": named}, self.who()),
            Ask("POST", f"{role}/secret-id-accessor/lookup", {"secret_id_accessor": accessor}),
            Ask("POST", f"{role}/secret-id-accessor/destroy", {"secret_id_accessor": accessor}),
            Ask("POST", f"auth/{self.auth}/tidy/secret-id", {}),
            Ask("GET", f"{role}/role-id", None, "{root}", save=(("rid", "data.role_id"),)),
            Ask("GET", f"{role}/role-id", None, "{root}", save=(("rid", "data.role_id"),)),
            Ask("POST", f"{role}/role-id", {"role_id": self.pick(f"{self.mark}-id", "")}),
        )

    def _login(self) -> Ask:
        draw = self.random.random()
        body: dict[str, Any] = {"role_id": "{rid}", "secret_id": self.pick("{s1}", "{s2}", "own")}
        if draw < 0.25:
            body["secret_id"] = self.pick("nope", "", "x" * 50)
        elif draw < 0.35:
            body["role_id"] = self.pick("nope", "")
        elif draw < 0.45:
            body[self.pick("role_id", "secret_id")] = self.odd()
        slot = self.pick("t3", "t4")
        save = ((slot, "auth.client_token"), (f"{slot}a", "auth.accessor"))
        method = self.pick("POST", "PUT", "POST", "POST", "GET") if draw > 0.9 else "POST"
        return Ask(method, f"auth/{self.auth}/login", body, "", save=save)

    # Tokens

    def _token(self) -> Ask:
        fields: dict[str, Callable[[], Any]] = {
            "policies": lambda: self.pick(["default"], [self.policy], [], ["nope"], ["root"]),
            "ttl": lambda: self.pick("30m", "1h", 0, "9999h", "x", "-1s", 120),
            "explicit_max_ttl": lambda: self.pick("20m", 0, "2h"),
            "period": lambda: self.pick("40m", 0),
            "num_uses": lambda: self.pick(0, 3, 5, -1),
            "renewable": lambda: self.pick(True, False),
            "no_parent": lambda: self.pick(True, False),
            "no_default_policy": lambda: self.pick(True, False),
            "display_name": lambda: self.pick("x", "a b", ""),
            "meta": lambda: self.pick({"a": "b"}, {}, {"a": 1}, None),
            "type": lambda: self.pick("service", "batch", "", "foo"),
            "entity_alias": lambda: self.pick("", "x"),
        }
        slot = self.pick("t1", "t2", "t3", "t4")
        save = ((slot, "auth.client_token"), (f"{slot}a", "auth.accessor"))
        token = self.pick("{t1}", "{t2}", "{t3}", "{t4}", "nope", "")
        accessor = self.pick("{t1a}", "{t3a}", "{t4a}", "nope", "")
        increment = self.pick({}, {"increment": "15m"}, {"increment": "9999h"}, {"increment": 300})
        own = self.pick("{t1}", "{t2}", "{t3}", "{t4}")
        where = self.pick(
            "create",
            "create",
            "create-orphan",
            f"create/{self.mark}a",
            f"create/{self.mark}b",
            "create/nope",
        )
        return self.pick(  # type: ignore[no-any-return]
            *[Ask("POST", f"auth/token/{where}", self.some(fields), self.who(), save=save)] * 4,
            Ask("GET", "auth/token/lookup-self", None, own),
            Ask("GET", "auth/token/lookup-self", None, self.who()),
            Ask("POST", "auth/token/lookup", {"token": token}, self.who()),
            Ask("POST", "auth/token/lookup-accessor", {"accessor": accessor}, self.who()),
            Ask("POST", "auth/token/renew-self", increment, own),
            Ask("POST", "auth/token/renew", {"token": token, **increment}, self.who()),
            Ask("POST", "auth/token/renew-accessor", {"accessor": accessor, **increment}),
            Ask("POST", "auth/token/revoke", {"token": token}, self.who()),
            Ask("POST", "auth/token/revoke-self", {}, self.pick("{t3}", "{t4}")),
            Ask("POST", "auth/token/revoke-orphan", {"token": token}, self.who()),
            Ask("POST", "auth/token/revoke-accessor", {"accessor": accessor}),
            Ask(self.pick("GET", "DELETE", "LIST"), "auth/token/create", None, self.who()),
        )

    def _token_role(self) -> Ask:
        role = f"auth/token/roles/{self.mark}{self.pick('a', 'b')}"
        fields: dict[str, Callable[[], Any]] = {
            "allowed_policies": lambda: self.pick([], [self.policy], "default,x"),
            "allowed_policies_glob": lambda: self.pick([], ["e*"]),
            "disallowed_policies": lambda: self.pick([], ["default"], "x"),
            "disallowed_policies_glob": lambda: self.pick([], ["n*"]),
            "orphan": lambda: self.pick(True, False),
            "renewable": lambda: self.pick(True, False),
            "path_suffix": lambda: self.pick("", "suffix", "a b"),
            "token_period": lambda: self.pick(0, "50m"),
            "period": lambda: self.pick(0, "55m"),
            "token_explicit_max_ttl": lambda: self.pick(0, "35m"),
            "explicit_max_ttl": lambda: self.pick(0, "25m"),
            "token_num_uses": lambda: self.pick(0, 4),
            "token_no_default_policy": lambda: self.pick(True, False),
            "token_type": lambda: self.pick("service", "batch", "default-service", "default-batch"),
            "token_bound_cidrs": lambda: self.pick([], ["127.0.0.1/32"], "127.0.0.0/8"),
            "allowed_entity_aliases": lambda: self.pick([], ["X"]),
        }
        draw = self.random.random()
        if draw < 0.55:
            return Ask("POST", role, self.some(fields), self.who())
        if draw < 0.85:
            return Ask("GET", role, None, self.who())
        return Ask("DELETE" if draw < 0.92 else "PATCH", role, None, self.who())

    # sys

    def _policies(self) -> Ask:
        name = self.pick(
            self.policy, f"{self.policy}2", f"{self.policy}2", "default", "root", "nope"
        )
        chosen = self.random.sample(CAPABILITIES, self.random.randint(1, 4))
        quoted = ", ".join(f'"{one}"' for one in chosen)
        target = self.pick(
            self.kv2, f"{self.kv2}/data", f"{self.kv1}", f"{self.kv2}/+", f"{self.kv2}/data/c"
        )
        text = POLICY.format(target, quoted)
        bad = self.pick(
            "", "path {", 'path "x" { capabilities = ["nope"] }', 'foo "x" {}', 'path "a/+*" {}'
        )
        paths = self.random.sample(
            [f"{self.kv2}/data/a", f"{self.kv2}/metadata/", f"{self.kv1}/a", "sys/mounts", "x",
             f"{self.kv2}/data/c/d", "auth/token/create", "sys/seal"], self.random.randint(1, 3),
        )  # fmt: skip
        two = f"{self.policy}2"
        chosen = self.random.sample(CONSTRAINTS, 2)
        constrained = "".join(CONSTRAINED.format(target, one) for one in chosen)
        return self.pick(  # type: ignore[no-any-return]
            Ask("PUT", f"sys/policies/acl/{two}", {"policy": text}),
            Ask("PUT", f"sys/policies/acl/{two}", {"policy": text}, self.who()),
            Ask("PUT", f"sys/policies/acl/{two}", {"policy": bad}),
            Ask("PUT", f"sys/policies/acl/{two}", {"policy": text, **self._terms()}),
            Ask("PATCH", f"sys/policies/acl/{two}", self._terms(), "{root}", PATCH),
            Ask(
                "LIST", f"sys/{self.pick('policies/acl', 'policy')}/{self.pick(self.policy, 'zz')}"
            ),
            Ask("GET", "sys/internal/ui/resultant-acl", None, self.pick("{t1}", "{t3}", "")),
            Ask("PUT", f"sys/policies/acl/{self.policy}", {"policy": constrained}),
            Ask("PUT", f"sys/policy/{two}", {"policy": text}),
            Ask("GET", f"sys/policies/acl/{name}", None, self.who()),
            Ask("GET", f"sys/policy/{name}", None, self.who()),
            Ask("DELETE", f"sys/policies/acl/{two if name in ('default', self.policy) else name}"),
            Ask("POST", "sys/capabilities-self", {"paths": paths}, self.who()),
            Ask(
                "POST",
                "sys/capabilities",
                {"paths": paths, "token": self.pick("{t1}", "{t2}", "x")},
            ),
            Ask(
                "POST",
                "sys/capabilities-accessor",
                {"path": paths[0], "accessor": self.pick("{t1a}", "x")},
            ),
        )

    def _terms(self) -> dict[str, Any]:
        """What an OpenBao keeps of a policy besides its text."""
        fields: dict[str, Callable[[], Any]] = {
            "cas": lambda: self.pick(-1, 0, 1, 2),
            "cas_required": lambda: self.pick(True, False),
            "expiration": lambda: self.pick("2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z", 0),
            "ttl": lambda: self.pick("1h", 0, 3600),
        }
        return self.some(fields, 2)

    def _mounts(self) -> Ask:
        x, y, z = (f"{self.mark}{letter}" for letter in "xyz")
        kind = self.pick("kv", "kv", "kv-v2", "nope", "", "transit")
        config: dict[str, Any] = {
            "type": kind,
            "description": self.pick("", "text"),
            "options": self.pick({}, {"version": "1"}, {"version": "2"}, {"version": 2}, None),
            "config": self.pick(
                {}, {"default_lease_ttl": "1h", "max_lease_ttl": "2h"}, {"max_lease_ttl": "x"}
            ),
        }
        tune: dict[str, Callable[[], Any]] = {
            "default_lease_ttl": lambda: self.pick("1h", "system", "3h", 60),
            "max_lease_ttl": lambda: self.pick("2h", "0", "x", 9000),
            "description": lambda: self.pick("other", ""),
            "listing_visibility": lambda: self.pick("unauth", "hidden", "foo"),
            "audit_non_hmac_request_keys": lambda: self.pick(["a"], "a,b"),
            "passthrough_request_headers": lambda: self.pick(["X-A"], "X-B"),
            "token_type": lambda: self.pick("batch", "foo", "default-service"),
        }
        which = self.pick(
            f"mounts/{self.kv1}",
            f"mounts/{self.kv2}",
            f"auth/{self.auth}",
            "mounts/nope",
            "auth/nope",
            "mounts/sys",
        )
        return self.pick(  # type: ignore[no-any-return]
            Ask("POST", f"sys/mounts/{x}", config, self.who()),
            Ask("GET", f"sys/{which}", None, self.who()),
            Ask("GET", f"sys/{which}/tune", None, self.who()),
            Ask(
                "POST", f"sys/{which}/tune", self.some(tune, 1 if "sys" in which else 2), self.who()
            ),
            Ask("POST", f"sys/auth/{z}", {"type": self.pick("approle", "approle", "nope", "")}),
            Ask(
                "DELETE",
                f"sys/{self.pick(f'mounts/{x}', f'auth/{z}', 'mounts/nope', 'mounts/sys', 'auth/token')}",
            ),
            Ask(
                "POST",
                "sys/remount",
                {"from": self.pick(x, "nope", "sys", ""), "to": self.pick(y, self.kv1)},
            ),
            Ask(
                "GET",
                f"sys/internal/ui/mounts/{self.pick(self.kv2, f'{self.kv1}/a', 'nope', f'auth/{self.auth}')}",
                None,
                self.who(),
            ),
        )

    def _wrapping(self) -> Ask:
        ttl = self.pick("5m", "300", "0", "x", "-1", "1h", "90500ms")
        headers = (
            ("X-Vault-Wrap-TTL", ttl), ("X-Vault-Wrap-Format", self.pick("", "", "jwt", "xml")),
        )  # fmt: skip
        save = (("w", "wrap_info.token"),)
        token = self.pick("{w}", "{w}", "{w}", "{w}", "nope", "", "eyJhbGciOiJFUzUxMiJ9.e30.AAAA")
        who = self.pick("{root}", "{root}", "{w}", "{t1}", "{t3}", "")
        return self.pick(  # type: ignore[no-any-return]
            Ask("GET", f"{self.kv2}/data/a", None, self.who(), headers, save=save),
            Ask("POST", "sys/wrapping/wrap", {"x": 1}, self.who(), headers, save=save),
            Ask(
                "POST", "auth/token/create", {"policies": ["default"]}, "{root}", headers, save=save
            ),
            Ask("LIST", f"{self.kv2}/metadata", None, "{root}", headers, save=save),
            Ask("POST", "sys/wrapping/unwrap", {"token": token}, who),
            Ask("POST", "sys/wrapping/unwrap", {}, who),
            Ask("POST", "sys/wrapping/lookup", {"token": token}, who),
            Ask("POST", "sys/wrapping/rewrap", {"token": token}, who, save=save),
            Ask("POST", "sys/wrapping/wrap", {"x": 1}, self.who()),
        )

    def _quota(self) -> Ask:
        name = f"{self.mark}{self.pick('q1', 'q2')}"
        fields: dict[str, Callable[[], Any]] = {
            "rate": lambda: self.pick(3, 5, 2.4, 0, -1, "4"),
            "path": lambda: self.pick(
                f"{self.kv1}/",
                f"{self.kv1}/c/*",
                f"{self.kv1}/a",
                "nope/",
                f"auth/{self.auth}/login",
                f"{self.space}/",
                self.space,
                f"{self.space}/{self.pick('kv', 'kv/data/a', 'nope')}",
            ),
            "block_interval": lambda: self.pick(0, "1h"),
            "inheritable": lambda: self.pick(True, False),
        }
        body = {"rate": 3, "path": f"{self.kv1}/", **self.some(fields, 2), "interval": "2h"}
        return self.pick(  # type: ignore[no-any-return]
            Ask("POST", f"sys/quotas/rate-limit/{name}", body, self.who()),
            Ask("GET", f"sys/quotas/rate-limit/{name}", None, self.who()),
            Ask("DELETE", f"sys/quotas/rate-limit/{name}", None, self.who()),
            Ask(
                "POST",
                "sys/quotas/config",
                {"enable_rate_limit_response_headers": self.pick(True, False)},
            ),
            Ask("GET", "sys/quotas/config", None, self.who()),
            Ask("LIST", "sys/quotas/rate-limit", None, self.who()),
        )

    def _namespace(self) -> Ask:
        inside = (
            ("X-Vault-Namespace", self.pick(self.space, f"{self.space}/", "nope", "root", "/")),
        )
        return self.pick(  # type: ignore[no-any-return]
            Ask("POST", f"sys/namespaces/{self.space}", {}, self.who()),
            Ask("POST", f"sys/namespaces/{self.space}", {"custom_metadata": {"a": "b"}}),
            Ask("GET", f"sys/namespaces/{self.pick(self.space, 'nope')}", None, self.who()),
            Ask("POST", f"sys/namespaces/{self.pick('sys', 'root', 'a/b')}", {}),
            Ask(
                "POST",
                "sys/mounts/kv",
                {"type": "kv", "options": {"version": "2"}},
                "{root}",
                inside,
            ),
            Ask("POST", "kv/data/a", {"data": {"n": 1}}, self.who(), inside),
            Ask("GET", "kv/data/a", None, self.who(), inside),
            Ask("GET", f"{self.space}/kv/data/a", None, self.who()),
            Ask("GET", "auth/token/lookup-self", None, self.who(), inside),
            Ask("GET", "sys/health", None, "", inside),
        )

    def _identity(self) -> Ask:
        entity, alias = "identity/entity", "identity/entity-alias"
        name = f"{self.mark}{self.pick('n1', 'n2', 'N1')}"
        fields: dict[str, Callable[[], Any]] = {
            "name": lambda: name,
            "policies": lambda: self.pick([], [self.policy], "x,Y", ["root"]),
            "metadata": lambda: self.pick({"a": "b"}, {}, ["c=d"], {"a": 1}),
            "disabled": lambda: self.pick(False, False, True, "x"),
            "id": lambda: self.pick("{e1}", "nobody"),
        }
        names: dict[str, Callable[[], Any]] = {
            "name": lambda: self.pick("{rid}", f"{self.mark}q", ""),
            "mount_accessor": lambda: self.pick("{acc}", "{acc}", "{acc}", "nope"),
            "canonical_id": lambda: self.pick("{e1}", "{e2}", "nobody"),
            "custom_metadata": lambda: self.pick({"a": "b"}, {}),
        }
        made = ((self.pick("e1", "e2"), "data.id"),)
        aliased = (("l1", "data.id"),)
        known = self.pick("{e1}", "{e2}", "{own}")
        query = self.pick(
            {"id": known}, {"name": name}, {"alias_id": "{l1}"}, {"name": name, "id": "x"}, {},
            {"alias_name": "{rid}", "alias_mount_accessor": "{acc}"}, {"alias_name": "{rid}"},
        )  # fmt: skip
        accessor = ((("acc", f"data.{self.auth}/.accessor")),)
        return self.pick(  # type: ignore[no-any-return]
            Ask("GET", "sys/auth", save=accessor),
            Ask("POST", entity, {"name": name, **self.some(fields, 3)}, save=made),
            Ask("POST", f"{entity}/id/{known}", self.some(fields, 2), self.who()),
            Ask("POST", f"{entity}/name/{name}", self.some(fields, 2), save=made),
            Ask("GET", f"{entity}/id/{known}", None, self.who()),
            Ask("GET", f"{entity}/name/{name}", None, self.who()),
            Ask("DELETE", f"{entity}/{self.pick(f'id/{known}', f'name/{name}')}"),
            Ask(
                "POST",
                alias,
                {"mount_accessor": "{acc}", "name": "{rid}", **self.some(names)},
                save=aliased,
            ),
            Ask("POST", f"{alias}/id/{{l1}}", self.some(names, 2)),
            Ask(self.pick("GET", "GET", "DELETE"), f"{alias}/id/{{l1}}"),
            Ask("POST", "identity/lookup/entity", query, self.who()),
            Ask("GET", "auth/token/lookup-self", None, "{t4}", save=(("own", "data.entity_id"),)),
            Ask("GET", self.pick(entity, f"{entity}/id", f"{alias}/id", "identity/lookup/entity")),
        )

    def _leases(self) -> Ask:
        sys = "sys/leases"
        body = self.pick({}, {"lease_id": "nope"}, {"lease_id": "auth/token/create/hx"})
        return self.pick(  # type: ignore[no-any-return]
            Ask("POST", f"{sys}/{self.pick('lookup', 'renew', 'revoke')}", body, self.who()),
            Ask("PUT", f"{sys}/{self.pick('renew', 'revoke')}/x", body, self.who()),
            Ask("PUT", f"{sys}/revoke-prefix/auth/{self.mark}", {"sync": True}, self.who()),
            Ask(
                "LIST",
                f"{sys}/lookup/{self.pick('zz', f'auth/{self.auth}', self.kv2)}",
                None,
                self.who(),
            ),
            Ask("GET", f"{sys}{self.pick('', '/count')}?type={self.pick('irrevocable', 'x')}"),
            Ask(
                "POST",
                f"sys/tools/hash{self.pick('', '/sha2-512', '/md5')}",
                {"input": self.pick("YQ==", "a!", "abc")},
                self.who(),
            ),
            Ask("POST", "sys/tools/random", {"bytes": self.pick(0, -1, "x", 10**6)}),
            Ask("GET", self.pick("sys/key-status", "sys/rotate", "sys/version-history")),
            Ask("POST", "sys/decode-token", self.pick({}, {"encoded_token": "YQ", "otp": "z"}), ""),
            Ask("GET", "sys/generate-root-token/attempt", None, self.who()),
        )

    def _node(self) -> Ask:
        query = self.pick(
            "", "?standbyok=true", "?activecode=299", "?sealedcode=x", "?standbyok=x",
            "?uninitcode=250&activecode=204",
        )  # fmt: skip
        return self.pick(  # type: ignore[no-any-return]
            Ask("GET", f"sys/health{query}", None, ""),
            Ask("HEAD", f"sys/health{query}", None, ""),
            Ask("GET", "sys/seal-status", None, ""),
            Ask("GET", "sys/leader", None, ""),
            Ask("GET", "sys/init", None, ""),
            Ask("PUT", "sys/init", self.pick({}, {"secret_shares": 1, "secret_threshold": 1}), ""),
            Ask(
                "PUT", "sys/unseal", self.pick({}, {"key": "x"}, {"reset": True}, {"key": "00"}), ""
            ),
            Ask(self.pick("GET", "DELETE"), "sys/seal", None, self.who()),
            Ask("PUT", "sys/seal", None, self.pick("{t1}", "", "nope")),
            Ask("PUT", "sys/step-down", None, self.pick("", "nope")),
            Ask("GET", "sys/generate-root/attempt", None, ""),
            Ask("GET", "sys/locked-users", None, ""),
        )

    def _malformed(self) -> Ask:
        form = (("Content-Type", "application/x-www-form-urlencoded"),)
        bearer = (
            (
                "Authorization",
                self.pick("Bearer {root}", "bearer {root}", "Bearer nope", "Basic x"),
            ),
        )
        path = f"{self.kv2}/data/a"
        return self.pick(  # type: ignore[no-any-return]
            Ask(
                "POST",
                path,
                raw=self.pick(b"{", b"[]", b'"x"', b"1", b"null", b"{}}", b'{"data":', b""),
            ),
            Ask("POST", path, raw=b'{"data":{"n":1}}', headers=form),
            Ask("POST", f"{self.kv1}/a", raw=b"n=1&m=2", headers=form),
            Ask("PATCH", path, {"data": {}}, headers=self.pick((), form, (("Content-Type", "x"),))),
            Ask("GET", path, None, "", bearer),
            Ask(self.pick("FOO", "OPTIONS", "HEAD", "PROPFIND"), path),
            Ask("GET", f"{self.kv2}//data/a"),
            Ask("GET", f"{self.kv1}//a", None, self.who()),
            Ask(
                "GET",
                self.pick(path, "sys/health", f"{self.kv1}/a"),
                None,
                self.who(),
                self.index(),
            ),
            Ask("GET", f"{self.kv2}/data/./a"),
            Ask("POST", f"{path}/", {"data": {}}),
            Ask("GET", self.pick("/v1", "/v1/", "/v2/x", "/v1/sys"), None, self.who()),
            Ask(
                "GET",
                self.pick("nope/x", "auth/nope/x", "sys/nope", "auth/token/nope"),
                None,
                self.who(),
            ),
            Ask("LIST", self.pick("nope/x", "sys/nope", "auth"), None, self.who()),
            Ask("GET", f"{path}?list=x"),
            Ask("GET", path, None, "{root}\t"),
        )
