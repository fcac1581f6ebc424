"""Initializing, and new root tokens from shares of the key."""

import base64
from typing import Any

import pytest

from pytest_resilience import PlanError
from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

ATTEMPT, UPDATE = "sys/generate-root/attempt", "sys/generate-root/update"


@pytest.fixture
def new(vault: Vault) -> Vault:
    """One that nobody has initialized."""
    vault.set_state({"initialized": False})
    return vault


def test_a_new_one_is_initialized_and_unsealed(new: Vault, ask: Ask) -> None:
    """Health is 501, then 503, then 200; nothing is mounted that every Vault has not."""
    statuses = [ask("GET", "sys/health", token=None).status_code]
    status = ask("GET", "sys/seal-status", token=None).json()
    leader = ask("GET", "sys/leader", token=None).status_code
    made = ask("PUT", "sys/init", {"secret_shares": 3, "secret_threshold": 2}, token=None).json()
    statuses.append(ask("GET", "sys/health", token=None).status_code)
    for key in made["keys_base64"][:2]:
        ask("PUT", "sys/unseal", {"key": key}, token=None)
    statuses.append(ask("GET", "sys/health", token=None).status_code)
    mounts = ask("GET", "sys/mounts", token=made["root_token"]).json()["data"]

    assert (statuses, leader) == ([501, 503, 200], 200)
    assert (status["initialized"], status["t"], status["n"]) == (False, 0, 0)
    assert [base64.b64decode(key).hex() for key in made["keys_base64"]] == made["keys"]
    assert made["root_token"] == new.root_token
    assert new.unseal_keys == made["keys"]
    assert sorted(mounts) == ["cubbyhole/", "identity/", "sys/"]
    assert new.state()["roles"] == {}
    assert ask("GET", "sys/health?uninitcode=299", token=None).status_code == 200


def test_one_share_is_the_key(new: Vault, ask: Ask) -> None:
    """32 bytes."""
    made = ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None).json()

    assert len(made["keys"][0]) == 64


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"secret_shares": 1}, "threshold must be at least one"),
        (
            {"secret_shares": 5, "secret_threshold": 1},
            "threshold must be greater than one for multiple shares",
        ),
        ({"secret_shares": 300, "secret_threshold": 3}, "shares must be less than 256"),
        (
            {"secret_shares": 2, "secret_threshold": 3},
            "threshold cannot be larger than shares",
        ),
        (
            {"secret_shares": 2, "secret_threshold": 2, "pgp_keys": ["a"]},
            "count mismatch between number of provided PGP keys and number of shares",
        ),
    ],
)
def test_what_is_no_seal(new: Vault, ask: Ask, body: dict[str, Any], why: str) -> None:
    """In Vault's words."""
    assert said(ask("PUT", "sys/init", body)) == (400, [f"invalid seal configuration: {why}"])


def test_what_cannot_be_initialized_with(new: Vault, ask: Ask) -> None:
    """Types, recovery keys, and PGP, which the fake lacks."""
    words = "failed to parse JSON input: json: cannot unmarshal string into Go struct field"
    bodies: list[dict[str, Any]] = [
        {"secret_shares": "a"},
        {"secret_shares": 2, "secret_threshold": 2, "recovery_shares": 1},
        {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["a"]},
    ]

    answers = [said(ask("PUT", "sys/init", body)) for body in bodies]
    assert answers == [
        (400, [f"{words} InitRequest.secret_shares of type int"]),
        (400, ["parameters recovery_shares not applicable to seal type shamir"]),
        (501, ["this fake of Vault does not encrypt with PGP"]),
    ]
    assert said(ask("PUT", "sys/unseal", {"key": "00" * 33})) == (
        400,
        ["Vault is not initialized"],
    )
    with pytest.raises(PlanError, match="initialized cannot become true"):
        new.set_state({"initialized": True})
    with pytest.raises(PlanError, match="allowed is true or false"):
        new.set_state({"initialized": 1})


def token_of(answer: dict[str, Any], otp: str) -> str:
    text = answer["encoded_root_token"]
    data = base64.b64decode(text + "=" * (-len(text) % 4))
    return bytes(one ^ two for one, two in zip(data, otp.encode(), strict=True)).decode()


def test_three_shares_make_a_root_token(vault: Vault, ask: Ask) -> None:
    """Encoded with the password, which is shown once."""
    before = ask("GET", ATTEMPT, token=None).json()
    begun = ask("PUT", ATTEMPT, {}, token=None).json()
    shown = ask("GET", ATTEMPT, token=None).json()
    steps = [
        ask("PUT", UPDATE, {"key": key, "nonce": begun["nonce"]}, token=None).json()
        for key in vault.unseal_keys[:3]
    ]
    token = token_of(steps[-1], begun["otp"])

    assert (before["started"], before["otp_length"], before["required"]) == (False, 28, 3)
    assert (begun["started"], len(begun["otp"]), shown["otp"]) == (True, 28, "")
    assert [(step["progress"], step["complete"]) for step in steps] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert ask("GET", "sys/mounts", token=token).status_code == 200
    assert ask("GET", ATTEMPT, token=None).json()["started"] is False


def test_what_ends_or_refuses_an_attempt(vault: Vault, ask: Ask) -> None:
    """In Vault's words."""
    key = vault.unseal_keys[0]
    early = said(ask("PUT", UPDATE, {"key": key}))
    short = said(ask("PUT", ATTEMPT, {"otp": "x"}))
    nonce = ask("PUT", ATTEMPT, {"otp": "A" * 28}).json()["nonce"]
    twice = said(ask("PUT", ATTEMPT, {}))
    no_key = said(ask("PUT", UPDATE, {}))
    wrong_nonce = said(ask("PUT", UPDATE, {"key": key, "nonce": "x"}))
    ask("PUT", UPDATE, {"key": key, "nonce": nonce})
    same = said(ask("PUT", UPDATE, {"key": key, "nonce": nonce}))
    for wrong in (vault.unseal_keys[1], "00" * 33):
        aborted = ask("PUT", UPDATE, {"key": wrong, "nonce": nonce})
    cancelled = ask("DELETE", ATTEMPT).status_code

    assert early == (400, ["no root generation in progress"])
    assert short == (400, ["OTP string is wrong length"])
    assert twice == (400, ["root generation already in progress"])
    assert no_key == (400, ["'key' must be specified in request body as JSON"])
    words = "incorrect nonce supplied; nonce for this root generation operation is"
    assert wrong_nonce == (400, [f'{words} "{nonce}"'])
    assert same == (400, ["given key has already been provided during this generation operation"])
    assert said(aborted)[1][0].startswith("root generation aborted: unable to authenticate")
    assert cancelled == 204
    vault.seal()
    assert said(ask("GET", ATTEMPT)) == (503, ["Vault is sealed"])
    vault.unseal()
    vault.step_down()
    assert ask("GET", ATTEMPT).status_code == 500
