"""Redirects are answers: the client names where they lead, and does not go there."""

from collections.abc import Callable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from gds_vault import VaultClient, VaultError
from pytest_resilience import FakeServer, faults
from pytest_resilience_vault import Vault

LOGIN, READ = "/v1/auth/approle/login", "/v1/secret/data/myapp"


def nobody(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Be the application that is never asked."""
    raise AssertionError(environ["PATH_INFO"])


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(
    code: int, client: VaultClient, vault: Vault, fake_server: Callable[..., FakeServer]
) -> None:
    """Neither the secret_id nor the token reaches the server that a redirect names."""
    elsewhere = fake_server(nobody)
    for step in (LOGIN, READ):
        vault.fail(faults.redirect(f"{elsewhere.url}/v1/x?a=b", code), path=step)
        with pytest.raises(VaultError, match="redirects are not followed") as error:
            client.get_secret("secret/data/myapp")

        assert error.value.status_code == code
        assert f"redirected to {elsewhere.url}, and" in str(error.value)
    assert len(elsewhere.trace) == 0


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/ui/", "another path of the same server"),
        ("http://[", "an address that cannot be read"),
        ("https://user:hunter2@login.example.com/?x", "https://login.example.com"),
        ("//login.example.com/x", "//login.example.com"),
    ],
)
def test_a_redirect_is_described_without_its_details(
    location: str, words: str, client: VaultClient, vault: Vault
) -> None:
    """The error names the other server and nothing that could be a credential."""
    vault.fail(faults.redirect(location))

    with pytest.raises(VaultError, match=f"redirected to {words}, and"):
        client.authenticate()


@pytest.mark.parametrize("code", [300, 304])
def test_an_answer_that_leads_nowhere_is_no_redirect(
    code: int, client: VaultClient, vault: Vault
) -> None:
    """Without a Location it is a status like any other that is no success."""
    vault.fail(faults.status(code, body=b""))

    with pytest.raises(VaultError, match=rf": HTTP {code} from POST {LOGIN}$") as error:
        client.authenticate()

    assert error.value.status_code == code
    assert vault.trace.statuses == [code]


def test_a_standby_that_sends_to_its_leader_is_not_followed(
    client: VaultClient, vault: Vault
) -> None:
    """Vault's own redirect names another server as well, and gets no credentials from us there."""
    vault.step_down("https://leader.example.com:8200")

    with pytest.raises(VaultError, match=r"redirected to https://leader\.example\.com:8200, and"):
        client.get_secret("secret/data/myapp")
