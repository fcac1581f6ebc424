"""A Vault of one's own for each test, and plain HTTP that speaks to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock


@pytest.fixture
def clock() -> SettableClock:
    """The fake's clock."""
    return SettableClock()


@pytest.fixture
def vault(clock: SettableClock) -> Iterator[Vault]:
    """A fake that runs."""
    with Vault(clock=clock) as fake:
        yield fake
        assert fake.errors == []


@pytest.fixture
def ask(vault: Vault) -> Iterator[Ask]:
    """Send a request to `/v1/<path>`; with the root token unless another is named, or None."""
    with requests.Session() as session:
        session.trust_env = False

        def send(
            method: str,
            path: str,
            body: Any = None,
            *,
            token: str | None = "",
            headers: dict[str, str] | None = None,
        ) -> requests.Response:
            fields = dict(headers or {})
            if token is not None:
                fields["X-Vault-Token"] = token or vault.root_token
            content = {"data": body} if isinstance(body, bytes) else {"json": body}
            url = f"{vault.url}{path}" if path.startswith("/") else f"{vault.url}/v1/{path}"
            return session.request(
                method, url, headers=fields, timeout=10, allow_redirects=False, **content
            )

        yield send


@pytest.fixture
def login(vault: Vault, ask: Ask) -> Callable[[], requests.Response]:
    """Log in as the role `app`."""

    def send() -> requests.Response:
        ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}
        return ask("POST", "auth/approle/login", ids, token=None)

    return send
