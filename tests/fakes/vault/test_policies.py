"""Policies: read, written, and really enforced."""

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

NO = (403, ["1 error occurred:\n\t* permission denied\n\n"])


def token_with(vault: Vault, ask: Ask, text: str) -> str:
    """A token with this policy and `default`."""
    vault.policy("test", text)
    token: str = ask("POST", "auth/token/create", {"policies": ["test"]}).json()["auth"][
        "client_token"
    ]
    return token


def stanza(path: str, *capabilities: str) -> str:
    """A policy for one path."""
    listed = ", ".join(f'"{name}"' for name in capabilities)
    return f'path "{path}" {{ capabilities = [{listed}] }}\n'


def test_create_and_update_are_two_capabilities(vault: Vault, ask: Ask) -> None:
    """Which one a write needs depends on whether something is there."""
    vault.put("secret/old", {"n": 1})
    creator = token_with(vault, ask, stanza("secret/data/*", "create"))
    created = ask("POST", "secret/data/new", {"data": {}}, token=creator).status_code
    not_updated = said(ask("POST", "secret/data/old", {"data": {}}, token=creator))
    updater = token_with(vault, ask, stanza("secret/data/*", "update"))
    updated = ask("POST", "secret/data/old", {"data": {}}, token=updater).status_code
    not_created = said(ask("POST", "secret/data/newer", {"data": {}}, token=updater))

    assert (created, updated) == (200, 200)
    assert (not_updated, not_created) == (NO, NO)


def test_patch_is_a_capability_of_its_own(vault: Vault, ask: Ask) -> None:
    """Update is not enough for it."""
    vault.put("secret/a", {"n": 1})
    kind = {"Content-Type": "application/merge-patch+json"}
    body = {"data": {"m": 2}}
    updater = token_with(vault, ask, stanza("secret/data/*", "create", "update", "read"))
    refused = said(ask("PATCH", "secret/data/a", body, token=updater, headers=kind))
    patcher = token_with(vault, ask, stanza("secret/data/*", "patch"))

    assert refused == NO
    assert ask("PATCH", "secret/data/a", body, token=patcher, headers=kind).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "capability"),
    [
        ("GET", "secret/data/a", "read"),
        ("DELETE", "secret/data/a", "delete"),
        ("LIST", "secret/metadata/", "list"),
        ("GET", "secret/metadata?list=true", "list"),
        ("POST", "secret/undelete/a", "update"),
    ],
)
def test_each_operation_needs_its_capability(
    vault: Vault, ask: Ask, method: str, path: str, capability: str
) -> None:
    """And none of the others."""
    vault.put("secret/a", {"n": 1})
    others = {"create", "read", "update", "delete", "list", "patch", "sudo"} - {capability}
    body = {"versions": [1]}

    refused = ask(method, path, body, token=token_with(vault, ask, stanza("secret/*", *others)))
    allowed = ask(method, path, body, token=token_with(vault, ask, stanza("secret/*", capability)))

    assert said(refused) == NO
    assert allowed.status_code in (200, 204)


def test_deny_wins_over_everything_on_the_same_path(vault: Vault, ask: Ask) -> None:
    """Also when another policy grants it."""
    vault.put("secret/a", {"n": 1})
    vault.policy("one", stanza("secret/data/a", "deny", "read"))
    vault.policy("two", stanza("secret/data/a", "read"))
    body = {"policies": ["one", "two"]}
    token = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]

    assert said(ask("GET", "secret/data/a", token=token)) == NO


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        # An exact path before anything with a star or a plus.
        (["secret/data/a/b", "-secret/data/a/*"], 200),
        (["-secret/data/a/b", "secret/data/a/*"], 403),
        (["-secret/data/a/b", "secret/data/+/b"], 403),
        # The longest prefix.
        (["secret/data/a/*", "-secret/*"], 200),
        (["-secret/data/a/*", "secret/*"], 403),
        (["secret/data/a/b*", "-secret/data/a/*"], 200),
        # The first plus or star later.
        (["secret/data/a/+", "-secret/data/+/b"], 200),
        (["-secret/data/a/+", "secret/data/+/b"], 403),
        (["secret/data/a*", "-secret/data/+/b"], 200),
        # A path that ends before one that goes on.
        (["secret/data/+/b", "-secret/data/+/*"], 200),
        (["secret/data/a/+", "-secret/data/a/*"], 200),
        # Fewer pluses.
        (["secret/data/+/b", "-secret/data/+/+"], 200),
        (["-secret/+/a/b", "secret/+/+/b"], 403),
        # The longer one.
        (["secret/+/a/b*", "-secret/+/a/*"], 200),
        (["-secret/+/a/b*", "secret/+/a/*"], 403),
        # What does not match at all.
        (["secret/data/a"], 403),
        (["secret/data/+"], 403),
        (["secret/data/+/+/b"], 403),
        (["secret/data/a/b/"], 403),
        (["secret/data/a/+/c*"], 403),
        (["+/data/a/b"], 200),
        (["/secret/data/a/b"], 200),
        (["*"], 200),
        ([""], 403),
    ],
)
def test_the_most_specific_path_decides(
    vault: Vault, ask: Ask, rules: list[str], status: int
) -> None:
    """Whichever way round they are written (vault/acl.go's order)."""
    vault.put("secret/a/b", {"n": 1})
    stanzas = [
        stanza(rule[1:], "deny") if rule.startswith("-") else stanza(rule, "read") for rule in rules
    ]

    for text in ("".join(stanzas), "".join(reversed(stanzas))):
        token = token_with(vault, ask, text)
        assert ask("GET", "secret/data/a/b", token=token).status_code == status


