"""Policies in one line, in TOML, and read off the objects of retry libraries."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import stamina
import tenacity
import urllib3

from pytest_resilience import (
    FOREVER,
    Backoff,
    Breaker,
    Jitter,
    LogContract,
    PolicyError,
    RetryPolicy,
)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        (
            "4 attempts, waits 1 2 4, retry 429 5xx timeouts resets, never 501, timeout 10",
            RetryPolicy(
                attempts=4,
                backoff=[1, 2, 4],
                statuses=[429, "5xx"],
                failures=["read-timeout", "reset"],
                never_statuses=[501],
                timeout=10,
            ),
        ),
        ("3 attempts, 0.5-1,", RetryPolicy(attempts=3, backoff=[0.5, 1])),
        ("waits 0..1 0..2", RetryPolicy(backoff=[(0, 1), (0, 2)])),
        (
            "no limit; deadline 60; backoff 1x2 up to 30; full jitter",
            RetryPolicy(
                attempts=FOREVER, deadline=60, backoff=Backoff(1, cap=30), jitter=Jitter("full")
            ),
        ),
        (
            "backoff 2 x 2 first 0, additive jitter 0.5, no Retry-After",
            RetryPolicy(
                backoff=Backoff(2, first=0), jitter=Jitter("additive", 0.5), retry_after=False
            ),
        ),
        ("backoff 1x2, no jitter", RetryPolicy(backoff=Backoff(1), jitter=Jitter())),
        ("Retry-After up to 60", RetryPolicy(retry_after=True, retry_after_cap=60)),
        ("Retry-After, never bad-json", RetryPolicy(retry_after=True, never_failures=["json"])),
        (
            "methods get put, raises requests.HTTPError or OSError, key Idempotency-Key",
            RetryPolicy(
                methods=["GET", "PUT"],
                raises=("requests.HTTPError", "OSError"),
                idempotency_key="Idempotency-Key",
            ),
        ),
        (
            "connect timeout 3, total timeout 30, budget 20, cache 300",
            RetryPolicy(connect_timeout=3, total_timeout=30, budget=20, cache=300),
        ),
        (
            "backoff 1x1 plus 2 first 0 up to 9, full jitter from 0.5",
            RetryPolicy(
                backoff=Backoff(1, factor=1, step=2, first=0, cap=9),
                jitter=Jitter("full", least=0.5),
            ),
        ),
        (
            "Retry-After, unreadable Retry-After raise, validation, no resending, never blocks",
            RetryPolicy(
                retry_after=True,
                unreadable_retry_after="raise",
                validates=True,
                resends=False,
                never_blocks=True,
            ),
        ),
        (
            "no validation, resending, may block, breaker 5 for 30 probes 2",
            RetryPolicy(
                validates=False, resends=True, never_blocks=False, breaker=Breaker(5, 30, 2)
            ),
        ),
        (
            "breaker 3 for 0.5, login /auth/*, logs shop.client",
            RetryPolicy(
                breaker=Breaker(3, 0.5),
                login="/auth/*",
                logs=LogContract(logger="shop.client", retry=""),
            ),
        ),
        (
            "methods GET, post and PURGE, raises shop.ShopError, OSError, waits 1, 2..3, or 4",
            RetryPolicy(
                methods=["GET", "POST", "PURGE"],
                raises=("shop.ShopError", "OSError"),
                backoff=[1, (2, 3), 4],
            ),
        ),
        (
            "retry 429, 503 and timeouts, resets, timeout 5, never 501, bad-json, validation",
            RetryPolicy(
                statuses=[429, 503],
                failures=["read-timeout", "reset"],
                timeout=5,
                never_statuses=[501],
                never_failures=["bad-json"],
                validates=True,
            ),
        ),
    ],
)
def test_a_policy_in_one_line(text: str, policy: RetryPolicy) -> None:
    """It reads as one would say it."""
    assert RetryPolicy.parse(text) == policy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4 tries", "'4 tries' cannot be read: wanted attempts, waits, backoff, jitter, retry"),
        ("timeout -1", "'timeout -1' cannot be read: wanted such as timeout 10"),
        ("connect timeout x", "'connect timeout x' cannot be read: wanted such as connect timeout"),
        ("jitter full", "'jitter full' cannot be read: wanted such as full jitter, or additive"),
        ("retry rst", "'retry rst' cannot be read: 'rst' is none of statuses such as 429 or 5xx"),
        ("retry", "'retry' cannot be read: wanted such as retry 429 5xx timeouts"),
        ("tiemout 10", "'tiemout 10' cannot be read (did you mean 'timeout'?): wanted attempts"),
        ("never 503, retry 503", "never_statuses=[503] is not allowed: wanted nothing that"),
        ("unreadable Retry-After raise", "unreadable_retry_after='raise' is not allowed: wanted"),
        ("breaker 0 for 30", "breaker.opens_after=0 is not allowed: wanted a whole number"),
        ("methods GET, timeout", "'timeout' cannot be read: wanted such as timeout 10"),
        ("raises OSError, validaxion", "'validaxion' cannot be read (did you mean 'validation'?)"),
        ("retry 503, timeout", "'timeout' cannot be read: wanted such as timeout 10"),
        ("4 attempts, POST", "'POST' cannot be read: wanted attempts, waits"),
        ("4 attempts, 3 attempts", "'3 attempts' says attempts a second time"),
        ("4 attempts, waits 1", "attempts=4 is not allowed: wanted 2"),
        ("no Retry-After up to 60", "retry_after_cap=60.0 is not allowed: wanted retry_after=True"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    """By the part that cannot be read, with what there is."""
    with pytest.raises(PolicyError) as refused:
        RetryPolicy.parse(text)

    assert str(refused.value).startswith(said)


TABLE = """
[{place}]
attempts = 5
backoff = {{ initial = 1, cap = 10 }}
jitter = {{ kind = "additive", amount = 0.5 }}
breaker = {{ opens_after = 5, stays_open = 30 }}
statuses = [429, "5xx"]
retry-after = true
[{place}.logs]
logger = "shop"
json = ["event"]
events = {{ "Retry attempt" = ["delay"] }}
"""
WRITTEN = RetryPolicy(
    attempts=5,
    backoff=Backoff(1, cap=10),
    jitter=Jitter("additive", 0.5),
    breaker=Breaker(5, 30),
    statuses=[429, "5xx"],
    retry_after=True,
    logs=LogContract(logger="shop", json=["event"], events={"Retry attempt": ["delay"]}),
)


@pytest.mark.parametrize("place", ["tool.pytest-resilience.policy", "policy"])
def test_a_policy_in_a_file(place: str, tmp_path: Path) -> None:
    """In pyproject.toml, and in a file of its own."""
    file = tmp_path / "pyproject.toml"
    file.write_text(TABLE.format(place=place))

    assert RetryPolicy.from_toml(file) == WRITTEN


def test_a_policy_of_a_project(tmp_path: Path) -> None:
    """A folder stands for the nearest pyproject.toml that has one."""
    (tmp_path / "pyproject.toml").write_text(TABLE.format(place="tool.pytest-resilience.policy"))
    within = tmp_path / "sub" / "tests"
    within.mkdir(parents=True)
    (tmp_path / "sub" / "pyproject.toml").write_text("[tool.other]")
    (within / "pyproject.toml").write_text("is no TOML")

    assert RetryPolicy.from_toml(within) == WRITTEN
    with pytest.raises(PolicyError, match=r"no pyproject.toml in / or above has a table \[tool.py"):
        RetryPolicy.from_toml("/")
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(PolicyError) as refused:
        RetryPolicy.from_toml(within)
    assert f"policy]; {within / 'pyproject.toml'} cannot be read: Exp" in str(refused.value)


def test_a_policy_from_a_mapping() -> None:
    """With the names of the arguments; a line is a policy as well."""
    waits = {"attempts": "forever", "backoff": [1, [2, 3]], "jitter": "none"}

    assert RetryPolicy.from_toml(waits) == RetryPolicy(
        attempts=FOREVER, backoff=[1, (2, 3)], jitter="none"
    )
    assert RetryPolicy.from_toml({"policy": "3 attempts"}) == RetryPolicy(attempts=3)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"atempts": 3}, "a policy has no 'atempts'; did you mean 'attempts'?"),
        ({"zzz": 3}, "a policy has no 'zzz'; it has attempts, backoff"),
        ({"policy": 3}, "policy=3 is not allowed: wanted a table, or a policy in one line"),
        ({"backoff": {"inital": 1}}, "backoff has no 'inital'; did you mean 'initial'?"),
        (
            {"breaker": {"opens_after": 1}},
            "breaker={'opens_after': 1} is not allowed: wanted stays_open in it",
        ),
        ({"backoff": {"waits": 3}}, "backoff={'waits': 3} is not allowed: 'int' object is not it"),
        ({"tool": {"ruff": {}}}, "the mapping has no table [tool.pytest-resilience.policy]"),
        ({"attempts": 0}, "attempts=0 is not allowed"),
        ({"logs": {"loger": "shop"}}, "logs has no 'loger'; did you mean 'logger'?"),
    ],
)
def test_a_table_that_means_nothing_is_refused(said: dict[str, Any], error: str) -> None:
    """With the nearest name, or all of them."""
    with pytest.raises(PolicyError) as refused:
        RetryPolicy.from_toml(said)

    assert str(refused.value).startswith(error)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Whether it is not there, or not TOML, or says what cannot be meant."""
    broken, wrong = tmp_path / "broken.toml", tmp_path / "wrong.toml"
    broken.write_text("[")
    wrong.write_text("[policy]\natempts = 3\n")
    vain = tmp_path / "vain.toml"
    vain.write_text("[policy]\nattempts = 0\n")

    for file in (tmp_path / "none.toml", broken):
        with pytest.raises(PolicyError, match=f"^{file} cannot be read: "):
            RetryPolicy.from_toml(file)
    with pytest.raises(PolicyError, match=f"^{wrong}: a policy has no 'atempts'"):
        RetryPolicy.from_toml(wrong)
    with pytest.raises(PolicyError, match=f"^{vain}: attempts=0 is not allowed"):
        RetryPolicy.from_toml(vain)


