"""The fixtures, without an import for them, and with the types that an editor completes."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from fakes import FORECAST
from pytest_resilience import Fake, FakeServer, faults, route
from pytest_resilience_gemini import Gemini
from pytest_resilience_vault import Vault

from .client import call, call_until_it_works


def test_vault_answers(fake_vault: Vault) -> None:
    """A secret put into the fake is read back with the token in the environment."""
    fake_vault.put("secret/weather", {"key": "cirrus"})

    status, answer = call(
        f"{os.environ['VAULT_ADDR']}/v1/secret/data/weather",
        headers={"X-Vault-Token": os.environ["VAULT_TOKEN"]},
    )

    assert status == 200
    assert answer["data"]["data"] == {"key": "cirrus"}


def test_vault_recovers(fake_vault: Vault) -> None:
    """A client that asks again gets through an outage, and the trace tells how."""
    fake_vault.put("secret/weather", {"key": "cirrus"})
    fake_vault.fail(503, faults.reset_peer())

    answer = call_until_it_works(
        f"{fake_vault.url}/v1/secret/data/weather", headers={"X-Vault-Token": fake_vault.root_token}
    )

    assert answer["data"]["data"] == {"key": "cirrus"}
    assert fake_vault.trace.statuses == [503, None, 200]


def test_gemini_answers(fake_gemini: Gemini) -> None:
    """A scripted text comes back as a candidate."""
    fake_gemini.say("Snow, again.")

    status, answer = call(
        f"{os.environ['GOOGLE_GEMINI_BASE_URL']}/v1beta/models/gemini-2.5-flash:generateContent",
        "POST",
        {"contents": [{"parts": [{"text": "Oslo?"}]}]},
        {"x-goog-api-key": os.environ["GEMINI_API_KEY"]},
    )

    assert status == 200
    assert answer["candidates"][0]["content"]["parts"][0]["text"] == "Snow, again."


def forecasts(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """This project's own WSGI app."""
    city = environ["PATH_INFO"].strip("/")
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"forecast": FORECAST[city]}).encode()]


def test_an_app_of_ones_own(fake_server: Callable[..., FakeServer]) -> None:
    """Any WSGI app meets the same faults."""
    server = fake_server(forecasts)
    server.fail(faults.empty_reply(), 502)

    assert call_until_it_works(f"{server.url}/Oslo") == {"forecast": "snow"}
    assert server.trace.statuses == [None, 502, 200]


class Moon(Fake):
    """A service of one's own: the moon's phase, which a test may set."""

    def reset(self) -> None:
        """Full moon."""
        self.phase = "full"

    @route("GET", "/phase")
    def get_phase(self, request: object) -> dict[str, str]:
        """What the moon looks like."""
        return {"phase": self.phase}


def test_a_fake_of_ones_own() -> None:
    """A third party's fake takes a dozen lines."""
    with Moon() as moon:
        assert call(f"{moon.url}/phase") == (200, {"phase": "full"})


def test_a_client_that_gives_up_is_seen(fake_vault: Vault) -> None:
    """An outage longer than the client's patience is an error, after as many attempts as it has."""
    fake_vault.fail(503, 503)

    with pytest.raises(TimeoutError):
        call_until_it_works(f"{fake_vault.url}/v1/sys/health", tries=2)

    assert len(fake_vault.trace) == 2
