"""What is remembered of secrets, under which name, and for how long."""

import pytest

from gds_vault import VaultClient, VaultError
from helpers import Lines, answering
from pytest_resilience import Attempt, VirtualClock, faults
from pytest_resilience_vault import Vault

READ = "/v1/secret/data/myapp"


def test_a_second_read_asks_nothing(client: VaultClient, vault: Vault) -> None:
    """A cached secret costs no request."""
    first = client.get_secret("secret/data/myapp")
    asked = len(vault.trace)

    assert client.get_secret("secret/data/myapp") == first
    assert len(vault.trace) == asked


def test_the_cache_knows_a_path_by_its_meaning(client: VaultClient, vault: Vault) -> None:
    """Slashes around a path make no other secret of it."""
    client.get_secret("secret/data/myapp")
    client.get_secret("/secret/data/myapp/")

    assert len(vault.trace.to(path=READ)) == 1


def test_each_version_is_remembered_by_itself(client: VaultClient, vault: Vault) -> None:
    """The newest, and each version by number, are different entries."""
    vault.put("secret/myapp", {"password": "newer"})

    for _ in range(2):
        assert client.get_secret("secret/data/myapp") == {"password": "newer"}
        assert client.get_secret("secret/data/myapp", version=1) == {"password": "s3cr3t"}
        assert client.get_secret("secret/data/myapp", version=2) == {"password": "newer"}
    assert len(vault.trace.to(path=READ)) == 3


def test_use_cache_false_asks_vault(client: VaultClient, vault: Vault) -> None:
    """A change is seen at once by who does not want the cache."""
    client.get_secret("secret/data/myapp")
    vault.put("secret/myapp", {"password": "newer"})

    assert client.get_secret("secret/data/myapp", use_cache=False) == {"password": "newer"}


def test_what_was_read_without_the_cache_is_not_kept(client: VaultClient, vault: Vault) -> None:
    """use_cache=False leaves no copy behind, and no copy older than itself either."""
    client.get_secret("secret/data/myapp")
    vault.put("secret/myapp", {"password": "newer"})
    client.get_secret("secret/data/myapp", use_cache=False)

    assert client.get_secret("secret/data/myapp") == {"password": "newer"}
    assert len(vault.trace.to(path=READ)) == 3


def test_a_caller_cannot_change_the_cache(client: VaultClient, vault: Vault) -> None:
    """Everybody gets a copy, however deep the secret is."""
    vault.put("secret/myapp", {"users": ["alice"]})
    client.get_secret("secret/data/myapp")["users"].append("mallory")
    client.get_secret("secret/data/myapp")["users"].append("mallory")

    assert client.get_secret("secret/data/myapp") == {"users": ["alice"]}


def test_a_deep_secret_is_remembered(client: VaultClient, vault: Vault) -> None:
    """What could be read can be kept, and read again from anywhere."""
    value: object = "s3cr3t"
    for _ in range(500):
        value = [value]
    vault.fail(answering(200, {"data": {"value": value}}), path=READ)

    first = client.get_secret("secret/data/myapp")
    second = client.get_secret("secret/data/myapp")

    assert repr(first) == repr(second)
    assert len(vault.trace.to(path=READ)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_errors_are_not_remembered(status: int, client: VaultClient, vault: Vault) -> None:
    """The call after a failed call asks again."""
    vault.fail(status, path=READ, times=4 if status == 500 else 1)
    with pytest.raises(VaultError):
        client.get_secret("secret/data/myapp")

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}


def test_a_secret_is_remembered_no_longer_than_its_token(
    client: VaultClient, vault: Vault, virtual_clock: VirtualClock
) -> None:
    """With a new token Vault decides anew what may be read."""
    client.get_secret("secret/data/myapp")
    vault.put("secret/myapp", {"password": "newer"})
    virtual_clock.advance(3600)

    assert client.get_secret("secret/data/myapp") == {"password": "newer"}


def test_a_login_by_hand_empties_the_cache(client: VaultClient, vault: Vault) -> None:
    """Authenticate brings a new token, and with it a new start."""
    client.get_secret("secret/data/myapp")
    client.authenticate()
    client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path=READ)) == 2


def test_a_secret_read_after_a_refusal_is_remembered(client: VaultClient, vault: Vault) -> None:
    """What the new token has read belongs to the new token."""
    client.authenticate()
    vault.expire_token()
    client.get_secret("secret/data/myapp")
    asked = len(vault.trace)

    client.get_secret("secret/data/myapp")

    assert len(vault.trace) == asked


def test_clear_cache_forgets_secrets_and_keeps_the_token(
    client: VaultClient, vault: Vault, lines: Lines
) -> None:
    """The next read asks for the secret, and which engine it is in, without a login."""
    client.get_secret("secret/data/myapp")
    client.get_secret("secret/data/myapp", version=1)
    client.clear_cache()
    client.get_secret("secret/data/myapp")

    assert "INFO Cleared cache (removed 2 secrets)" in lines()
    assert len(vault.trace.to(path=READ)) == 3
    assert len(vault.trace.to(path="/v1/sys/internal/*")) == 2
    assert len(vault.trace.to(path="/v1/auth/*")) == 1


def test_clear_cache_asks_nothing(client: VaultClient, vault: Vault, lines: Lines) -> None:
    """Also a client that has not begun can be cleared."""
    client.clear_cache()

    assert lines() == ["INFO Cleared cache (removed 0 secrets)"]
    assert len(vault.trace) == 0


def test_what_was_asked_for_before_clearing_is_not_kept(client: VaultClient, vault: Vault) -> None:
    """An answer on its way while the cache is cleared may be as old as what was cleared."""

    def clear(attempt: Attempt) -> bool:
        client.clear_cache()
        return True

    vault.fail(faults.OK, path=READ, when=clear, times=2)
    client.get_secret("secret/data/myapp")
    client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path=READ)) == 2