def test_a_list_matches_with_and_without_its_slash(vault: Vault, ask: Ask) -> None:
    """LIST adds a slash, and policies are often written without one."""
    vault.put("secret/a/b", {"n": 1})

    for path in ("secret/metadata/a", "secret/metadata/a/", "secret/metadata/*", "secret/+/a"):
        token = token_with(vault, ask, stanza(path, "list"))
        assert ask("LIST", "secret/metadata/a", token=token).status_code == 200, path


def test_sudo_is_needed_where_it_is_needed(vault: Vault, ask: Ask) -> None:
    """Some paths are root's unless sudo is granted on them."""
    without = token_with(vault, ask, stanza("sys/auth/x", "create", "update", "read"))
    refused = said(ask("POST", "sys/auth/x", {"type": "approle"}, token=without))
    sudo = token_with(vault, ask, stanza("sys/auth/x", "create", "update", "sudo"))

    assert refused == NO
    assert ask("POST", "sys/auth/x", {"type": "approle"}, token=sudo).status_code == 204


def test_a_policy_changes_for_tokens_that_have_it_already(vault: Vault, ask: Ask) -> None:
    """The next request meets the new one."""
    vault.put("secret/a", {"n": 1})
    token = token_with(vault, ask, stanza("secret/data/a", "read"))
    before = ask("GET", "secret/data/a", token=token).status_code
    ask("DELETE", "sys/policies/acl/test").raise_for_status()

    assert before == 200
    assert said(ask("GET", "secret/data/a", token=token)) == NO


def test_capabilities_of_a_token_on_paths(vault: Vault, ask: Ask) -> None:
    """Sorted; one path is answered under the old name as well."""
    auth = ask("POST", "auth/token/create", {"policies": ["app"]}).json()["auth"]
    token = auth["client_token"]
    paths = {"paths": ["secret/data/a", "sys/mounts", "/auth/token/lookup-self"]}

    own = ask("POST", "sys/capabilities-self", paths, token=token).json()
    one = ask("POST", "sys/capabilities-self", {"path": "secret/x"}, token=token).json()["data"]
    by_token = ask("POST", "sys/capabilities", {**paths, "token": token}).json()["data"]
    by_accessor = ask(
        "POST", "sys/capabilities-accessor", {**paths, "accessor": auth["accessor"]}
    ).json()["data"]

    whole = ["create", "delete", "list", "patch", "read", "update"]
    assert own["data"] == {
        "secret/data/a": whole,
        "sys/mounts": ["deny"],
        "/auth/token/lookup-self": ["read"],
    }
    assert own["secret/data/a"] == whole
    assert one == {"secret/x": whole, "capabilities": whole}
    assert by_token == by_accessor == own["data"]
    assert ask("POST", "sys/capabilities-self", {"path": "x"}).json()["data"] == {
        "x": ["root"],
        "capabilities": ["root"],
    }


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("capabilities-self", {}, (400, ["paths must be supplied"])),
        ("capabilities", {"path": "x"}, (500, ["1 error occurred:\n\t* no token found\n\n"])),
        (
            "capabilities",
            {"path": "x", "token": "nope"},
            (400, ["1 error occurred:\n\t* invalid token\n\n"]),
        ),
        ("capabilities-accessor", {"path": "x"}, (400, ["missing accessor"])),
        (
            "capabilities-accessor",
            {"path": "x", "accessor": "nope"},
            (400, ["1 error occurred:\n\t* invalid accessor\n\n"]),
        ),
    ],
)
def test_capabilities_of_nothing(
    ask: Ask, path: str, body: dict[str, str], answer: tuple[int, list[str]]
) -> None:
    """In Vault's words."""
    assert said(ask("POST", f"sys/{path}", body)) == answer


