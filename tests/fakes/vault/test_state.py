"""The state as JSON, which the control API reads and writes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import PlanError
from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock

SELF = "auth/token/lookup-self"


def test_the_state_is_json_and_can_be_set_as_it_is(vault: Vault, clock: SettableClock) -> None:
    """Nothing changes then, no version is added."""
    vault.mount("kv1", version=1)
    vault.put("kv1/a", {"n": 1})
    vault.put("secret/a/b", {"n": 2})
    token = vault.token
    state = vault.state()

    vault.set_state(json.loads(json.dumps(state)))

    assert state["mounts"] == {"kv1/": 1, "secret/": 2}
    assert state["secrets"] == {"kv1/a": {"n": 1}, "secret/a/b": {"n": 2}}
    assert (state["sealed"], state["standby"]) == (False, None)
    assert state["roles"]["app"]["role_id"] == vault.role_id
    assert state["roles"]["app"]["secret_ids"] == [vault.secret_id]
    assert sorted(state["policies"]) == ["app", "default"]
    assert state["tokens"][vault.root_token] == {"policies": ["root"], "ttl": None}
    assert state["tokens"][token]["policies"] == ["app", "default"]
    assert vault.get("secret/a/b", 2) is None
    again = vault.state()
    assert {key: again[key] for key in state if key != "tokens"} == {
        key: state[key] for key in state if key != "tokens"
    }


def test_secrets_mounts_policies_and_roles_are_set(vault: Vault, ask: Ask) -> None:
    """In one go, mounts first."""
    vault.set_state(
        {
            "secrets": {"kv9/a": {"n": 1}, "secret/b": {"n": 2}},
            "mounts": {"kv9": 1},
            "policies": {"p": 'path "kv9/*" { capabilities = ["read"] }'},
            "roles": {"web": {"token_policies": ["p"], "role_id": "r", "secret_ids": ["s"]}},
        }
    )

    ids = {"role_id": "r", "secret_id": "s"}
    auth = ask("POST", "auth/approle/login", ids, token=None).json()["auth"]
    read = ask("GET", "kv9/a", token=auth["client_token"]).json()["data"]
    assert read == {"n": 1}
    assert vault.get("secret/b") == {"n": 2}


def test_a_deleted_secret_is_not_shown(vault: Vault, ask: Ask) -> None:
    """Though it is still listed."""
    vault.put("secret/a", {"n": 1})
    ask("DELETE", "secret/data/a")

    assert vault.state()["secrets"] == {}


def test_null_forgets(vault: Vault, ask: Ask) -> None:
    """A secret, a policy, a role, a token."""
    vault.put("secret/a", {"n": 1})
    token = vault.token
    vault.set_state(
        {
            "secrets": {"secret/a": None, "secret/never": None},
            "policies": {"app": None},
            "roles": {"app": None},
            "tokens": {token: None, "hvs.unknown": None},
        }
    )

    state = vault.state()
    assert state["secrets"] == state["roles"] == {}
    assert sorted(state["policies"]) == ["default"]
    assert list(state["tokens"]) == [vault.root_token]


def test_tokens_expire_get_another_time_or_other_policies(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """Null for all of them spares root."""
    one, two = vault.token, vault.new_token()
    vault.set_state({"tokens": {one: {"ttl": 60}, two: {"ttl": None, "policies": ["root"]}}})
    clock.ahead = 61

    vault.set_state({"tokens": {two: {"policies": ["root"]}}})
    assert ask("GET", SELF, token=one).status_code == 403
    assert ask("GET", "sys/mounts", token=two).status_code == 200
    three = vault.token
    vault.set_state({"tokens": None})
    assert ask("GET", SELF, token=three).status_code == 403
    assert ask("GET", SELF).status_code == 200


def test_a_state_can_be_set_after_a_reset(
    vault: Vault, ask: Ask, login: Callable[[], requests.Response], clock: SettableClock
) -> None:
    """What was saved is taken up again, with tokens and role ids that the new Vault never made."""
    vault.put("secret/a", {"n": 1})
    vault.role(token_ttl=60)
    root, role_id, token, ended = vault.root_token, vault.role_id, vault.token, vault.new_token()
    vault.set_state({"tokens": {ended: {"ttl": 1}}})
    clock.ahead = 2
    state = vault.state()
    vault.start_over()

    vault.set_state(json.loads(json.dumps(state)))

    assert sorted(state["tokens"]) == sorted([root, token])
    assert ask("GET", "secret/data/a", token=token).json()["data"]["data"] == {"n": 1}
    assert ask("GET", SELF, token=token).json()["data"]["renewable"] is True
    assert ask("GET", SELF, token=root).json()["data"]["path"] == "auth/token/root"
    assert (vault.role_id, [vault.secret_id]) == (role_id, state["roles"]["app"]["secret_ids"])
    assert vault.state()["roles"] == state["roles"]
    assert login().status_code == 200
    clock.ahead = 61
    assert ask("GET", SELF, token=token).status_code == 403


def test_a_role_has_the_secret_ids_that_are_named(
    vault: Vault, login: Callable[[], requests.Response]
) -> None:
    """And no others; the Vault's own one is among them, as long as there is any."""
    first = vault.secret_id
    for named, own in ([first, "two"], first), (["two", "three"], "two"), ([], "two"):
        vault.set_state({"roles": {"app": {"secret_ids": named}}})

        assert vault.state()["roles"]["app"]["secret_ids"] == named
        assert vault.secret_id == own
        assert login().status_code == (200 if named else 400)

    vault.set_state({"roles": {"app": {"secret_ids": ["four"]}}})
    vault.set_state({"roles": {"app": {"token_ttl": 60}}})
    assert vault.state()["roles"]["app"]["secret_ids"] == ["four"]
    vault.set_state({"roles": {"app": None}})
    assert vault.secret_id == "four"


