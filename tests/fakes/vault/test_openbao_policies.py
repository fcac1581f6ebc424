"""Policies of an OpenBao: what they say beyond a Vault's, and how they are kept (all seen)."""

from collections.abc import Iterator

import pytest
import requests

from pytest_resilience_vault import OpenBao, Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

ACL = "sys/policies/acl"
PATCH = {"Content-Type": "application/merge-patch+json"}
NO_MOMENT = 'Field validation failed: error converting input for field "expiration"'
READ = 'path "x" { capabilities = ["read"] }'


@pytest.fixture
def vault(clock: SettableClock) -> Iterator[Vault]:
    """An OpenBao, for the plain HTTP of the other tests."""
    with OpenBao(clock=clock) as fake:
        yield fake
        assert fake.errors == []


def capabilities(ask: Ask, token: str, path: str) -> list[str]:
    """What a token may do on a path."""
    answer = ask("POST", "sys/capabilities-self", {"paths": [path]}, token=token)
    found: list[str] = answer.json()["data"][path]
    return found


def token_with(ask: Ask, *policies: str) -> str:
    """A new token."""
    made = ask("POST", "auth/token/create", {"policies": list(policies)}).json()
    return str(made["auth"]["client_token"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("foo = 1", '1 error occurred:\n\t* invalid key "foo" on line 1\n\n'),
        ('capabilities = ["zz"]', 'path "x": invalid capability "zz"'),
        ('policy = "zz"', 'path "x": invalid policy "zz"'),
        ('min_wrapping_ttl = "x"', 'error parsing min_wrapping_ttl: time: invalid duration "x"'),
        (
            'expiration = "zz"',
            'path "x": invalid expiration time: could not parse string as date and time',
        ),
        (
            'expiration = "2030-01-01T00:00:00"',
            'path "x": invalid expiration time: could not parse string as date and time',
        ),
        (
            "expiration = 1.5",
            'path "x": At 1:25: root.expiration: unknown type for string *ast.LiteralType',
        ),
        (
            'expiration = "nan"',
            'path "x": invalid expiration time: could not parse string as date and time',
        ),
        (
            'pagination_limit = "a"',
            'path "x": strconv.ParseInt: parsing "a": invalid syntax',
        ),
        (
            'list_scan_response_keys_filter_path = "a"',
            "this fake of OpenBao has no list_scan_response_keys_filter_path",
        ),
    ],
)
def test_what_is_wrong_in_a_path_begins_with_the_path(ask: Ask, body: str, words: str) -> None:
    """Also where it says so already."""
    answer = ask("PUT", f"{ACL}/p", {"policy": f'path "x" {{ {body} }}'})

    assert said(answer) == (400, [f'failed to parse policy: path "x": {words}'])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('path "x" {', "At 1:12: object expected closing RBRACE got: EOF"),
        ('path "x" { ', "At 1:13: object expected closing RBRACE got: EOF"),
        ('path "x" { a = ', "At 1:17: object expected closing RBRACE got: EOF"),
        (
            'path "x" { a',
            "At 1:14: key 'a' expected start of object ('{') or assignment ('=')",
        ),
        (
            'path "x"',
            "At 1:9: key 'path \"x\"' expected start of object ('{') or assignment ('=')",
        ),
        ("path ", "At 1:6: key 'path' expected start of object ('{') or assignment ('=')"),
    ],
)
def test_a_policy_that_ends_too_early(ask: Ask, text: str, words: str) -> None:
    """Where the end is seen depends on what is before it."""
    assert said(ask("PUT", f"{ACL}/p", {"policy": text})) == (
        400,
        [f"failed to parse policy: {words}"],
    )


def test_a_path_is_granted_for_a_while(ask: Ask, clock: SettableClock) -> None:
    """What is over when it is written is not even read."""
    end = int(clock.time()) + 100
    text = f"""
        path "a" {{ capabilities = ["read"] expiration = {end} }}
        path "b" {{ capabilities = ["nonsense"] expiration = "2020-01-01T00:00:00Z" }}
        path "c" {{ capabilities = ["read"] }}
    """
    assert ask("PUT", f"{ACL}/p", {"policy": text}).status_code == 204
    token = token_with(ask, "p")
    before = [capabilities(ask, token, path) for path in "abc"]
    clock.ahead = 101

    assert before == [["read"], ["deny"], ["read"]]
    assert [capabilities(ask, token, path) for path in "abc"] == [["deny"], ["deny"], ["read"]]
    assert ask("GET", f"{ACL}/p").json()["data"]["policy"] == text


