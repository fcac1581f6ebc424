"""hvac, the usual Python client, as a second opinion. Not every environment has it."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_resilience_vault import Vault

# From hvac itself, whose patch() reads with its old default.
pytestmark = pytest.mark.filterwarnings("ignore:The raise_on_deleted_version")
hvac = pytest.importorskip("hvac")


@pytest.fixture
def client(vault: Vault) -> Iterator[Any]:
    """A client with the root token."""
    found = hvac.Client(vault.url, vault.root_token)
    yield found
    found.adapter.close()


def test_it_logs_in_reads_writes_and_logs_out(vault: Vault, client: Any) -> None:
    """With AppRole, on KV version 2."""
    client.token = None
    client.auth.approle.login(vault.role_id, vault.secret_id)
    kv = client.secrets.kv.v2
    kv.create_or_update_secret("a", {"n": 1}, cas=0)
    kv.patch("a", {"m": 2})
    read = kv.read_secret_version("a", raise_on_deleted_version=True)

    assert read["data"]["data"] == {"n": 1, "m": 2}
    assert kv.list_secrets("")["data"]["keys"] == ["a"]
    assert client.is_authenticated()
    client.logout(revoke_token=True)
    assert not client.is_authenticated()


def test_it_finds_the_deleted_version_in_the_404(client: Any) -> None:
    """Its own reading of a 404 that has data."""
    kv = client.secrets.kv.v2
    kv.create_or_update_secret("a", {"n": 1})
    kv.delete_latest_version_of_secret("a")

    with pytest.raises(hvac.exceptions.InvalidPath):
        kv.read_secret_version("a", raise_on_deleted_version=True)
    read = kv.read_secret_version("a", raise_on_deleted_version=False)
    assert read["data"]["metadata"]["deletion_time"] != ""


def test_it_finds_the_errors(vault: Vault, client: Any) -> None:
    """It drops them when the Content-Type has a charset."""
    client.token = "hvs.unknown"

    with pytest.raises(hvac.exceptions.Forbidden, match="invalid token"):
        client.secrets.kv.v2.read_configuration()
    vault.seal()
    with pytest.raises(hvac.exceptions.VaultDown, match="Vault is sealed"):
        client.secrets.kv.v2.read_configuration()


def test_it_unseals(vault: Vault, client: Any) -> None:
    """With three shares."""
    client.sys.seal()
    sealed = client.sys.is_sealed()
    client.sys.submit_unseal_keys(vault.unseal_keys[:3])

    assert (sealed, client.sys.is_sealed()) == (True, False)
    assert client.sys.is_initialized()
    assert client.sys.read_health_status(method="GET")["initialized"] is True


def test_it_keeps_roles_policies_and_mounts(client: Any) -> None:
    """The administrator's side."""
    approle = client.auth.approle
    approle.create_or_update_approle("web", token_policies=["p"], token_ttl="10m")
    role_id = approle.read_role_id("web")["data"]["role_id"]
    secret = approle.generate_secret_id("web", metadata={"team": "a"})["data"]
    login = approle.login(role_id, secret["secret_id"], use_token=False)
    client.sys.create_or_update_policy("p", {"path": {"kv1/*": {"capabilities": ["read"]}}})
    client.sys.enable_secrets_engine("kv", "kv1", options={"version": "1"})
    client.secrets.kv.v1.create_or_update_secret("a", {"n": 1}, mount_point="kv1")

    assert login["auth"]["metadata"] == {"role_name": "web", "team": "a"}
    assert login["auth"]["lease_duration"] == 600
    assert client.secrets.kv.v1.read_secret("a", mount_point="kv1")["data"] == {"n": 1}
    assert "kv1/" in client.sys.list_mounted_secrets_engines()["data"]
    assert client.sys.list_policies()["data"]["policies"] == ["app", "default", "p", "root"]
    assert client.sys.get_capabilities(["kv1/a"], token=login["auth"]["client_token"])["data"] == {
        "kv1/a": ["read"],
        "capabilities": ["read"],
    }
