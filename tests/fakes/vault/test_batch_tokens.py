"""Batch tokens, from auth/token and from AppRole."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

NOT_RENEWED = (400, ["batch tokens cannot be renewed"])
NOT_REVOKED = (400, ["batch tokens cannot be revoked"])


def make(ask: Ask, token: str = "", **fields: Any) -> dict[str, Any]:
    body = {"type": "batch", "policies": ["app"], **fields}
    auth: dict[str, Any] = ask("POST", "auth/token/create", body, token=token).json()["auth"]
    return auth


def test_a_batch_token_is_long_and_has_no_accessor(ask: Ask) -> None:
    """It is listed nowhere, and cannot be renewed."""
    auth = make(ask, ttl="5m", renewable=True)
    token = auth["client_token"]
    data = ask("GET", "auth/token/lookup-self", token=token).json()["data"]

    assert token.startswith("hvb.AAAAAQ")
    assert (auth["accessor"], auth["renewable"], auth["token_type"]) == ("", False, "batch")
    assert (data["type"], data["accessor"], data["creation_ttl"]) == ("batch", "", 300)
    assert "" not in ask("LIST", "auth/token/accessors").json()["data"]["keys"]
    assert ask("GET", "secret/metadata?list=true", token=token).status_code == 404


def test_it_is_neither_renewed_nor_revoked(ask: Ask) -> None:
    """By itself or by another; it ends with its time."""
    token = make(ask)["client_token"]

    assert said(ask("POST", "auth/token/renew-self", {}, token=token)) == NOT_RENEWED
    assert said(ask("POST", "auth/token/renew", {"token": token})) == NOT_RENEWED
    assert said(ask("POST", "auth/token/revoke", {"token": token})) == NOT_REVOKED
    assert said(ask("POST", "auth/token/revoke-orphan", {"token": token})) == NOT_REVOKED
    assert said(ask("POST", "auth/token/revoke-self", {}, token=token)) == NOT_REVOKED


def test_it_ends_with_its_time_and_with_its_parent(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """An orphan does not."""
    vault.policy("maker", 'path "auth/token/create" { capabilities = ["update", "sudo"] }')
    parent = ask("POST", "auth/token/create", {"policies": ["maker"]}).json()["auth"]
    own = parent["client_token"]
    child = make(ask, token=own, policies=["maker"])["client_token"]
    orphan = make(ask, no_parent=True, ttl=60)["client_token"]
    before = ask("GET", "auth/token/lookup-self", token=child).status_code
    vault.revoke(own)

    assert (before, ask("GET", "auth/token/lookup-self", token=child).status_code) == (200, 403)
    assert ask("GET", "auth/token/lookup-self", token=orphan).status_code == 200
    clock.ahead = 61
    assert ask("GET", "auth/token/lookup-self", token=orphan).status_code == 403


@pytest.mark.parametrize("name", ["num_uses", "period", "explicit_max_ttl"])
def test_what_a_batch_token_cannot_have(ask: Ask, name: str) -> None:
    """In Vault's words."""
    body = {"type": "batch", "policies": ["app"], name: 60}

    assert said(ask("POST", "auth/token/create", body)) == (
        400,
        [f'batch tokens cannot have "{name}" set'],
    )


def test_a_batch_token_is_no_root_makes_no_tokens_and_has_no_cubbyhole(
    vault: Vault, ask: Ask
) -> None:
    """All three need a service token."""
    vault.policy("all", 'path "*" { capabilities = ["create", "read", "update", "sudo"] }')
    token = make(ask, policies=["all"])["client_token"]

    assert said(ask("POST", "auth/token/create", {"type": "batch"})) == (
        400,
        ["batch tokens cannot be root tokens"],
    )
    assert said(ask("POST", "auth/token/create", {}, token=token)) == (
        400,
        ["batch tokens cannot create more tokens"],
    )
    assert said(ask("GET", "cubbyhole/a", token=token)) == (
        400,
        ["cubbyhole operations are only supported by 'service' type tokens"],
    )


def test_a_role_s_uses_are_shown_and_not_counted(ask: Ask) -> None:
    """Nothing is stored of it that could be (seen)."""
    ask("POST", "auth/token/roles/once", {"token_num_uses": 1}).raise_for_status()
    body = {"type": "batch", "policies": ["app"]}

    auth = ask("POST", "auth/token/create/once", body).json()["auth"]
    looks = [ask("GET", "auth/token/lookup-self", token=auth["client_token"]) for _ in range(2)]

    assert auth["num_uses"] == 1
    assert [look.json()["data"]["num_uses"] for look in looks] == [0, 0]


def test_a_type_that_is_none(ask: Ask) -> None:
    """default-service is for roles and mounts only."""
    for kind in ("foo", "default", "default-service"):
        assert said(ask("POST", "auth/token/create", {"type": kind})) == (
            400,
            ["invalid 'token_type' value"],
        )


def login_type(vault: Vault, ask: Ask) -> str:
    ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}
    kind: str = ask("POST", "auth/approle/login", ids, token=None).json()["auth"]["token_type"]
    return kind


def test_approle_gives_them_as_the_role_or_the_mount_wants(vault: Vault, ask: Ask) -> None:
    """What the mount insists on goes over the role's."""
    kinds = [login_type(vault, ask)]
    vault.role(token_type="batch")
    kinds.append(login_type(vault, ask))
    vault.role(token_type="default")
    ask("POST", "sys/auth/approle/tune", {"token_type": "default-batch"})
    kinds.append(login_type(vault, ask))
    vault.role(token_type="service")
    kinds.append(login_type(vault, ask))
    ask("POST", "sys/auth/approle/tune", {"token_type": "batch"})
    kinds.append(login_type(vault, ask))

    assert kinds == ["service", "batch", "batch", "service", "batch"]


def test_a_batch_role_has_no_period_and_no_uses(ask: Ask) -> None:
    """And default-batch has no meaning there."""
    words = "'token_type' cannot be 'batch' or 'default_batch' when set to generate"
    role = "auth/approle/role/b"

    assert said(ask("POST", role, {"token_type": "batch", "token_period": 60})) == (
        400,
        [f"{words} periodic tokens"],
    )
    assert said(ask("POST", role, {"token_type": "batch", "token_num_uses": 1})) == (
        400,
        [f"{words} tokens with limited use count"],
    )
    assert ask("POST", role, {"token_type": "default-batch"}).json()["warnings"] == [
        "default-batch has no useful meaning; adjusting to batch"
    ]
    assert ask("GET", role).json()["data"]["token_type"] == "batch"


@pytest.mark.parametrize(("kind", "shown"), [("batch", None), ("service", {})])
def test_metadata_without_anything_in_it_is_lost_on_the_way(
    ask: Ask, kind: str, shown: dict[str, str] | None
) -> None:
    """A batch token is its own store, and keeps no empty map (seen)."""
    body = {"type": kind, "policies": ["default"], "meta": {}}
    token = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]

    assert ask("GET", "auth/token/lookup-self", token=token).json()["data"]["meta"] == shown