def test_a_policy_is_kept_for_a_while(ask: Ask, clock: SettableClock) -> None:
    """Then it is as if it had never been written."""
    ask("PUT", f"{ACL}/p", {"policy": READ, "ttl": "1m"})
    token = token_with(ask, "p")
    before = (capabilities(ask, token, "x"), "expiration" in ask("GET", f"{ACL}/p").json()["data"])
    clock.ahead = 61

    assert before == (["read"], True)
    assert capabilities(ask, token, "x") == ["deny"]
    assert ask("GET", f"{ACL}/p").status_code == 404
    assert "p" not in ask("LIST", ACL).json()["data"]["keys"]
    made = ask("POST", "auth/token/create", {"policies": ["p"]}).json()
    assert made["warnings"] == ['Policy "p" does not exist']


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"ttl": 5, "expiration": "2099-01-01T00:00:00Z"},
            "cannot supply both 'expiration' and 'ttl' for policies",
        ),
        (
            {"expiration": "2019-01-01T00:00:00Z"},
            "refusing to update policy as expiration time has already elapsed",
        ),
        ({"ttl": 0}, "refusing to update policy as expiration time has already elapsed"),
        ({"expiration": "zz"}, f"{NO_MOMENT}: could not parse string as date and time"),
        ({"expiration": "inf"}, f"{NO_MOMENT}: could not parse string as date and time"),
        ({"expiration": True}, f"{NO_MOMENT}: could not parse time from input type"),
        ({"expiration": []}, f"{NO_MOMENT}: could not parse time from input type"),
        ({"expiration": 1.5}, f'{NO_MOMENT}: strconv.ParseInt: parsing "1.5": invalid syntax'),
        ({"cas": -1}, "check-and-set parameter set to -1 on existing entry"),
        ({"cas": 7}, "check-and-set parameter 7 did not match the current version 1"),
        ({"cas_required": True}, "check-and-set parameter required for this call"),
    ],
)
def test_a_write_that_is_refused(ask: Ask, body: dict[str, object], words: str) -> None:
    """Of a policy that is there, in its first version."""
    ask("PUT", f"{ACL}/p", {"policy": READ, "cas": -1})

    assert said(ask("PUT", f"{ACL}/p", {"policy": READ, **body})) == (400, [words])
    assert ask("GET", f"{ACL}/p").json()["data"]["version"] == 1


def test_a_null_is_no_time(ask: Ask) -> None:
    """It is as if it had not been named."""
    body = {"policy": READ, "expiration": None, "ttl": None}

    assert ask("PUT", f"{ACL}/p", body).status_code == 204
    assert "expiration" not in ask("GET", f"{ACL}/p").json()["data"]


def test_a_patch_leaves_the_rest_alone(ask: Ask) -> None:
    """It is checked against the version that it has found."""
    ask("PUT", f"{ACL}/p", {"policy": READ, "expiration": "2099-01-01T00:00:00Z"})
    patched = ask("PATCH", f"{ACL}/P", {"cas_required": True}, headers=PATCH)
    data = ask("GET", f"{ACL}/p").json()["data"]
    stale = ask("PATCH", f"{ACL}/p", {"cas": 1}, headers=PATCH)

    assert (patched.status_code, patched.json()["data"]) == (200, None)
    assert (data["policy"], data["version"], data["cas_required"]) == (READ, 2, True)
    assert data["expiration"] == "2099-01-01T00:00:00Z"
    words = "check-and-set parameter 1 did not match the current version 2"
    assert said(stale) == (400, [words])
    assert said(ask("PATCH", f"{ACL}/none", {}, headers=PATCH)) == (400, ["policy not found"])
    empty = "'policy' parameter not supplied or empty"
    assert said(ask("PATCH", f"{ACL}/root", {}, headers=PATCH)) == (400, [empty])


