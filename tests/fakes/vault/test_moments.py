"""What lasts for a time ends at that moment, whenever it began and whatever floats make of it."""

from collections.abc import Callable

import pytest

from pytest_resilience import RealClock
from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask

STARTS = [1_795_406_015_000_000_000 + n * 1_000_003 for n in range(20)]


class StillClock(RealClock):
    """The system's clock, with a wall clock that only a test moves."""

    at_ns = STARTS[0]

    def time(self) -> float:
        return self.at_ns / 1e9

    def time_ns(self) -> int:
        return self.at_ns


@pytest.fixture
def clock() -> StillClock:
    """The fake's clock."""
    return StillClock()


def token_lives(vault: Vault, ask: Ask) -> Callable[[], bool]:
    body = {"policies": ["default"], "ttl": "700ms"}
    token = ask("POST", "auth/token/create", body).json()["auth"]["client_token"]
    return lambda: ask("GET", "auth/token/lookup-self", token=token).status_code == 200


def token_has_a_lease(vault: Vault, ask: Ask) -> Callable[[], bool]:
    token_lives(vault, ask)
    return lambda: (
        "keys" in ask("LIST", "sys/leases/lookup/auth/token/create/").json().get("data", {})
    )


def node_is_a_standby(vault: Vault, ask: Ask) -> Callable[[], bool]:
    vault.step_down(seconds=0.7)
    return lambda: ask("GET", "sys/health").status_code == 429


def quota_is_used_up(vault: Vault, ask: Ask) -> Callable[[], bool]:
    vault.use_up_quota(0.7)
    return lambda: ask("GET", "sys/mounts").status_code == 429


@pytest.mark.parametrize(
    "begin", [token_lives, token_has_a_lease, node_is_a_standby, quota_is_used_up]
)
def test_it_ends_at_its_moment(
    begin: Callable[[Vault, Ask], Callable[[], bool]], vault: Vault, ask: Ask, clock: StillClock
) -> None:
    """It is there a microsecond before."""
    seen = []
    for start in STARTS:
        clock.at_ns = start
        goes_on = begin(vault, ask)
        clock.at_ns = start + 699_999_000
        before = goes_on()
        clock.at_ns = start + 700_000_000
        seen.append((before, goes_on()))

    assert seen == [(True, False)] * len(STARTS)
