"""sys/leases: tokens are found and ended by the leases that they have, too."""

import pytest
import requests

from pytest_resilience_vault import OpenBao, Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

LOOKUP = "sys/leases/lookup"


def lease_of(ask: Ask, folder: str) -> str:
    """The id of the newest lease below a path."""
    keys = ask("LIST", f"{LOOKUP}/{folder}").json()["data"]["keys"]
    return f"{folder}/{keys[-1]}"


def test_a_token_has_a_lease_where_it_was_made(vault: Vault, ask: Ask) -> None:
    """A root token has none, nor has a batch token."""
    token = vault.token
    ask("POST", "auth/token/create", {"type": "batch", "policies": ["app"]})
    ask("POST", "auth/token/renew-self", {}, token=token)
    lease = lease_of(ask, "auth/approle/login")
    data = ask("POST", LOOKUP, {"lease_id": lease}).json()["data"]

    assert ask("LIST", LOOKUP).json()["data"]["keys"] == ["auth/"]
    assert ask("LIST", f"{LOOKUP}/auth/").json()["data"]["keys"] == ["approle/"]
    assert lease.startswith("auth/approle/login/h")
    assert (data["id"], data["path"], data["renewable"]) == (lease, "auth/approle/login", True)
    assert 2_764_700 < data["ttl"] <= 2_764_800
    assert data["last_renewal"] is not None


@pytest.mark.parametrize(
    "path",
    [
        "sys/leases/revoke/{lease}",
        "sys/revoke/{lease}",
        "sys/leases/revoke-prefix/auth/approle",
        "sys/leases/revoke-force/auth/approle/login",
        "sys/revoke-prefix/auth",
    ],
)
def test_a_lease_ends_the_token(vault: Vault, ask: Ask, path: str) -> None:
    """By its id, or all below a path."""
    token = vault.token
    lease = lease_of(ask, "auth/approle/login")
    ask("PUT", "sys/leases/revoke-prefix/auth/appro").raise_for_status()
    before = ask("GET", "auth/token/lookup-self", token=token).status_code
    answer = ask("PUT", path.format(lease=lease))

    assert (before, answer.status_code) == (200, 204)
    assert ask("GET", "auth/token/lookup-self", token=token).status_code == 403
    assert said(ask("POST", LOOKUP, {"lease_id": lease})) == (400, ["invalid lease"])


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        (LOOKUP, {}, 400, "lease_id must be specified"),
        ("sys/leases/revoke", {}, 400, "lease_id must be specified"),
        ("sys/leases/renew", {}, 400, "lease_id must be specified"),
        ("sys/leases/renew", {"lease_id": "x"}, 400, "lease not found"),
        ("sys/renew/x", {}, 400, "lease not found"),
        ("sys/leases/revoke-prefix", {}, 404, "1 error occurred:\n\t* unsupported path\n\n"),
    ],
)
def test_what_is_no_lease(
    ask: Ask, path: str, body: dict[str, str], status: int, words: str
) -> None:
    """Revoking one is fine."""
    assert said(ask("POST", path, body)) == (status, [words])
    assert ask("POST", "sys/leases/revoke", {"lease_id": "x"}).status_code == 204


@pytest.mark.parametrize(
    ("renewable", "words"),
    [(True, "tokens cannot be renewed through this endpoint"), (False, "lease is not renewable")],
)
def test_a_tokens_lease_is_not_renewed_here(ask: Ask, *, renewable: bool, words: str) -> None:
    """But at auth/token/renew."""
    ask("POST", "auth/token/create", {"renewable": renewable, "ttl": "1h", "policies": ["app"]})
    lease = lease_of(ask, "auth/token/create")

    assert said(ask("POST", "sys/leases/renew", {"lease_id": lease})) == (400, [words])


def test_a_lease_is_over_with_its_token(ask: Ask, clock: SettableClock) -> None:
    """On the fake's clock."""
    ask("POST", "auth/token/create", {"ttl": 5, "policies": ["app"]})
    lease = lease_of(ask, "auth/token/create")
    clock.ahead = 6

    assert ask("LIST", LOOKUP).status_code == 404
    assert ask("POST", LOOKUP, {"lease_id": lease}).status_code == 400


def test_a_token_without_an_end_has_a_lease_without_one(ask: Ask) -> None:
    """A root token that was made by another; that of init has none."""
    ask("POST", "auth/token/create", {})
    data = ask("POST", LOOKUP, {"lease_id": lease_of(ask, "auth/token/create")}).json()["data"]

    assert (data["expire_time"], data["ttl"], data["renewable"]) == (None, 0, False)


def test_a_namespace_has_its_own(vault: Vault, ask: Ask) -> None:
    """With the namespace in the id and in what is known of it."""
    vault.namespace("team")
    ask("POST", "team/auth/token/create", {"policies": ["default"]})
    keys = ask("LIST", "team/sys/leases/lookup/auth/token/create").json()["data"]["keys"]
    lease = f"auth/token/create/{keys[0]}"
    data = ask("POST", "team/sys/leases/lookup", {"lease_id": lease}).json()["data"]

    assert ask("LIST", LOOKUP).status_code == 404
    assert data["namespace_path"] == "team/"
    assert len(lease.rpartition(".")[2]) == 6


def test_all_leases_can_be_revoked(ask: Ask) -> None:
    """So there is nothing to count."""
    count, listed = "sys/leases/count", "sys/leases"

    assert ask("GET", f"{count}?type=irrevocable").json()["data"] == {
        "counts": {},
        "lease_count": 0,
    }
    assert ask("GET", f"{listed}?type=irrevocable").json()["data"] == {
        "leases": [],
        "lease_count": 0,
    }
    assert {ask("GET", path).status_code for path in (count, listed)} == {404}
    assert ask("POST", "sys/leases/tidy").status_code == 202


def test_an_openbao_has_no_older_paths() -> None:
    """Those of a Vault from before sys/leases (seen)."""
    with OpenBao() as bao:
        fields = {"X-Vault-Token": bao.root_token}
        paths = ("renew/x", "revoke/x", "revoke-prefix/x", "leases/revoke/x")
        answers = [
            requests.put(f"{bao.url}/v1/sys/{path}", headers=fields, timeout=5) for path in paths
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 204]
