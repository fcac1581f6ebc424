"""The node: health, seal, leader, standby."""

import base64
from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

SEALED = (503, ["Vault is sealed"])
NO_LEADER = (500, ["local node not active but active cluster node not found"])


def test_health_is_a_bare_object(vault: Vault, ask: Ask) -> None:
    """Without a token, without an envelope."""
    answer = ask("GET", "sys/health", token=None)

    body = answer.json()
    assert answer.status_code == 200
    assert body.pop("cluster_name").startswith("vault-cluster-")
    assert len(body.pop("cluster_id")) == 36
    assert body.pop("server_time_utc") > 1_700_000_000
    assert body.pop("version").startswith("1.")
    assert body == {
        "initialized": True,
        "sealed": False,
        "standby": False,
        "performance_standby": False,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "enterprise": False,
        "echo_duration_ms": 0,
        "clock_skew_ms": 0,
        "replication_primary_canary_age_ms": 0,
        "removed_from_cluster": False,
    }


@pytest.mark.parametrize(
    ("state", "query", "status"),
    [
        ("active", "", 200),
        ("active", "?activecode=299", 299),
        ("active", "?standbyok=true&sealedcode=599", 200),
        ("standby", "", 429),
        ("standby", "?standbyok=true", 200),
        ("standby", "?standbyok=1&activecode=299", 299),
        ("standby", "?standbyok=false", 429),
        ("standby", "?standbyok", 429),
        ("standby", "?standbycode=250", 250),
        ("sealed", "", 503),
        ("sealed", "?standbyok=true", 503),
        ("sealed", "?sealedcode=299", 299),
        ("active", "?activecode=x", 400),
        ("active", "?activecode=0", 400),
        ("active", "?activecode=99", 400),
        ("active", "?activecode=100", 400),
        ("active", "?activecode=1000", 400),
        ("active", "?activecode=999", 999),
        ("active", "?sealedcode=99", 200),
        ("active", "?uninitcode=", 400),
        ("active", "?removedcode=x", 400),
        ("standby", "?haunhealthycode=299", 429),
        ("active", "?activecode=+201", 400),
        ("active", "?activecode=%2B201", 201),
        ("active", "?standbyok=x", 400),
    ],
)
def test_health_answers_with_the_status_that_was_asked_for(
    vault: Vault, ask: Ask, state: str, query: str, status: int
) -> None:
    """Load balancers choose what they can read; HEAD has the status alone."""
    if state == "standby":
        vault.step_down()
    if state == "sealed":
        vault.seal()

    answer, head = (ask(method, f"sys/health{query}", token=None) for method in ("GET", "HEAD"))

    assert (answer.status_code, head.status_code, head.content) == (status, status, b"")
    if status == 400:
        assert answer.json() == {"errors": []}
    else:
        assert "errors" not in answer.json()
        assert "Retry-After" not in answer.headers
        assert answer.json()["standby"] is (state != "active")


def test_a_sealed_vault_refuses_before_it_looks_at_the_token(vault: Vault, ask: Ask) -> None:
    """Everything but health, seal status and unseal."""
    vault.seal()

    for path in ("secret/data/a", "nope", "sys/mounts", "sys/leader", "sys/internal/ui/mounts"):
        assert said(ask("GET", path, token=None)) == SEALED
    assert said(ask("POST", "auth/approle/login", {}, token=None)) == SEALED
    assert said(ask("PUT", "sys/step-down")) == SEALED
    assert ask("GET", "sys/init", token=None).json() == {"initialized": True}
    health = ask("GET", "sys/health", token=None).json()
    assert health["sealed"] is True
    assert "cluster_name" not in health
    assert health["replication_dr_mode"] == "unknown"


def test_a_request_that_cannot_be_read_is_refused_for_that(vault: Vault, ask: Ask) -> None:
    """The body is read before anything else, sealed or not (seen)."""
    vault.seal()

    assert ask("POST", "secret/data/a", b"{").status_code == 400
    assert ask("FOO", "secret/data/a").status_code == 405


@pytest.mark.parametrize("path", ["sys/seal", "sys/step-down"])
def test_what_needs_no_body_reads_it(ask: Ask, path: str) -> None:
    """Before all else."""
    words = "failed to parse JSON input: unexpected EOF"

    assert said(ask("PUT", path, b"{", token=None)) == (400, [words])
    assert ask("GET", "sys/health").status_code == 200


def test_what_was_there_before_sealing_is_there_after_it(vault: Vault, ask: Ask) -> None:
    """Secrets and tokens."""
    vault.put("secret/a", {"n": 1})
    token = vault.token
    vault.seal()
    vault.unseal()

    assert ask("GET", "secret/data/a", token=token).json()["data"]["data"] == {"n": 1}


