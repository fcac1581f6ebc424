"""Policies whose paths name who asks; seen on OpenBao 2.7.2."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

EVERY = 'capabilities = ["create", "read", "update"]'


@pytest.fixture
def holder(vault: Vault, ask: Ask) -> Callable[[str], dict[str, Any]]:
    """Logs in as a role whose policy has this path; what the login says."""
    vault.mount("kv1", version=1)

    def log_in(path: str) -> dict[str, Any]:
        vault.policy("mine", f'path "{path}" {{ {EVERY} }}')
        ids = vault.role("mine", policies=["mine"])
        body = {"role_id": ids.role_id, "secret_id": ids.secret_id}
        auth: dict[str, Any] = ask("POST", "auth/approle/login", body, token=None).json()["auth"]
        return auth

    return log_in


def test_a_path_may_name_the_entity(ask: Ask, holder: Callable[[str], dict[str, Any]]) -> None:
    """Whoever logs in with the same role id is the same one."""
    auth = holder("kv1/{{identity.entity.id}}/*")
    token, own = auth["client_token"], f"kv1/{auth['entity_id']}/a"
    child = ask("POST", "auth/token/create", {}, token=token)
    others = ask("POST", "auth/token/create", {"policies": ["mine"]}).json()["auth"]

    assert ask("POST", own, {"n": 1}, token=token).status_code == 204
    assert ask("GET", own, token=holder("kv1/{{identity.entity.id}}/*")["client_token"]).ok
    assert ask("GET", "kv1/other/a", token=token).status_code == 403
    assert ask("GET", own, token=others["client_token"]).status_code == 403
    assert child.status_code == 403
    answer = ask("POST", "sys/capabilities-self", {"path": own}, token=token).json()
    assert answer["capabilities"] == ["create", "read", "update"]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ identity.entity.name }}", "entity_{id8}"),
        ("{{identity.entity.aliases.{accessor}.name}}", "{role_id}"),
        ("{{identity.entity.aliases.{accessor}.metadata.role_name}}/x", "mine/x"),
        ("{{identity.entity.id}}-{{identity.entity.id}}", "{id}-{id}"),
        ("{{identity.entity.aliases.{accessor}.metadata.nope}}", None),
        ("{{identity.entity.aliases.other.name}}", None),
        ("{{identity.entity.metadata.team}}", None),
        ("{{identity.groups.names.g.id}}", None),
        ("{{other}}", None),
        ("{{}}", None),
    ],
)
def test_what_a_path_may_name(
    ask: Ask,
    holder: Callable[[str], dict[str, Any]],
    template: str,
    value: str | None,
) -> None:
    """A path that names what is not there grants nothing."""
    accessor = ask("GET", "sys/auth/approle").json()["data"]["accessor"]
    auth = holder("kv1/" + template.replace("{accessor}", accessor))
    whole = {"id": auth["entity_id"], "id8": auth["entity_id"][:8]}
    whole["role_id"] = ask("GET", "auth/approle/role/mine/role-id").json()["data"]["role_id"]
    path = value.format(**whole) if value else template

    status = ask("POST", f"kv1/{path}", {"n": 1}, token=auth["client_token"]).status_code
    assert status == (403 if value is None else 204)


def test_a_value_makes_no_pattern(ask: Ask, holder: Callable[[str], dict[str, Any]]) -> None:
    """A star in the metadata of a secret id opens nothing."""
    accessor = ask("GET", "sys/auth/approle").json()["data"]["accessor"]
    holder(f"kv1/{{{{identity.entity.aliases.{accessor}.metadata.k}}}}")
    role = "auth/approle/role/mine"
    role_id = ask("GET", f"{role}/role-id").json()["data"]["role_id"]

    found = []
    for value in ("*", "+", "x"):
        body = {"metadata": f'{{"k": "{value}"}}'}
        secret_id = ask("POST", f"{role}/secret-id", body).json()["data"]["secret_id"]
        ids = {"role_id": role_id, "secret_id": secret_id}
        auth = ask("POST", "auth/approle/login", ids, token=None).json()["auth"]
        found.append(ask("POST", "kv1/x", {"n": 1}, token=auth["client_token"]).status_code)

    assert found == [403, 403, 204]


@pytest.mark.parametrize("path", ["a/{{identity.entity.id", "a/}}", "a/}}b{{", "a/{{x}}y}}"])
def test_braces_have_to_match(ask: Ask, path: str) -> None:
    """Else the policy is refused."""
    answer = ask("PUT", "sys/policies/acl/p", {"policy": f'path "{path}" {{ {EVERY} }}'})

    words = "failed to validate policy templating: unbalanced templating characters"
    assert said(answer) == (400, [f"failed to parse policy: {words}"])


def test_an_openbaos_entity_says_its_namespace() -> None:
    """In its name, which a path may have."""
    with Vault(flavour="openbao") as bao:
        bao.policy("app", f'path "secret/data/{{{{identity.entity.name}}}}" {{ {EVERY} }}')
        body = {"role_id": bao.role_id, "secret_id": bao.secret_id}
        url = f"{bao.url}/v1"
        auth = requests.post(f"{url}/auth/approle/login", json=body, timeout=5).json()["auth"]
        name = f"entity_{auth['entity_id'][:8]}.root"
        fields = {"X-Vault-Token": auth["client_token"]}
        path = f"{url}/secret/data/{name}"
        answer = requests.post(path, json={"data": {}}, headers=fields, timeout=5)

    assert answer.status_code == 200