# urllib3


def test_urllib3_says_all_of_it() -> None:
    """Attempts, waits with a first of 0, statuses, methods, and Retry-After with its cap."""
    retry = urllib3.Retry(total=4, backoff_factor=1, backoff_jitter=0.5, status_forcelist=[503])

    assert RetryPolicy.from_urllib3(retry) == RetryPolicy(
        attempts=5,
        backoff=[0, (2, 2.5), (4, 4.5), (8, 8.5)],
        statuses=[503],
        failures=["connect", "refused", "read-timeout", "reset", "stale"],
        methods=["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"],
        retry_after=True,
        retry_after_cap=21_600,
    )


class RateLimited(urllib3.Retry):
    """Waits for as long as it is told to with a 429 only."""

    RETRY_AFTER_STATUS_CODES = frozenset({429})


@pytest.mark.parametrize(("status", "honoured"), [(429, True), (503, None)])
def test_a_class_of_urllib3s_may_know_fewer(status: int, honoured: Any) -> None:
    """What it does not do with all that it retries is no claim."""
    retry = RateLimited(total=4, status_forcelist=[status])

    assert RetryPolicy.from_urllib3(retry).retry_after is honoured


def test_urllib3_may_leave_things_alone() -> None:
    """No retries, any method, no reads, no Retry-After; and something claimed beside it."""
    never = urllib3.Retry(
        total=False, allowed_methods=None, read=0, respect_retry_after_header=False
    )

    assert RetryPolicy.from_urllib3(never, timeout=5) == RetryPolicy(
        attempts=1, statuses=[], failures=[], retry_after=False, timeout=5
    )
    no_reads = RetryPolicy.from_urllib3(urllib3.Retry(total=1, read=0))
    assert no_reads.failures == {"connect", "refused"}