def test_sealing_needs_sudo(vault: Vault, ask: Ask) -> None:
    """Over HTTP; a sealed one may be sealed by anybody."""
    assert said(ask("PUT", "sys/seal", token=None)) == (403, ["permission denied"])
    assert said(ask("PUT", "sys/seal", token="hvs.x"))[0] == 403
    assert said(ask("PUT", "sys/seal", token=vault.token)) == (
        403,
        ["1 error occurred:\n\t* permission denied\n\n"],
    )
    assert ask("PUT", "sys/seal").status_code == 204
    assert ask("PUT", "sys/seal", token=None).status_code == 204
    assert said(ask("GET", "sys/seal")) == (405, [])


def test_three_of_five_shares_unseal(vault: Vault, ask: Ask) -> None:
    """In hex or base64; the same one twice counts once."""
    vault.seal()
    one, two, three, *_ = vault.unseal_keys

    def give(key: str) -> tuple[bool, int, bool]:
        body = ask("PUT", "sys/unseal", {"key": key}, token=None).json()
        return body["sealed"], body["progress"], bool(body["nonce"])

    steps = [give(one), give(one), give(base64.b64encode(bytes.fromhex(two)).decode())]
    last = ask("POST", "sys/unseal", {"Key": three}, token=None).json()

    assert steps == [(True, 1, True), (True, 1, True), (True, 2, True)]
    assert (last["sealed"], last["progress"], last["nonce"]) == (False, 0, "")
    assert ask("GET", "sys/mounts").status_code == 200


def test_the_seals_status(vault: Vault, ask: Ask) -> None:
    """A bare object; the cluster is known once it is open."""
    status = ask("GET", "sys/seal-status", token=None).json()
    vault.seal()
    sealed = ask("GET", "sys/seal-status", token=None).json()

    assert status.pop("cluster_name").startswith("vault-cluster-")
    assert len(status.pop("cluster_id")) == 36
    del status["version"], status["build_date"]
    assert status == {
        "type": "shamir",
        "initialized": True,
        "sealed": False,
        "t": 3,
        "n": 5,
        "progress": 0,
        "nonce": "",
        "migration": False,
        "recovery_seal": False,
        "storage_type": "raft",
        "removed_from_cluster": False,
    }
    assert sealed["sealed"] is True
    assert "cluster_name" not in sealed


WRONG = (
    400,
    [
        (
            "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: "
            "cipher: message authentication failed"
        )
    ],
)


def test_a_wrong_share_shows_with_the_last_one_and_all_begins_anew(vault: Vault, ask: Ask) -> None:
    """Shamir cannot tell earlier."""
    vault.seal()
    one, two, *_ = vault.unseal_keys
    for key in (one, "00" * 33):
        ask("PUT", "sys/unseal", {"key": key})

    assert said(ask("PUT", "sys/unseal", {"key": two})) == WRONG
    assert ask("GET", "sys/seal-status").json()["progress"] == 0


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            {},
            ["'key' must be specified in request body as JSON, or 'reset' set to true"],
        ),
        (
            {"key": 5},
            [
                (
                    "failed to parse JSON input: json: cannot unmarshal number into Go struct"
                    " field UnsealRequest.key of type string"
                )
            ],
        ),
        (
            {"reset": {}},
            [
                (
                    "failed to parse JSON input: json: cannot unmarshal object into Go struct"
                    " field UnsealRequest.reset of type bool"
                )
            ],
        ),
        ({"key": "abc"}, ["'key' must be a valid hex or base64 string"]),
        ({"key": "!!"}, ["'key' must be a valid hex or base64 string"]),
        ({"key": "ü"}, ["'key' must be a valid hex or base64 string"]),
        ({"key": "00" * 10}, ["invalid key: key is shorter than minimum 16 bytes"]),
        ({"key": "00" * 40}, ["invalid key: key is longer than maximum 33 bytes"]),
        (b"{", ["failed to parse JSON input: unexpected EOF"]),
        (
            [],
            [
                (
                    "failed to parse JSON input: json: cannot unmarshal array into Go value"
                    " of type http.UnsealRequest"
                )
            ],
        ),
    ],
)
def test_what_is_no_share(vault: Vault, ask: Ask, body: Any, errors: list[str]) -> None:
    """In Vault's words."""
    vault.seal()

    assert said(ask("PUT", "sys/unseal", body)) == (400, errors)


def test_shares_can_be_forgotten(vault: Vault, ask: Ask) -> None:
    """As long as it is sealed; a share for an open one changes nothing."""
    vault.seal()
    ask("PUT", "sys/unseal", {"key": vault.unseal_keys[0]})
    reset = ask("PUT", "sys/unseal", {"reset": True}).json()
    vault.unseal()

    assert (reset["progress"], reset["nonce"]) == (0, "")
    assert said(ask("PUT", "sys/unseal", {"reset": True})) == (400, ["vault is unsealed"])
    assert ask("PUT", "sys/unseal", {"key": vault.unseal_keys[0]}).json()["progress"] == 0


