"""How an OpenBao makes a new root token: with a token, at a path of its own (all seen)."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_resilience_vault import OpenBao, Vault
from tests.fakes.vault.asking import Ask, said

ATTEMPT, UPDATE = "sys/generate-root-token/attempt", "sys/generate-root-token/update"


@pytest.fixture
def vault() -> Iterator[Vault]:
    """An OpenBao, for the plain HTTP of the other tests."""
    with OpenBao() as fake:
        yield fake
        assert fake.errors == []


def test_three_shares_make_a_root_token(vault: Vault, ask: Ask) -> None:
    """Which comes out combined with the one-time password."""
    idle = ask("GET", ATTEMPT).json()["data"]
    begun = ask("POST", ATTEMPT, {}).json()["data"]
    nonce = begun["nonce"]
    given = [
        ask("POST", UPDATE, {"key": key, "nonce": nonce}).json()["data"]
        for key in vault.unseal_keys[:3]
    ]
    pair = {"encoded_token": given[-1]["encoded_token"], "otp": begun["otp"]}
    token = ask("POST", "sys/decode-token", pair, token=None).json()["data"]["token"]

    assert idle == {
        "complete": False,
        "otp": "",
        "otp_length": 26,
        "progress": 0,
        "required": 3,
        "started": False,
    }
    assert (begun["started"], len(begun["otp"]), begun["pgp_fingerprint"]) == (True, 26, "")
    assert [(one["progress"], one["complete"], one["started"]) for one in given] == [
        (1, False, True),
        (2, False, True),
        (3, True, True),
    ]
    own = ask("GET", "auth/token/lookup-self", token=token).json()["data"]
    assert own["policies"] == ["root"]
    assert ask("GET", ATTEMPT).json()["data"] == idle


def test_it_is_refused(vault: Vault, ask: Ask) -> None:
    """Without what it needs, twice at once, and with a wrong share."""
    nobody = said(ask("GET", ATTEMPT, token=None))
    missing = [said(ask("POST", UPDATE, body)) for body in ({}, {"nonce": "x"})]
    idle = said(ask("POST", UPDATE, {"nonce": "x", "key": vault.unseal_keys[0]}))
    short = said(ask("POST", ATTEMPT, {"otp": "x"}))
    nonce = ask("POST", ATTEMPT, {}).json()["data"]["nonce"]
    twice = said(ask("POST", ATTEMPT, {}))
    for digit in "12":
        ask("POST", UPDATE, {"nonce": nonce, "key": digit * 66}).raise_for_status()
    wrong = said(ask("POST", UPDATE, {"nonce": nonce, "key": "3" * 66}))

    assert nobody == (403, ["permission denied"])
    assert missing == [(400, ["nonce is required"]), (400, ["key is required"])]
    assert idle == (500, ["1 error occurred:\n\t* no root generation in progress\n\n"])
    assert short == (400, ["OTP string has incorrect length"])
    assert twice == (400, ["root generation already in progress for this namespace"])
    assert wrong[0] == 500
    assert "unable to retrieve stored keys: invalid key" in wrong[1][0]
    assert ask("DELETE", ATTEMPT).status_code == 204
    assert ask("GET", ATTEMPT).json()["data"]["started"] is False
    assert ask("GET", "sys/generate-root").status_code == 405


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "provided 'encoded_token' or 'otp' is empty"),
        (
            {"encoded_token": "YWI", "otp": "abc"},
            "error xoring token: length of byte slices is not equivalent: 2 != 3",
        ),
        (
            {"encoded_token": "a", "otp": "z"},
            "error decoding base64'd token: illegal base64 data at input byte 0",
        ),
        (
            {"encoded_token": "YQ==", "otp": "z"},
            "error decoding base64'd token: illegal base64 data at input byte 2",
        ),
    ],
)
def test_what_cannot_be_decoded(ask: Ask, body: dict[str, Any], words: str) -> None:
    """Anybody may try."""
    assert said(ask("POST", "sys/decode-token", body, token=None)) == (400, [words])


def test_a_vault_has_other_paths_for_it() -> None:
    """It needs no token there."""
    import requests

    with Vault() as vault:
        fields = {"X-Vault-Token": vault.root_token}
        answers = [
            requests.request(method, f"{vault.url}/v1/{path}", headers=fields, timeout=5)
            for method, path in (
                ("GET", ATTEMPT), ("POST", ATTEMPT), ("DELETE", ATTEMPT), ("POST", UPDATE),
            )
        ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [404] * 4
