"""What a client is made of, and what is left when its work is done."""

import ast
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import requests

import gds_vault
from gds_vault import VaultClient, VaultError, get_secret_from_vault
from helpers import answering
from pytest_resilience import VirtualClock, faults
from pytest_resilience_vault import Vault

HERE = Path(__file__).parents[1]
ALL = ("VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID")


def test_the_package_offers_the_documents_names() -> None:
    """What the document names can be imported from where it says, and from the package."""
    from gds_vault.vault import (
        VaultClient as client,  # noqa: N813
        get_secret_from_vault as function,
        retry_with_backoff as decorator,
    )

    assert (client, function, decorator) == (
        gds_vault.VaultClient,
        gds_vault.get_secret_from_vault,
        gds_vault.retry_with_backoff,
    )


def test_it_needs_requests_and_nothing_else() -> None:
    """The standard library's logging, and the requests that was there before."""
    folder = Path(gds_vault.__file__).parent
    nodes = [node for path in folder.glob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]

    foreign = {name.partition(".")[0] for name in imported} - set(sys.stdlib_module_names)
    assert foreign == {"requests", "gds_vault"}
    assert [need.partition(">")[0] for need in project["dependencies"]] == ["requests"]


def test_everything_left_out_comes_from_the_environment(vault: Vault) -> None:
    """VAULT_ADDR, VAULT_ROLE_ID and VAULT_SECRET_ID stand in for what is not given."""
    client = VaultClient()

    assert client.vault_addr == vault.url
    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert client.timeout == 10


def test_what_is_given_wins_over_the_environment(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments are used even where the environment says something else."""
    for name in ALL:
        monkeypatch.setenv(name, "http://elsewhere.invalid")
    client = VaultClient(vault.url, vault.role_id, vault.secret_id, 5)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert client.timeout == 5


@pytest.mark.parametrize("empty", [None, "", " \n"])
def test_all_that_is_missing_is_named_at_once(
    empty: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings that are absent, empty or blank fail the construction; the error lists them all."""
    for name in ALL:
        monkeypatch.delenv(name, raising=False)
    if empty is not None:
        monkeypatch.setenv("VAULT_ROLE_ID", empty)

    with pytest.raises(VaultError, match=r"^VAULT_ROLE_ID, VAULT_SECRET_ID must be set"):
        VaultClient("http://127.0.0.1:8200")


def test_an_empty_argument_does_not_fall_back_to_the_environment(vault: Vault) -> None:
    """An empty secret_id is a mistake of the caller, not a wish for the one in the environment."""
    with pytest.raises(VaultError, match=r"^VAULT_SECRET_ID must be set"):
        VaultClient(secret_id="")


@pytest.mark.parametrize("argument", ["vault_addr", "role_id", "secret_id"])
@pytest.mark.parametrize("value", [5, b"role", ["role"]])
def test_what_is_not_text_is_refused_at_once(argument: str, value: Any, vault: Vault) -> None:
    """A setting of another type is invalid configuration, and its value is not repeated."""
    with pytest.raises(VaultError, match=rf"^\w*{argument.upper()} must be text$"):
        VaultClient(**{argument: value})


@pytest.mark.parametrize("name", ["VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID"])
def test_what_is_not_utf_8_is_refused_at_once(
    name: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes of another encoding could not be masked when a server echoes them."""
    monkeypatch.setenv(name, os.fsdecode("http://gehört-dazu".encode("latin-1")))

    with pytest.raises(VaultError, match=rf"^{name} must be UTF-8$"):
        VaultClient()


@pytest.mark.parametrize(
    "address",
    [
        "vault.example.com:8200",
        "ftp://vault.example.com",
        "http://",
        "http://vault:port",
        "http://vault:0",
        "http://[::1",
        "http://vault\n.example.com",
        "https://vault.example.com?x=1",
        "https://vault.example.com#x",
        "https://vault.example.com?",
        "https://vault.example.com/#",
        "https://vault..example.com",
        "https://.example.com",
        "https://*.example.com",
        "https://\u2603.example.com",
        f"https://{'a' * 64}.example.com",
    ],
)
def test_an_address_that_cannot_work_is_refused_at_once(address: str) -> None:
    """Invalid configuration fails before any request and is never retried."""
    with pytest.raises(VaultError, match=r"^vault_addr must "):
        VaultClient(address, "role", "secret")


@pytest.mark.parametrize("end", ["\n", " ", "\r\n"])
def test_white_space_around_a_setting_is_no_part_of_it(end: str, vault: Vault) -> None:
    """A file's last newline is not sent, and the secret_id is masked where it is echoed."""
    client = VaultClient(vault.url + end, vault.role_id + end, f" {vault.secret_id}{end}")
    client.authenticate()
    vault.fail(answering(400, {"errors": [f"bad secret_id {vault.secret_id}"]}))

    with pytest.raises(VaultError, match=r": bad secret_id \*\*\*$"):
        client.authenticate()


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    """The address is logged, so it must not hold credentials; nor may the error show them."""
    with pytest.raises(VaultError) as error:
        VaultClient("https://user:hunter2@vault.example.com", "role", "secret")

    assert str(error.value) == "vault_addr must have no user, password, query or fragment"


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), 3e6, 10**400, None, "10", True])
def test_a_timeout_that_could_wait_for_ever_is_refused(timeout: Any) -> None:
    """There is no way to wait for Vault without a limit, or for longer than the system can."""
    with pytest.raises(VaultError, match=r"^timeout must be .* above 0, at most 2147483$"):
        VaultClient("http://127.0.0.1", "role", "secret", timeout)