def test_it_is_initialized(ask: Ask) -> None:
    """Once and for all."""
    assert ask("GET", "sys/init", token=None).json() == {"initialized": True}
    assert said(ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})) == (
        400,
        ["Vault is already initialized"],
    )
    assert said(ask("PUT", "sys/init", {})) == (
        400,
        ["invalid seal configuration: shares must be at least one"],
    )


def test_the_leader_is_this_node(vault: Vault, ask: Ask) -> None:
    """The cluster speaks on the next port."""
    body = ask("GET", "sys/leader", token=None).json()

    assert body.pop("active_time").endswith("Z")
    assert body == {
        "ha_enabled": True,
        "is_self": True,
        "leader_address": vault.url,
        "leader_cluster_address": f"https://127.0.0.1:{vault.port + 1}",
        "performance_standby": False,
        "performance_standby_last_remote_wal": 0,
        "raft_committed_index": 30,
        "raft_applied_index": 30,
    }


def test_a_standby_that_knows_no_leader_is_500(vault: Vault, ask: Ask) -> None:
    """As during an election; health is 429, which is no rate limit."""
    vault.step_down()

    leader = ask("GET", "sys/leader", token=None).json()
    health = ask("GET", "sys/health", token=None)
    assert said(ask("GET", "secret/data/a")) == NO_LEADER
    assert (leader["is_self"], leader["leader_address"]) == (False, "")
    assert leader["active_time"] == "0001-01-01T00:00:00Z"
    assert (health.status_code, health.json()["standby"]) == (429, True)
    assert said(ask("PUT", "sys/seal")) == (
        500,
        ["vault cannot seal when in standby mode; please restart instead"],
    )
    vault.step_up()
    assert ask("GET", "sys/mounts").status_code == 200


def test_a_standby_sends_clients_to_the_leader(vault: Vault, ask: Ask) -> None:
    """307 with the path and the query, and no body; requests follows it, token and all."""
    with Vault() as leader:
        vault.step_down(leader.url)
        answer = ask("GET", "secret/data/a?version=1")
        followed = requests.get(
            f"{vault.url}/v1/sys/mounts", headers={"X-Vault-Token": leader.root_token}, timeout=5
        )

        assert answer.status_code == 307
        assert answer.headers["Location"] == f"{leader.url}/v1/secret/data/a?version=1"
        assert answer.content == b""
        assert followed.status_code == 200
        assert len(leader.trace) == 1
        assert ask("GET", "sys/leader").json()["leader_address"] == leader.url


def test_a_standby_may_be_cut_off(vault: Vault, ask: Ask, clock: SettableClock) -> None:
    """Health is 474, whatever is all right for a standby (http/sys_health.go of 1.19)."""
    vault.step_down("http://127.0.0.1:1", cut_off=True)
    clock.ahead = 3
    first = ask("GET", "sys/health", token=None)
    clock.ahead = 12
    queries = ("", "?standbyok=true&perfstandbyok=true", "?haunhealthycode=299&standbycode=298")
    codes = [ask("GET", f"sys/health{query}", token=None).status_code for query in queries]
    body = ask("GET", "sys/health", token=None).json()

    assert (first.status_code, first.json()["ha_connection_healthy"]) == (429, True)
    assert codes == [474, 474, 299]
    assert body["ha_connection_healthy"] is False
    assert 12_000 <= body["last_request_forwarding_heartbeat_ms"] < 14_000
    vault.step_up()
    assert "ha_connection_healthy" not in ask("GET", "sys/health", token=None).json()


def test_a_standby_hears_from_the_leader_every_five_seconds(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """As long as it is not cut off."""
    vault.step_down("http://127.0.0.1:1")
    clock.ahead = 62
    body = ask("GET", "sys/health", token=None).json()

    assert body["ha_connection_healthy"] is True
    assert 2_000 <= body["last_request_forwarding_heartbeat_ms"] < 5_000


def test_a_standby_may_forward(vault: Vault, ask: Ask) -> None:
    """Clients notice only in sys/health, or when they forbid it."""
    vault.step_down("http://127.0.0.1:1", forwards=True)
    no = {"X-Vault-No-Request-Forwarding": "true"}

    assert ask("GET", "sys/mounts").status_code == 200
    assert ask("GET", "sys/mounts", headers=no).status_code == 307
    assert ask("GET", "sys/health").status_code == 429


def test_a_node_that_was_told_to_step_down_is_back_after_ten_seconds(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """A cluster of one elects itself again, on the fake's clock."""
    refused = said(ask("PUT", "sys/step-down", token=None))
    told = ask("PUT", "sys/step-down").status_code
    during = said(ask("GET", "sys/mounts"))
    again = ask("PUT", "sys/step-down").status_code
    clock.ahead = 11

    assert (refused, told, again) == ((403, ["permission denied"]), 204, 204)
    assert during == NO_LEADER
    assert ask("GET", "sys/mounts").status_code == 200