def test_policies_are_read_at_two_paths(ask: Ask) -> None:
    """The old one says `rules`, and repeats its data at the top."""
    text = stanza("secret/*", "read")
    ask("PUT", "sys/policies/acl/Mine", {"policy": text}).raise_for_status()

    assert ask("GET", "sys/policies/acl/mine").json()["data"] == {"name": "mine", "policy": text}
    assert ask("GET", "sys/policy/mine").json()["rules"] == text
    assert ask("GET", "sys/policies/acl/root").json()["data"] == {"name": "root", "policy": ""}
    assert said(ask("GET", "sys/policies/acl/nope")) == (404, [])
    assert said(ask("GET", "sys/policy/nope")) == (404, [])
    listed = ask("LIST", "sys/policies/acl").json()["data"]
    assert listed == {"keys": ["app", "default", "mine", "root"]}
    old = ask("GET", "sys/policy").json()
    assert old["policies"] == old["keys"] == ["app", "default", "mine", "root"]


def test_rules_is_an_old_word(ask: Ask) -> None:
    """It works at the old path, with a warning."""
    answer = ask("PUT", "sys/policy/mine", {"rules": stanza("a", "read")})

    assert answer.status_code == 200
    assert answer.json()["warnings"] == ["'rules' is deprecated, please use 'policy' instead"]
    assert said(ask("PUT", "sys/policies/acl/mine", {"rules": stanza("a", "read")})) == (
        400,
        ["'policy' parameter not supplied or empty"],
    )


def test_some_policies_stay(ask: Ask) -> None:
    """Root cannot be changed, default not deleted; one that is not there is fine."""
    good = {"policy": stanza("a", "read")}

    assert said(ask("PUT", "sys/policies/acl/root", good)) == (400, ['cannot update "root" policy'])
    assert said(ask("DELETE", "sys/policies/acl/root")) == (400, ['cannot delete "root" policy'])
    assert said(ask("DELETE", "sys/policies/acl/default")) == (
        400,
        ["cannot delete default policy"],
    )
    assert ask("PUT", "sys/policies/acl/default", good).status_code == 204
    assert ask("DELETE", "sys/policy/nope").status_code == 204


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path {", "At 1:8: object expected closing RBRACE got: EOF"),
        ('path "a" {', "At 1:12: object expected closing RBRACE got: EOF"),
        ("x", "At 1:3: key 'x' expected start of object ('{') or assignment ('=')"),
        (
            'path "a" { capabilities = ["read" }',
            "At 1:35: error parsing list, expected comma or list end, got: RBRACE",
        ),
        (
            'path "a" { capabilities = ["read"',
            "At 1:34: error parsing list, expected comma or list end, got: EOF",
        ),
        (
            'path "a" { capabilities = [read] }',
            "At 1:28: unexpected token while parsing list: IDENT",
        ),
        (
            'path "a" { capabilities = "read" }',
            'path "a": At 1:27: unknown slice type: *ast.LiteralType',
        ),
        ('path "a" capabilities = []', "At 1:23: nested object expected: LBRACE got: ASSIGN"),
        ("}", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE"),
        ('path "a" {}\n  @', "At 2:3: illegal char"),
        ('path "a {', "At 1:10: literal not terminated"),
        ('path "a" { capabilities = ] }', "At 1:27: Unknown token: 1:27 RBRACK ]"),
        ('path "a" { capabilities = ["reed"] }', 'path "a": invalid capability "reed"'),
        ('path "a" { policy = "x" }', 'path "a": invalid policy "x"'),
        (
            'path "a/+*" { capabilities = ["read"] }',
            "path \"a/+*\": invalid use of wildcards ('+*' is forbidden)",
        ),
        (
            '\npath "a" { foo = "x" }',
            'path "a": 1 error occurred:\n\t* invalid key "foo" on line 2\n\n',
        ),
        ('foo "a" { }', '1 error occurred:\n\t* invalid key "foo" on line 0\n\n'),
        ('{"path": ', "At 1:10: Expecting value"),
        ('{"path": {"a": 1}}', 'path "a": an object is expected'),
        ('{"path": 1}', 'path "": 1 error occurred:\n\t* invalid key "" on line 1\n\n'),
    ],
)
def test_a_policy_that_cannot_be_read_says_where(ask: Ask, text: str, why: str) -> None:
    """Line and column as HCL counts them."""
    answer = ask("PUT", "sys/policies/acl/p", {"policy": text})

    assert said(answer) == (400, [f"failed to parse policy: {why}"])
    assert said(ask("GET", "sys/policies/acl/p")) == (404, [])


