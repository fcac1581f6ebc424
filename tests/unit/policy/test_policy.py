"""What a policy says, and what it refuses to say."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_resilience import FOREVER, Backoff, Breaker, PolicyError, RetryPolicy


def test_nothing_is_claimed_by_itself() -> None:
    """The default says nothing of anything."""
    policy = RetryPolicy()

    assert policy.limit is None
    assert policy.retries_status(503) is None
    assert policy.retries_failure("reset") is None
    assert policy.expected == ()


def test_statuses_are_numbers_and_classes() -> None:
    """A class stands for a hundred statuses, without those that are never retried."""
    policy = RetryPolicy(statuses=[429, "5xx"], never_statuses=[501])

    said = [policy.retries_status(status) for status in (429, 500, 599, 501, 404)]
    assert said == [True, True, True, False, False]


def test_never_alone_says_nothing_of_others() -> None:
    """Who says only what he leaves alone has not said what he retries."""
    policy = RetryPolicy(never_statuses=[404], never_failures=["bad-json"])

    assert [policy.retries_status(status) for status in (404, 503)] == [False, None]
    assert policy.retries_failure("bad-json") is False
    assert policy.retries_failure("reset") is None


def test_failures_have_more_than_one_name() -> None:
    """Spelling is forgiven."""
    policy = RetryPolicy(failures=["timeout", "Bad_JSON", "reset"])

    assert policy.failures == {"read-timeout", "bad-json", "reset"}


def test_a_list_of_waits_is_a_number_of_attempts() -> None:
    """Three waits lie between four attempts, unless there is no limit."""
    assert RetryPolicy(backoff=[1, 2, 4]).limit == 4
    assert RetryPolicy(backoff=[1, 2, 4], attempts=FOREVER).limit is None
    assert RetryPolicy(attempts=3).limit == 3


def test_exceptions_are_classes_or_names() -> None:
    """One, or several."""
    assert RetryPolicy(raises=OSError).expected == (OSError,)
    assert RetryPolicy(raises=["a.Error", OSError]).expected == ("a.Error", OSError)
    assert RetryPolicy(methods=["get", "PUT"]).methods == {"GET", "PUT"}


class Untold:
    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"attempts": 0}, "attempts=0 is not allowed: wanted a whole number, 1 or more, or FORE"),
        ({"attempts": 2.5}, "attempts=2.5 is not allowed"),
        ({"attempts": True}, "attempts=True is not allowed"),
        ({"backoff": 3}, "backoff=3 is not allowed: wanted a Backoff, or a list of waits"),
        ({"backoff": [1], "jitter": 3}, "jitter=3 is not allowed: wanted a Jitter, or one of no"),
        ({"jitter": "full"}, "jitter='full' is not allowed: wanted a backoff beside it"),
        ({"attempts": 4, "backoff": [1]}, "attempts=4 is not allowed: wanted 2, for backoff has"),
        ({"deadline": 0}, "deadline=0 is not allowed: wanted a number of seconds above 0"),
        ({"budget": -1}, "budget=-1 is not allowed: wanted a number of seconds, 0 or more"),
        ({"timeout": "x"}, "timeout='x' is not allowed"),
        ({"statuses": 503}, "statuses=503 is not allowed: wanted a list of statuses from 100"),
        ({"statuses": ["6xx"]}, "statuses='6xx' is not allowed: wanted statuses from 100 to 599"),
        ({"failures": "reset"}, "failures='reset' is not allowed: wanted a list of connect, ref"),
        ({"failures": ["rst"]}, "failures='rst' is not allowed: wanted connect, refused, read-t"),
        (
            {"statuses": [503], "never_statuses": [503]},
            "never_statuses=[503] is not allowed: wanted nothing that statuses says is retried",
        ),
        (
            {"failures": ["reset"], "never_failures": ["reset"]},
            "never_failures=['reset'] is not allowed",
        ),
        ({"retry_after": "yes"}, "retry_after='yes' is not allowed: wanted True, False, or None"),
        ({"retry_after_cap": 5}, "retry_after_cap=5 is not allowed: wanted retry_after=True besi"),
        (
            {"retry_after": True, "unreadable_retry_after": "wait"},
            "unreadable_retry_after='wait' is not allowed: wanted backoff or raise",
        ),
        (
            {"timeout": 30, "total_timeout": 10},
            "timeout=30 is not allowed: wanted at most total_timeout, which is 10",
        ),
        (
            {"timeout": 30, "deadline": 10},
            "timeout=30 is not allowed: wanted at most deadline, which is 10",
        ),
        ({"total_timeout": 30, "deadline": 10}, "total_timeout=30 is not allowed"),
        (
            {"deadline": 2, "backoff": [5, 5]},
            "deadline=2 is not allowed: wanted at least 5, for so long is the first wait of bac",
        ),
        ({"budget": 2, "backoff": [(3, 5)]}, "budget=2 is not allowed: wanted at least 3"),
        (
            {"attempts": 3, "statuses": [], "failures": []},
            "attempts=3 is not allowed: wanted 1, for statuses and failures say that nothing is",
        ),
        ({"methods": "GET"}, "methods='GET' is not allowed: wanted a list of methods such as"),
        ({"methods": ["G-T"]}, "methods='G-T' is not allowed"),
        ({"breaker": 3}, "breaker=3 is not allowed: wanted a Breaker"),
        ({"logs": 3}, "logs=3 is not allowed: wanted a LogContract"),
        ({"login": "login"}, "login='login' is not allowed: wanted a path, or a glob such as"),
        ({"idempotency_key": "a b"}, "idempotency_key='a b' is not allowed: wanted the name of"),
        ({"raises": "no such"}, "raises='no such' is not allowed: wanted an exception, or its"),
        ({"raises": ""}, "raises='' is not allowed: wanted an exception, or its dotted name"),
        ({"raises": [None]}, "raises=None is not allowed: wanted an exception, or its dotted"),
        ({"timeout": 10**400}, f"timeout=1{'0' * 196}... is not allowed: wanted a number of sec"),
        (
            {"jitter": Untold()},
            "jitter=<Untold without a repr: ValueError> is not allowed: wanted a",
        ),
        ({"raises": []}, "raises=[] is not allowed: wanted at least one exception, or None"),
        ({"raises": 3}, "raises=3 is not allowed: wanted an exception, or its dotted name"),
    ],
)
def test_a_contradiction_is_refused(claims: dict[str, Any], said: str) -> None:
    """Where it is written, by field, value, and what is allowed."""
    with pytest.raises(PolicyError) as refused:
        RetryPolicy(**claims)

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("bad", [{"opens_after": 0}, {"probes": True}, {"stays_open": 0}])
def test_a_breaker_is_checked(bad: dict[str, Any]) -> None:
    """Like everything else."""
    with pytest.raises(PolicyError, match=f"^breaker.{next(iter(bad))}="):
        Breaker(**{"opens_after": 3, "stays_open": 30, **bad})


def test_a_policy_is_a_value() -> None:
    """Two that say the same are equal."""
    assert RetryPolicy(backoff=[1, 2]) == RetryPolicy(backoff=Backoff.of(1, 2), attempts=3)
