"""The two fakes beside the engine alone, through one kept connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests
from rounds import Figure, Goal, compare

from pytest_resilience import FakeServer
from pytest_resilience_gemini import Gemini
from pytest_resilience_vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUESTS = 300
AGAINST = "the engine, answering the same bytes"
PROMPT = {"contents": [{"role": "user", "parts": [{"text": "Write a tweet about pelicans."}]}]}


class Client:
    """One session, and a request that it repeats."""

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: object) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(headers)
        self._asked = (method, url)
        self._body = body

    def ask(self) -> requests.Response:
        """Send it, and read the answer."""
        return self.session.request(*self._asked, json=self._body)

    def rate(self, count: int) -> Callable[[], float]:
        """What measures requests a second."""

        def measured() -> float:
            self.ask()
            started = time.perf_counter()
            for _ in range(count):
                self.ask()
            return count / (time.perf_counter() - started)

        return measured


def beside(name: str, client: Client, count: int, rounds: int) -> Figure:
    """A fake's figure: the engine alone answers the same request with the same bytes."""
    answer = client.ask()
    assert answer.status_code == 200, answer.text
    fields = [(key, value) for key, value in answer.headers.items() if key != "Date"]

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", fields)
        return [answer.content]

    with FakeServer(app, blocking=False) as bare:
        method, url = client._asked
        path = url.split("/", 3)[3]
        peer = Client(method, f"{bare.url}/{path}", dict(client.session.headers), client._body)  # type: ignore[arg-type]  # str here
        with client.session, peer.session:
            return compare(
                name,
                client.rate(count),
                peer.rate(count),
                unit="req/s",
                against=AGAINST,
                goal=Goal(least=0.6),
                rounds=rounds,
            )


def measure(*, quick: bool) -> list[Figure]:
    """Vault reads a secret of KV version 2, Gemini writes a text."""
    count, rounds = (REQUESTS // 3, 5) if quick else (REQUESTS, 9)
    with Vault() as vault, Gemini() as gemini:
        vault.put("secret/myapp", {"username": "app", "password": "s3cr3t"})
        token = {"X-Vault-Token": vault.token}
        key = {"x-goog-api-key": gemini.environment["GEMINI_API_KEY"]}
        model = f"{gemini.url}/v1beta/models/gemini-2.5-flash:generateContent"
        secret = f"{vault.url}/v1/secret/data/myapp"
        return [
            beside("Vault: read a secret", Client("GET", secret, token, None), count, rounds),
            beside("Gemini: generateContent", Client("POST", model, key, PROMPT), count, rounds),
        ]