def test_the_node_is_sealed_and_steps_down(vault: Vault, ask: Ask) -> None:
    """And back."""

    def health() -> int:
        return ask("GET", "sys/health").status_code

    statuses = []
    for state in (
        {"sealed": True},
        {"sealed": False},
        {"sealed": False},
        {"standby": {"leader": "http://127.0.0.1:1"}},
        {"standby": None},
    ):
        vault.set_state(state)
        statuses.append(health())

    assert statuses == [503, 200, 200, 429, 200]
    vault.step_down("http://127.0.0.1:1", forwards=True, cut_off=True)
    assert vault.state()["standby"] == {
        "leader": "http://127.0.0.1:1",
        "forwards": True,
        "kind": "standby",
        "cut_off": True,
    }


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ([], r"state is \[\]; wanted is an object"),
        (
            {"secret": {}},
            "did you mean 'secrets'\\?; there are: initialized, mounts",
        ),
        ({"sealed": 1}, "sealed is 1; allowed is true or false"),
        ({"standby": True}, "standby is True; wanted is an object"),
        ({"standby": {"cut_off": 1}}, "standby's cut_off is 1; allowed is true or false"),
        ({"standby": {"kind": "x"}}, "standby's kind is 'x'; allowed is standby,"),
        ({"standby": {"leder": ""}}, "standby has no 'leder'; did you mean 'leader'"),
        ({"standby": {"leader": 1}}, "leader is 1; wanted is a URL"),
        ({"standby": {"forwards": 1}}, "leader is a URL, forwards true or false"),
        ({"mounts": {"kv": 3}}, r"mounts\['kv'\] is 3; allowed is 1 or 2"),
        ({"mounts": {"kv": True}}, r"mounts\['kv'\] is True; allowed is 1 or 2"),
        ({"mounts": {"secret": 1}}, "is 1, and it is there as another version"),
        ({"mounts": {"secret/a": 1}}, "'secret/' is mounted already"),
        ({"secrets": {"nope/a": {}}}, "no KV engine is there; there are: 'secret/'"),
        ({"secrets": {"secret/a": 1}}, r"secrets\['secret/a'\] is 1; wanted is an object"),
        ({"secrets": {5: {}}}, "secrets has the key 5; wanted are texts, as in JSON"),
        ({"secrets": {"secret/a": {None: 1}}}, "has the key None; wanted are texts"),
        ({"policies": {"p": 1}}, "wanted is HCL as a string"),
        ({"policies": {"p": "path {"}}, r"policies\['p'\]: failed to parse policy"),
        ({"roles": {"app": {"ttl": 1}}}, r"roles\['app'\] has no 'ttl'"),
        ({"roles": {"app": {"token_ttl": "x"}}}, "role 'app': .*invalid duration"),
        ({"roles": {"app": {"secret_ids": "ab"}}}, "wanted as secret_ids is a list of texts"),
        ({"roles": {"app": {"secret_ids": ["ab", 1]}}}, "wanted as secret_ids is a list of texts"),
        ({"roles": {"app": 1}}, r"roles\['app'\] is 1; wanted is an object"),
        ({"tokens": {"hvs.x": {"ttl": 1}}}, "tokens names one that is not there"),
        ({"tokens": {"": {"policies": []}}}, "token is ''; wanted is a token"),
        ({"tokens": []}, "tokens is .*; wanted is an object"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(vault: Vault, state: Any, why: str) -> None:
    """Refused before anything is done, whatever stands before it."""
    before = vault.state()
    whole = {"sealed": True, "secrets": {"secret/first": {}}, **state} if state else state

    with pytest.raises(PlanError, match=why):
        vault.set_state(whole)
    assert vault.state() == before


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"ttl": "1h"}, "a token's ttl is '1h'; wanted is seconds"),
        ({"ttl": True}, "a token's ttl is True"),
        ({"ttl": float("inf")}, "a token's ttl is inf; wanted is seconds, or null for no end"),
        ({"ttl": -1}, "a token's ttl is -1"),
        ({"policies": "p"}, "a token's policies are 'p'; wanted is a list of names"),
        ({"policy": []}, "a token has no 'policy'; did you mean 'policies'"),
    ],
)
def test_a_token_that_cannot_be_meant(vault: Vault, fields: dict[str, Any], why: str) -> None:
    """Refused likewise, and the token's id is not in the message."""
    token = vault.token

    with pytest.raises(PlanError, match=why) as caught:
        vault.set_state({"tokens": {token: fields}})
    assert token not in str(caught.value)
