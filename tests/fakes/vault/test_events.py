"""What happens to a Vault at an attempt, and stays: the faults that only a Vault has."""

import pytest

from pytest_resilience import VirtualClock
from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

SECRET = "secret/data/a"


def test_it_is_sealed_in_mid_run(vault: Vault, ask: Ask) -> None:
    """From the second attempt on; a probe of health does not set it off."""
    vault.put("secret/a", {"n": 1})
    vault.fail("seal", after=1)
    statuses = [ask("GET", SECRET).status_code, ask("GET", "sys/health").status_code]
    refused = said(ask("GET", SECRET))
    statuses += [ask("GET", "sys/health").status_code, ask("GET", SECRET).status_code]
    vault.unseal()

    assert refused == (503, ["Vault is sealed"])
    assert statuses == [200, 200, 503, 503]
    assert ask("GET", SECRET).status_code == 200
    assert "seal" in vault.trace.table()


def test_the_leader_steps_down(vault: Vault, ask: Ask, clock: SettableClock) -> None:
    """And is elected again after ten seconds."""
    vault.fail("step_down")
    refused = said(ask("GET", SECRET))
    health = ask("GET", "sys/health").status_code
    clock.ahead = 11

    assert refused == (500, ["local node not active but active cluster node not found"])
    assert health == 429
    assert ask("GET", SECRET).status_code == 404


@pytest.mark.parametrize("bearer", [False, True])
def test_the_token_is_revoked(vault: Vault, ask: Ask, *, bearer: bool) -> None:
    """That of the attempt, and no other; a new login helps."""
    token = vault.token
    vault.fail("revoke_token", times=2)
    if bearer:
        fields = {"Authorization": f"Bearer {token}"}
        refused = ask("GET", SECRET, token=None, headers=fields)
    else:
        refused = ask("GET", SECRET, token=token)
    nobody = said(ask("GET", SECRET, token=None))

    assert refused.status_code == 403
    assert "invalid token" in said(refused)[1][0]
    assert nobody == (403, ["permission denied"])
    assert ask("GET", SECRET, token=token).status_code == 403
    assert ask("GET", SECRET, token=vault.token).status_code == 404


def test_permission_is_lost(vault: Vault, ask: Ask) -> None:
    """On the path of the attempt, until it is given back."""
    vault.put("secret/a", {"n": 1})
    vault.put("secret/b", {"n": 1})
    token = vault.token
    vault.fail("lose_permission")
    statuses = [ask("GET", path, token=token).status_code for path in (SECRET, SECRET)]
    other = ask("GET", "secret/data/b", token=token).status_code
    vault.allow(SECRET)

    assert (statuses, other) == ([403, 403], 200)
    assert ask("GET", SECRET, token=token).status_code == 200


def test_a_quota_is_used_up(vault: Vault, ask: Ask, clock: SettableClock) -> None:
    """For a minute, for everybody."""
    vault.fail("quota")
    answers = [said(ask("GET", path)) for path in (SECRET, "sys/mounts")]
    clock.ahead = 61

    assert answers == [
        (429, [f'request path "{path}": rate limit quota exceeded'])
        for path in (SECRET, "sys/mounts")
    ]
    assert ask("GET", "sys/mounts").status_code == 200


def test_storage_is_slow() -> None:
    """Five virtual seconds for what is stored; health is quick."""
    import requests

    with VirtualClock() as clock, Vault(clock=clock) as vault:
        vault.fail("slow_storage", times=2)
        health = requests.get(f"{vault.url}/v1/sys/health", timeout=1)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{vault.url}/v1/{SECRET}", timeout=3)
        late = requests.get(f"{vault.url}/v1/{SECRET}", timeout=30)

        assert health.status_code == 200
        assert late.status_code == 403
        assert repr(vault.named_faults["slow_storage"]) == "<event slow_storage>"
        assert repr(vault.named_faults["seal"]) == "<event seal>"


def test_a_performance_standby_answers_and_may_be_behind(
    vault: Vault, ask: Ask, clock: SettableClock
) -> None:
    """Health is 473; 412 for a state that is not here yet, unless it is to be forwarded."""
    vault.put("secret/a", {"n": 1})
    vault.performance_standby(behind=5)
    needs = {"X-Vault-Index": "djE6"}
    health = ask("GET", "sys/health").json()
    codes = [
        ask("GET", f"sys/health{query}").status_code
        for query in ("", "?perfstandbyok=true", "?performancestandbycode=299")
    ]
    missing = said(ask("GET", SECRET, headers=needs))
    forwarded = ask("GET", SECRET, headers={**needs, "X-Vault-Inconsistent": "forward-active-node"})
    clock.ahead = 6

    assert codes == [473, 200, 299]
    assert (health["performance_standby"], health["enterprise"]) == (True, True)
    assert missing == (412, ["required index state not present"])
    assert forwarded.status_code == ask("GET", SECRET).status_code == 200
    assert ask("GET", SECRET, headers=needs).status_code == 200
    assert ask("GET", "sys/leader").json()["performance_standby"] is True


def test_a_dr_secondary_refuses(vault: Vault, ask: Ask) -> None:
    """Health is 472, everything else 400 until it is promoted."""
    vault.dr_secondary()
    codes = [ask("GET", f"sys/health{query}").status_code for query in ("", "?drsecondarycode=299")]

    assert codes == [472, 299]
    assert said(ask("GET", SECRET)) == (400, ["path disabled in replication DR secondary mode"])
    assert ask("GET", "sys/health").json()["replication_dr_mode"] == "secondary"
    assert vault.state()["standby"]["kind"] == "dr_secondary"
    vault.step_up()
    assert ask("GET", SECRET).status_code == 404