@pytest.mark.parametrize(
    ("retry", "said"),
    [
        (3, "retry=3 cannot be read as a claim: wanted a urllib3.Retry"),
        (urllib3.Retry(total=None, read=2), "retry.total=None cannot be read as a claim"),
        (urllib3.Retry(total=5, read=2), "retry.read=2 cannot be read as a claim: wanted None"),
    ],
)
def test_urllib3_refuses_what_cannot_be_read(retry: object, said: str) -> None:
    """By the part."""
    with pytest.raises(PolicyError) as refused:
        RetryPolicy.from_urllib3(retry)

    assert str(refused.value).startswith(said)


# tenacity


@pytest.mark.parametrize(
    ("wait", "waits"),
    [
        (tenacity.wait_none(), [0, 0, 0]),
        (tenacity.wait_fixed(2), [2, 2, 2]),
        (tenacity.wait_exponential(multiplier=1, max=3), [1, 2, 3]),
        (tenacity.wait_exponential(multiplier=1, min=2), [2, 2, 4]),
        (tenacity.wait_random(1, 2), [(1, 2), (1, 2), (1, 2)]),
        (tenacity.wait_random_exponential(max=3), [(0, 1), (0, 2), (0, 3)]),
        (tenacity.wait_exponential_jitter(max=4), [(1, 2), (2, 3), (4, 4)]),
        (tenacity.wait_incrementing(1, 2, 4), [1, 3, 4]),
        (tenacity.wait_fixed(1) + tenacity.wait_random(0, 2), [(1, 3), (1, 3), (1, 3)]),
        (tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_fixed(5)), [1, 5, 5]),
    ],
)
def test_tenacitys_waits(wait: Any, waits: list[Any]) -> None:
    """Every kind but those that only a function knows."""
    retrying = tenacity.Retrying(wait=wait, stop=tenacity.stop_after_attempt(4))

    assert RetryPolicy.from_tenacity(retrying) == RetryPolicy(attempts=4, backoff=waits)


