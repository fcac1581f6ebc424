"""What policies demand of parameters and of wrapping; the answers were seen on OpenBao 2.7.2."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said
from tests.fakes.vault.test_policies import NO

EVERY = 'capabilities = ["create", "read", "update", "patch", "delete", "list"]'


@pytest.fixture
def holder(vault: Vault, ask: Ask) -> Any:
    """Makes a token with policies for `kv1/*`, each with other constraints."""
    vault.mount("kv1", version=1)

    def make(*constraints: str) -> str:
        names = [f"p{number}" for number in range(len(constraints))]
        for name, text in zip(names, constraints, strict=True):
            vault.policy(name, f'path "kv1/*" {{ {EVERY}\n {text} }}')
        body = {"policies": names}
        token: str = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]
        return token

    return make


X, Y = ('allowed_parameters = { "a" = ["%s"] }' % name for name in "xy")  # noqa: UP031 -- braces
ALLOWED = 'allowed_parameters = { "a" = ["x*", "y", "*z", "*mid*", "*"] "b" = [] "C" = [1, "true", true] "l" = [["p", true]] }'  # noqa: E501


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"a": "xyz"}, 204),
        ({"a": "q"}, 403),
        ({"a": "y"}, 204),
        ({"a": "yy"}, 403),
        ({"a": "buzz"}, 204),
        ({"a": "amidst"}, 204),
        ({"a": "*"}, 204),
        ({"A": "y", "b": {"any": "thing"}}, 204),
        ({"d": "y"}, 403),
        ({"a": "y", "d": "y"}, 403),
        # A number never is the same as one in a policy.
        ({"c": 1}, 403),
        ({"c": "1"}, 403),
        ({"c": "true"}, 204),
        ({"c": True}, 204),
        ({"c": False}, 403),
        # A list is compared as a whole, and one string is one, commas and all.
        ({"a": ["xa", "y"]}, 403),
        ({"a": "q,y"}, 403),
        ({"a": None}, 403),
        ({"l": ["p", True]}, 204),
        ({"l": ["p"]}, 403),
        ({"l": "p"}, 403),
        # Nothing at all is allowed by the policy, and refused by the engine.
        ({}, 400),
    ],
)
def test_only_allowed_parameters_may_be_sent(
    ask: Ask, holder: Any, body: dict[str, Any], status: int
) -> None:
    """By their names, whatever the case, and by their values, with a star at either end."""
    assert ask("POST", "kv1/x", body, token=holder(ALLOWED)).status_code == status


@pytest.mark.parametrize(
    ("text", "body", "status"),
    [
        ('"bad" = []', {"ok": 1}, 204),
        ('"bad" = []', {"bad": 1}, 403),
        ('"bad" = []', {"BAD": None, "ok": 1}, 403),
        ('"half" = ["no*"]', {"half": "nono"}, 403),
        ('"half" = ["no*"]', {"half": "yes"}, 204),
        ('"half" = ["no*"]', {"half": ["nono"]}, 204),
        ('"half" = ["no*"]', {"half": "yes,nono"}, 204),
        ('"n" = [5]', {"n": 5}, 204),
        ('"*" = []', {"ok": 1}, 403),
    ],
)
def test_denied_parameters_may_not_be_sent(
    ask: Ask, holder: Any, text: str, body: dict[str, Any], status: int
) -> None:
    """All, or those with the values that are listed."""
    token = holder(f"denied_parameters = {{ {text} }}")

    assert ask("POST", "kv1/x", body, token=token).status_code == status


def test_a_star_allows_the_others(ask: Ask, holder: Any) -> None:
    """Alone it allows everything; beside names, all but other values of theirs."""
    some = holder('allowed_parameters = { "*" = [] "a" = ["x"] }')
    answers = [ask("POST", "kv1/x", body, token=some) for body in ({"q": 1}, {"a": "x"})]
    refused = ask("POST", "kv1/x", {"a": "y"}, token=some)
    everything = ask("POST", "kv1/x", {"a": "y"}, token=holder('allowed_parameters = { "*" = [] }'))

    assert [one.status_code for one in (*answers, everything)] == [204, 204, 204]
    assert said(refused) == NO


def test_required_parameters_are_looked_for_in_lower_case(ask: Ask, holder: Any) -> None:
    """Of reads too, where they are in the query; not of lists and deletes."""
    token = holder('required_parameters = ["Foo", "bar"]')

    def status(method: str, path: str, body: Any = None) -> int:
        return ask(method, path, body, token=token).status_code

    assert status("POST", "kv1/x", {"foo": 1}) == 403
    assert status("POST", "kv1/x", {"Foo": 1, "bar": 2}) == 403
    assert status("POST", "kv1/x", {"foo": None, "bar": 2}) == 204
    assert status("GET", "kv1/x") == 403
    assert status("GET", "kv1/x?foo=1&bar=2") == 200
    assert status("LIST", "kv1/") == 200
    assert status("DELETE", "kv1/x") == 204


def test_the_query_of_a_read_is_looked_at(vault: Vault, ask: Ask, holder: Any) -> None:
    """A version that may not be read, for one."""
    vault.put("kv1/x", {"n": 1})
    token = holder('allowed_parameters = { "a" = [] }')

    assert ask("GET", "kv1/x?a=1", token=token).status_code == 200
    assert said(ask("GET", "kv1/x?foo=1", token=token)) == NO
    assert ask("LIST", "kv1?foo=1", token=token).status_code == 200


@pytest.mark.parametrize(
    ("rules", "body", "status"),
    [
        # Values of both.
        ([X, Y], "x", 204),
        ([X, Y], "y", 204),
        ([X, Y], "z", 403),
        # No values is all of them.
        ([X, 'allowed_parameters = { "a" = [] }'], "z", 204),
        (['allowed_parameters = { "a" = [] }', X], "z", 204),
        # One without constraints does not lift those of the other.
        ([X, ""], "z", 403),
        (["", X], "z", 403),
        (['denied_parameters = { "a" = ["x"] }', 'denied_parameters = { "b" = [] }'], "x", 403),
        (['required_parameters = ["a"]', 'required_parameters = ["a", "b"]'], "x", 403),
    ],
)
def test_constraints_of_two_policies_on_one_path_are_joined(
    ask: Ask, holder: Any, rules: list[str], body: str, status: int
) -> None:
    """Allowed and denied values, and what is required, of both."""
    assert ask("POST", "kv1/x", {"a": body}, token=holder(*rules)).status_code == status


def test_an_engine_below_is_constrained_by_its_own_fields(vault: Vault, ask: Ask) -> None:
    """KV version 2: the names are `data` and `options`."""
    text = f'path "secret/data/*" {{ {EVERY}\n required_parameters = ["data", "options"] }}'
    vault.policy("p", text)
    token = ask("POST", "auth/token/create", {"policies": ["p"]}).json()["auth"]["client_token"]
    patch = {"Content-Type": "application/merge-patch+json"}

    assert said(ask("POST", "secret/data/a", {"data": {}}, token=token)) == NO
    whole = {"data": {"n": 1}, "options": {"cas": 0}}
    assert ask("POST", "secret/data/a", whole, token=token).status_code == 200
    refused = ask("PATCH", "secret/data/a", {"data": {}}, token=token, headers=patch)
    assert said(refused) == NO


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        (['min_wrapping_ttl = "1m" max_wrapping_ttl = 90'], ["60", "90s"]),
        (['max_wrapping_ttl = "60"'], ["0", "1", "59s", "60"]),
        (["min_wrapping_ttl = 60"], ["60", "90s", "2m"]),
        (["min_wrapping_ttl = 60.9"], ["60", "90s", "2m"]),
        # The lesser of each; and nothing is left when the least is above the most.
        (["max_wrapping_ttl = 60", "max_wrapping_ttl = 90"], ["0", "1", "59s", "60"]),
        (["max_wrapping_ttl = 60", "min_wrapping_ttl = 90"], []),
    ],
)
def test_the_time_that_an_answer_waits_is_bounded(
    vault: Vault, ask: Ask, holder: Any, rules: list[str], allowed: list[str]
) -> None:
    """An answer that is not to be wrapped at all is refused, whatever the operation."""
    vault.put("kv1/x", {"n": 1})
    token = holder(*rules)

    def status(method: str, ttl: str | None) -> int:
        fields = {} if ttl is None else {"X-Vault-Wrap-TTL": ttl}
        return ask(method, "kv1/x", token=token, headers=fields).status_code

    asked = ["0", "1", "59s", "60", "90s", "2m"]
    assert [ttl for ttl in asked if status("GET", ttl) == 200] == allowed
    assert [status(method, None) for method in ("GET", "LIST", "DELETE")] == [403, 403, 403]


def test_capabilities_do_not_know_of_them(ask: Ask, holder: Any) -> None:
    """They are about a path alone."""
    token = holder('required_parameters = ["a"] max_wrapping_ttl = "1s"')
    answer = ask("POST", "sys/capabilities-self", {"path": "kv1/a"}, token=token)

    assert answer.json()["capabilities"] == [
        "create", "delete", "list", "patch", "read", "update",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            'max_wrapping_ttl = "1m" min_wrapping_ttl = 90',
            "max_wrapping_ttl cannot be less than min_wrapping_ttl",
        ),
        (
            'max_wrapping_ttl = "soon"',
            'error parsing max_wrapping_ttl: time: invalid duration "soon"',
        ),
        (
            "min_wrapping_ttl = [1]",
            "error parsing min_wrapping_ttl: could not parse duration from input",
        ),
        (
            "min_wrapping_ttl = true",
            "error parsing min_wrapping_ttl: could not parse duration from input",
        ),
        (
            'allowed_parameters = ["a"]',
            (
                'path "a": At 1:33: root.allowed_parameters: not an object type for map'
                " (*ast.ListType)"
            ),
        ),
        (
            'denied_parameters = "a"',
            (
                'path "a": At 1:32: root.denied_parameters: not an object type for map'
                " (*ast.LiteralType)"
            ),
        ),
        (
            'allowed_parameters = { a = "x" }',
            'path "a": At 1:39: unknown slice type: *ast.LiteralType',
        ),
        ('required_parameters = "a"', 'path "a": At 1:34: unknown slice type: *ast.LiteralType'),
    ],
)
def test_constraints_that_cannot_be_read(ask: Ask, text: str, why: str) -> None:
    """Vault's words; a path that is denied has none, and they are not looked at."""
    answer = ask("PUT", "sys/policies/acl/p", {"policy": f'path "a" {{ {text} }}'})
    denied = f'path "a" {{ capabilities = ["deny"] {text} }}'

    assert said(answer) == (400, [f"failed to parse policy: {why}"])
    assert ask("PUT", "sys/policies/acl/p", {"policy": denied}).status_code == 204


def test_deny_has_no_constraints(ask: Ask, holder: Any) -> None:
    """It leaves nothing of another policy's."""
    token = holder('required_parameters = ["a"]', 'capabilities = ["deny"]')

    assert said(ask("POST", "kv1/x", {"a": 1}, token=token)) == NO