def test_an_address_may_end_with_a_slash_or_have_a_path(vault: Vault) -> None:
    """A trailing slash changes nothing."""
    client = VaultClient(f"{vault.url}/")

    client.authenticate()

    assert vault.trace[0].path == "/v1/auth/approle/login"


def test_a_client_shows_its_address_only() -> None:
    """The repr of a client has no credentials in it."""
    client = VaultClient("https://vault.example.com/", "my-role-id", "my-secret-id")

    assert repr(client) == "VaultClient('https://vault.example.com', timeout=10)"


def test_constructing_and_entering_ask_nothing(vault: Vault) -> None:
    """Vault hears of a client only when the client has something to ask."""
    with VaultClient():
        pass

    assert len(vault.trace) == 0


def test_authenticate_connection_error(vault: Vault, virtual_clock: VirtualClock) -> None:
    """Nobody listens: the login is tried four times, and a RequestException is the cause."""
    vault.down()

    with pytest.raises(VaultError, match=r"^authenticate failed: Connection refused$") as error:
        VaultClient().authenticate()

    assert isinstance(error.value.__cause__, requests.RequestException)
    assert virtual_clock.now == 7


def test_leaving_the_context_forgets_token_and_secrets(vault: Vault) -> None:
    """After the with block nothing of Vault is kept; the client may still be used and logs in."""
    with VaultClient() as client:
        client.get_secret("secret/data/myapp")
    client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path="/v1/auth/approle/login")) == 2
    assert len(vault.trace.to(path="/v1/secret/data/myapp")) == 2


def test_leaving_the_context_forgets_cookies(vault: Vault) -> None:
    """What a load balancer has given to one use of a client is not shown in the next."""
    vault.fail(faults.status(503, headers={"Set-Cookie": "lb=1"}))
    with VaultClient() as client:
        client.authenticate()
    client.authenticate()

    assert [attempt.headers.get("Cookie") for attempt in vault.trace] == [None, "lb=1", None]


def test_the_context_hides_no_error(vault: Vault) -> None:
    """An exception inside the with block comes out of it."""
    with pytest.raises(RuntimeError, match=r"^mine$"), VaultClient():
        raise RuntimeError("mine")


def test_the_function_reads_one_secret_and_keeps_nothing(vault: Vault) -> None:
    """get_secret_from_vault logs in each time, and closes its connection."""
    first = get_secret_from_vault("secret/data/myapp")
    second = get_secret_from_vault("secret/data/myapp")

    assert first == second == {"password": "s3cr3t"}
    assert len(vault.trace.to("POST", "/v1/auth/approle/login")) == 2
    assert len({attempt.connection for attempt in vault.trace}) == 2


def test_the_function_takes_the_clients_arguments(vault: Vault) -> None:
    """Address, credentials, timeout and version can be given."""
    vault.put("secret/myapp", {"password": "newer"})

    secret = get_secret_from_vault(
        "secret/data/myapp",
        version=1,
        vault_addr=vault.url,
        role_id=vault.role_id,
        secret_id=vault.secret_id,
        timeout=5,
    )

    assert secret == {"password": "s3cr3t"}


def test_the_function_fails_at_once_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing environment variables are not retried."""
    for name in ALL:
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(VaultError, match=r"^VAULT_ADDR, VAULT_ROLE_ID, VAULT_SECRET_ID must"):
        get_secret_from_vault("secret/data/myapp")
