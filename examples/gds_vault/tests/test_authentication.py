"""How a token is got, kept, and replaced shortly before it ends."""

from typing import Any

import pytest

from gds_vault import VaultClient, VaultError
from helpers import answering, in_threads
from pytest_resilience import VirtualClock, faults
from pytest_resilience_vault import Vault

LOGIN = "/v1/auth/approle/login"


def login_granting(**auth: Any) -> faults.Fault:
    """Answer a login with these in its auth block."""
    auth = {"client_token": "hvs.granted", "lease_duration": 3600, **auth}
    return answering(200, {"auth": auth})


def test_a_login_sends_both_ids_and_gives_the_token(client: VaultClient, vault: Vault) -> None:
    """Authenticate posts role_id and secret_id to AppRole, and returns what Vault grants."""
    token = client.authenticate()

    assert token.startswith("hvs.")
    (attempt,) = vault.trace
    assert (attempt.method, attempt.path) == ("POST", LOGIN)
    assert vault.role_id.encode() in attempt.body
    assert vault.secret_id.encode() in attempt.body
    assert "X-Vault-Token" not in attempt.headers


def test_a_token_serves_many_requests(client: VaultClient, vault: Vault) -> None:
    """One login is enough while the token lives."""
    for _ in range(3):
        client.get_secret("secret/data/myapp", use_cache=False)
        client.list_secrets("secret/metadata")

    assert len(vault.trace.to(path=LOGIN)) == 1


def test_authenticate_always_logs_in(client: VaultClient, vault: Vault) -> None:
    """Who calls authenticate wants a new token, and the other methods use that one then."""
    first, second = client.authenticate(), client.authenticate()
    client.list_secrets("secret/metadata")

    assert first != second
    assert vault.trace[-1].headers["X-Vault-Token"] == second


@pytest.mark.parametrize(
    ("lease", "good_and_over"),
    [(3600, (3299.999, 3300)), (60, (53.999, 54)), (1, (0.899, 0.901)), (1e5, (99_699, 99_700))],
)
def test_a_token_is_replaced_shortly_before_it_ends(
    lease: float,
    good_and_over: tuple[float, float],
    client: VaultClient,
    vault: Vault,
    virtual_clock: VirtualClock,
) -> None:
    """A tenth of its life, at most five minutes, is left unused."""
    good, over = good_and_over
    vault.fail(login_granting(lease_duration=lease), path=LOGIN, times=2)
    vault.fail(answering(200, {"data": {"keys": ["a"]}}), method="LIST", times=3)

    client.list_secrets("secret/metadata")
    virtual_clock.advance(good)
    client.list_secrets("secret/metadata")
    before = len(vault.trace.to(path=LOGIN))
    virtual_clock.advance(over - good)
    client.list_secrets("secret/metadata")

    assert (before, len(vault.trace.to(path=LOGIN))) == (1, 2)


def test_a_lease_of_0_does_not_end(
    client: VaultClient, vault: Vault, virtual_clock: VirtualClock
) -> None:
    """Vault's 0 is "for ever", not "already over"."""
    vault.fail(login_granting(lease_duration=0), path=LOGIN)
    vault.fail(answering(200, {"data": {"keys": ["a"]}}), method="LIST", times=2)

    client.list_secrets("secret/metadata")
    virtual_clock.advance(1e9)
    client.list_secrets("secret/metadata")

    assert len(vault.trace.to(path=LOGIN)) == 1


@pytest.mark.parametrize(
    "auth",
    [
        {"client_token": ""},
        {"client_token": None},
        {"client_token": "hvs.with\nnewline"},
        {"client_token": "hvs.w\u00f6rd"},
        {"lease_duration": None},
        {"lease_duration": "3600"},
        {"lease_duration": -1},
        {"lease_duration": 1e300},
    ],
)
def test_a_login_that_grants_nothing_usable_is_an_error(
    auth: dict[str, Any], client: VaultClient, vault: Vault
) -> None:
    """A 200 without a usable token is a clear error, at once, and nothing of it is kept."""
    vault.fail(login_granting(**auth), path=LOGIN)

    with pytest.raises(VaultError, match=r"^Vault's answer to the login grants no usable token$"):
        client.authenticate()

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert len(vault.trace.to(path=LOGIN)) == 2


@pytest.mark.parametrize("body", [{"auth": None}, {}, [], "", 1, {"auth": "hvs.x"}])
def test_a_login_answer_of_another_shape_is_an_error(
    body: Any,
    client: VaultClient,
    vault: Vault,
) -> None:
    """JSON that is not Vault's is a VaultError, never a KeyError or TypeError."""
    vault.fail(answering(200, body), path=LOGIN)

    with pytest.raises(VaultError, match=r"grants no usable token$"):
        client.authenticate()


def test_wrong_credentials_fail_at_once(vault: Vault) -> None:
    """Vault's 400 for a wrong secret_id is not retried: six of them would lock the role out."""
    client = VaultClient(secret_id="not-the-secret-id")

    with pytest.raises(VaultError, match=r"invalid role or secret ID$") as error:
        client.get_secret("secret/data/myapp")

    assert error.value.status_code == 400
    assert vault.trace.statuses == [400]


def test_threads_that_start_together_share_the_first_login(vault: Vault) -> None:
    """A client that is new to all its threads logs in once."""
    client = VaultClient()
    vault.fail(faults.latency(5), path=LOGIN)

    results = in_threads(16, lambda: client.list_secrets("secret/metadata"))

    assert results == [["myapp"]] * 16
    assert len(vault.trace.to(path=LOGIN)) == 1