@pytest.mark.parametrize(
    "text",
    [
        '# a comment\npath "secret/data/a" { capabilities = ["read"] } // another\n/* and\none */',
        'path "secret/data/a" {\n  policy = "read"\n}',
        'path "secret/data/a" { policy = "write" }',
        'path "secret/data/a" { policy = "sudo", }',
        'path "secret/data/a" { capabilities = ["read",], comment = <<E\nx\nE\n}',
        'path "secret/data/a" { capabilities = ["read"] allowed_parameters = { "x" = [1, 1.5] } }',
        'path "secret/data/a" { capabilities = ["read"] mfa_methods = [true] }',
        'name = "mine"\npath "secret/data/a" { capabilities = ["read"] min_wrapping_ttl = "0s" }',
        'path "secret/data/a" { capabilities = ["read"] denied_parameters { "x" = [] } }',
        'path "secret/data/a" { capabilities = ["read"] comment = "\\q" }',
        '{"path": {"secret/data/a": {"capabilities": ["read"]}}}',
        '{"path": [{"secret/data/a": [{"policy": "read"}]}]}',
        'path "secret/data/\\u0061" { capabilities = ["read"] }',
    ],
)
def test_ways_to_write_a_policy(vault: Vault, ask: Ask, text: str) -> None:
    """HCL with its comments and commas, JSON, and policies from before capabilities."""
    vault.put("secret/a", {"n": 1})

    token = token_with(vault, ask, text)

    assert ask("GET", "secret/data/a", token=token).status_code == 200


def test_which_mounts_a_token_may_know_of(vault: Vault, ask: Ask) -> None:
    """Those below which it may do anything; clients ask this to find the KV version."""
    path = "sys/internal/ui/mounts"
    denied = (
        403,
        [
            (
                "preflight capability check returned 403, please ensure client's policies grant "
                'access to path "secret/a/"'
            )
        ],
    )
    rules = [
        "secret/data/deep/inside",
        "secret/data/*",
        "secret*",
        "+/data/a",
        "secret/+/a",
        "secret/+",
        "+/*",
        "sec+/x",
        "other/+/x",
        "+",
    ]

    found = {
        rule: ask(
            "GET", f"{path}/secret/a", token=token_with(vault, ask, stanza(rule, "read"))
        ).status_code
        for rule in rules
    }
    forbidden = token_with(vault, ask, stanza("secret/*", "deny"))

    assert found == {
        "secret/data/deep/inside": 200,
        "secret/data/*": 200,
        "secret*": 200,
        "+/data/a": 200,
        "secret/+/a": 200,
        "secret/+": 200,
        "+/*": 200,
        "sec+/x": 403,
        "other/+/x": 403,
        "+": 200,
    }
    assert said(ask("GET", f"{path}/secret/a", token=forbidden)) == denied


def test_many_paths_are_no_matter(vault: Vault, ask: Ask) -> None:
    """What has been looked up is remembered, though not without end."""
    token = token_with(vault, ask, stanza("secret/+/7*", "read"))
    paths = [f"secret/a/{number}" for number in range(1100)]
    answers = [
        ask("POST", "sys/capabilities-self", {"paths": paths}, token=token).json()["data"]
        for _ in "12"
    ]

    assert answers[0] == answers[1]
    readable = [path for path, found in answers[0].items() if found == ["read"]]
    assert len(readable) == 111


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cGF0aCAiYSIge30=", 'path "a" {}'),
        ('path "b" {}', 'path "b" {}'),
        ("YWJj", None),
        ("/w==", None),
    ],
)
def test_a_policy_may_be_sent_as_base64(ask: Ask, sent: str, kept: str | None) -> None:
    """And is shown as it reads."""
    answer = ask("PUT", "sys/policies/acl/p", {"policy": sent})

    if kept is None:
        assert answer.status_code == 400
        assert answer.json()["errors"][0].startswith("failed to parse policy: At 1:")
    else:
        assert ask("GET", "sys/policies/acl/p").json()["data"]["policy"] == kept


@pytest.mark.parametrize("body", [{"paths": ["secret/a", ""]}, {"path": ","}])
def test_no_path_has_no_capabilities(ask: Ask, body: dict[str, object]) -> None:
    """Not even among others (seen)."""
    answer = said(ask("POST", "sys/capabilities-self", body))

    assert answer == (400, ["1 error occurred:\n\t* missing path\n\n"])


def test_locked_users_are_told_by_method(ask: Ask) -> None:
    """Without a warning that the name of one would mean nothing."""
    answer = ask("GET", "sys/locked-users?mount_accessor=none")

    assert answer.json()["warnings"] is None