def test_policies_are_listed_by_how_they_begin(ask: Ask) -> None:
    """At both paths, and in detail."""
    for name in ("c/d", "c/e/f", "x"):
        ask("PUT", f"{ACL}/{name}", {"policy": READ})
    detailed = ask("LIST", "sys/policies/detailed/acl/c").json()["data"]

    assert ask("LIST", f"{ACL}/c").json()["data"]["keys"] == ["c/d", "c/e/f"]
    assert ask("LIST", f"{ACL}/zz").status_code == 404
    assert ask("LIST", "sys/policy/c/e").json()["policies"] == ["c/e/f"]
    assert ask("LIST", "sys/policy/zz").json()["data"] == {"policies": None}
    assert detailed["keys"] == ["c/d", "c/e/f", "root"]
    assert detailed["key_info"]["c/d"]["policy"] == READ
    every = ask("LIST", "sys/policies/detailed/acl").json()["data"]["keys"]
    assert every == ["app", "c/d", "c/e/f", "default", "x", "root"]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["a", "b"]),
        ("?limit=", ["a", "b"]),
        ("?limit=0", ["a", "b"]),
        ("?limit=max", ["a", "b"]),
        ("?limit=1", ["a"]),
        ("?after=b", ["c"]),
        ("?limit=3", None),
        ("?limit=-1", None),
        ("?limit=x", None),
    ],
)
def test_a_policy_limits_the_length_of_a_list(
    vault: Vault, ask: Ask, query: str, keys: list[str] | None
) -> None:
    """The shortest of several limits holds; who asks for nothing gets as much as may be."""
    for name in "abc":
        vault.put(f"secret/{name}", {})
    for name, limit in (("p", 2), ("q", 5)):
        text = f'path "secret/metadata/*" {{ capabilities = ["list"] pagination_limit = {limit} }}'
        vault.policy(name, text)

    answer = ask("LIST", f"secret/metadata{query}", token=token_with(ask, "p", "q"))

    if keys is None:
        assert answer.status_code == 403
    else:
        assert answer.json()["data"]["keys"] == keys


def test_a_limit_may_be_demanded(vault: Vault, ask: Ask) -> None:
    """And without a limit of the policy's, `max` is everything."""
    text = 'path "%s" { capabilities = ["list"] %s }'
    vault.policy("p", text % ("kv1/*", 'pagination_limit = 1 required_parameters = ["Limit"]'))
    vault.policy("q", text % ("secret/metadata/*", ""))
    vault.mount("kv1", version=1)
    vault.put("kv1/a", {})
    vault.put("secret/a", {})
    token = token_with(ask, "p", "q")

    assert ask("LIST", "kv1", token=token).status_code == 403
    assert ask("LIST", "kv1?limit=max", token=token).status_code == 200
    assert ask("LIST", "secret/metadata?limit=max", token=token).status_code == 200


@pytest.mark.parametrize(
    ("name", "allows", "found"),
    [
        ("a/b", None, "/"),
        ("a/b", "allow_slashes_in_identity_templates", None),
        ("a*", None, "*"),
        ("a*", "allow_wildcards_in_identity_templates", None),
    ],
)
def test_a_template_is_particular_about_values(
    vault: Vault, ask: Ask, name: str, allows: str | None, found: str | None
) -> None:
    """A token is worth nothing if a policy of its own cannot be filled in."""
    accessor = ask("GET", "sys/auth").json()["approle/"]["accessor"]
    path = f"kv1/{{{{identity.entity.aliases.{accessor}.name}}}}"
    body = {
        "policy": f'path "{path}" {{ capabilities = ["read"] }}',
        **({allows: True} if allows else {}),
    }
    ask("PUT", f"{ACL}/p", body)
    credentials = vault.role("r", role_id=name, token_policies=["p"])
    ids = {"role_id": name, "secret_id": credentials.secret_id}
    token = ask("POST", "auth/approle/login", ids, token=None).json()["auth"]["client_token"]

    if found is None:
        assert capabilities(ask, token, f"kv1/{name}") == ["read"]
        return
    others = ask("POST", "sys/capabilities", {"paths": ["x"], "token": token})
    words = f'template substitution contains forbidden value: "{found}"'
    assert said(ask("GET", "auth/token/lookup-self", token=token)) == (400, ["Forbidden"])
    assert said(ask("GET", "sys/internal/ui/mounts", token=token)) == (403, ["Forbidden"])
    assert words in said(others)[1][0]
    assert others.status_code == 403


def test_a_vault_has_nothing_of_it() -> None:
    """Neither keys nor operations."""
    with Vault() as vault:
        url, token = f"{vault.url}/v1/{ACL}/p", {"X-Vault-Token": vault.root_token}
        text = 'path "x" { expiration = "2099-01-01T00:00:00Z" }'
        answers = [
            requests.put(url, json={"policy": text}, headers=token, timeout=5),
            requests.put(url, json={"policy": READ, "cas": 7}, headers=token, timeout=5),
            requests.patch(url, json={}, headers={**token, **PATCH}, timeout=5),
            requests.request("LIST", url, headers=token, timeout=5),
        ]

    assert [answer.status_code for answer in answers] == [400, 204, 405, 405]