def test_tenacity_on_a_function() -> None:
    """The decorated function carries its retrying; one attempt has no waits."""

    @tenacity.retry(stop=tenacity.stop_after_attempt(1))
    def once() -> None: ...

    assert RetryPolicy.from_tenacity(once, timeout=3) == RetryPolicy(attempts=1, timeout=3)


def test_tenacitys_ends() -> None:
    """No end, a delay that comes first, and a deadline that holds."""
    fixed = tenacity.wait_fixed(10)
    after = tenacity.stop_after_attempt(4) | tenacity.stop_after_delay(60)
    before = tenacity.stop_after_attempt(9) | tenacity.stop_before_delay(25)

    endless = RetryPolicy.from_tenacity(tenacity.Retrying(wait=fixed))
    late = RetryPolicy.from_tenacity(tenacity.Retrying(wait=fixed, stop=after))
    early = RetryPolicy.from_tenacity(tenacity.Retrying(wait=fixed, stop=before))
    huge = tenacity.Retrying(wait=tenacity.wait_exponential(max=5, exp_base=1e300))

    assert (endless.attempts, endless.wait_range(9)) == (FOREVER, (10, 10))
    assert (late.attempts, late.deadline) == (4, None)
    assert (early.attempts, early.deadline) == (FOREVER, 25)
    assert RetryPolicy.from_tenacity(huge).wait_range(9) == (5, 5)


@pytest.mark.parametrize(
    ("retrying", "said"),
    [
        (print, "fn=None cannot be read as a claim: wanted a Retrying of tenacity"),
        (tenacity.Retrying(stop=lambda _: True), "stop=<function"),
        (
            tenacity.Retrying(wait=tenacity.wait_exception(lambda _: 1)),
            "wait='wait_exception' cannot be read as a claim: wanted one of wait_chain",
        ),
    ],
)
def test_tenacity_refuses_what_only_a_function_knows(retrying: object, said: str) -> None:
    """By the part."""
    with pytest.raises(PolicyError) as refused:
        RetryPolicy.from_tenacity(retrying)

    assert str(refused.value).startswith(said)


# stamina

STAMINA = RetryPolicy(attempts=4, backoff=[(0.1, 1.1), (0.2, 1.2), (0.4, 1.4)])


def test_staminas_forms() -> None:
    """A decorated function, a context, a caller, and one that is bound."""

    @stamina.retry(on=ValueError, attempts=4)
    def ask() -> None: ...

    caller = stamina.RetryingCaller(attempts=4, timeout=dt.timedelta(minutes=1))

    assert RetryPolicy.from_stamina(ask) == STAMINA
    assert RetryPolicy.from_stamina(stamina.retry_context(on=ValueError, attempts=4)) == STAMINA
    assert RetryPolicy.from_stamina(caller) == STAMINA
    assert RetryPolicy.from_stamina(caller.on(ValueError)) == STAMINA
    endless = stamina.RetryingCaller(attempts=None, timeout=None)
    assert RetryPolicy.from_stamina(endless).attempts == FOREVER


@pytest.mark.parametrize("source", [3, lambda: None])
def test_stamina_refuses_others(source: object) -> None:
    """By name."""
    with pytest.raises(PolicyError, match="cannot be read as a claim: wanted a function decor"):
        RetryPolicy.from_stamina(source)
