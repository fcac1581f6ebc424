"""Rules as JSON data: what `fail` may be told, in any language."""

from __future__ import annotations

import pytest

from pytest_resilience import FOREVER, OK, PlanError, faults
from pytest_resilience.faults.spec import fault_from, rule_from
from pytest_resilience.plan import Plan, Rule


def planned(data: object) -> Rule:
    """The rule that this data means."""
    given, keywords = rule_from(data)
    return Plan().add(*given, **keywords)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (503, faults.status(503)),
        ("ok", OK),
        ("timeout", faults.timeout()),
        ({"fault": "latency", "seconds": 2}, faults.latency(2)),
        (
            {"fault": "latency", "seconds": {"uniform": [1, 2]}},
            faults.latency(faults.uniform(1, 2)),
        ),
        (
            {"fault": "latency", "seconds": {"lognormal": [0.1, 1]}},
            faults.latency(faults.lognormal(0.1, 1)),
        ),
        (
            {"fault": "status", "code": 429, "retry_after": {"http_date": 5}},
            faults.status(429, retry_after=faults.http_date(5)),
        ),
        (
            {"fault": "status", "code": 400, "body": {"uniform": [1, 2]}},
            faults.status(400, body={"uniform": [1, 2]}),
        ),
        (
            {"fault": "status", "code": 400, "body_base64": "AP8="},
            faults.status(400, body=b"\x00\xff"),
        ),
        (
            [{"fault": "latency", "seconds": 2}, 503],
            faults.together(faults.latency(2), faults.status(503)),
        ),
    ],
)
def test_each_form_of_a_fault_means_one_value(data: object, fault: object) -> None:
    """JSON means the value that Python would have written."""
    assert fault_from(data) == fault


def test_a_rule_says_everything_that_fail_is_told() -> None:
    """Each field of a rule becomes the argument of `fail` with its name."""
    given, keywords = rule_from(
        {
            "faults": [503, "timeout"],
            "times": "forever",
            "method": "POST",
            "path": "/v1/*",
            "header": {"Accept": "*json*"},
            "body_base64": "aGk=",
            "probability": 0.5,
            "seed": 42,
            "between": [10, "forever"],
            "after": 2,
        }
    )

    assert given == (faults.status(503), faults.timeout())
    assert keywords == {
        "times": FOREVER,
        "method": "POST",
        "path": "/v1/*",
        "header": {"Accept": "*json*"},
        "body": b"hi",
        "probability": 0.5,
        "seed": 42,
        "between": [10, float("inf")],
        "after": 2,
    }


def test_a_rule_may_have_one_fault_without_a_list_and_null_is_not_said() -> None:
    """``null`` is as good as a missing field, and one fault needs no list."""
    assert rule_from({"faults": 503, "times": None, "body": None}) == ((faults.status(503),), {})


def test_presets_of_a_service_go_by_name() -> None:
    """A name of the service's own means its preset."""
    preset = faults.status(529)

    assert rule_from({"faults": ["overloaded"]}, {"overloaded": preset}) == ((preset,), {})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (503, 'rule=503 is not allowed: wanted {"faults": [503], "times": 3}'),
        ({"faults": []}, "faults=[] is not allowed: wanted at least one fault"),
        ({}, "faults=None is not allowed: wanted at least one fault"),
        ({"fault": 503}, "a rule has no field 'fault'; its faults are a list"),
        ({"faults": [503], "when": "x"}, "a rule has no field 'when': a predicate is Python"),
        ({"faults": [503], "count": 3}, "a rule has no field 'count'; it has faults, times"),
        ({"faults": [True]}, "fault=True is not allowed: wanted a status, a name or an object"),
        ({"faults": [1.5]}, "fault=1.5 is not allowed"),
        ({"faults": [{"code": 503}]}, 'is not allowed: wanted {"fault": NAME, ARGUMENT: VALUE}'),
        (
            {"faults": ["tiemout"]},
            "no fault is named 'tiemout'; did you mean 'timeout'?; there are: ok, bandwidth",
        ),
        ({"faults": [{"fault": "Stall"}]}, "no fault is named 'Stall'; did you mean 'stall'?"),
        ({"faults": ["503"]}, "no fault is named '503'; a status is a number, without quotes"),
        ({"faults": ["together"]}, "in JSON a list in the list; there are: ok"),
        ({"faults": ["x" * 1_000_000]}, f"no fault is named '{'x' * 196}...; there are: ok"),
        ({"faults": [{"fault": "ok", "seconds": 1}]}, "ok: takes no arguments, got seconds"),
        ({"faults": [99]}, "status(code)=99 is not allowed: wanted a whole number, 200 to 999"),
        ({"faults": ["latency"]}, "latency: 'seconds' is missing; it takes seconds"),
        ({"faults": [{"fault": "latency"}]}, "latency: 'seconds' is missing; it takes seconds"),
        ({"faults": ["status"]}, "status: 'code' is missing; it takes code, retry_after, body"),
        (
            {"faults": [{"fault": "latency", "ms": 2}]},
            "latency: no argument is named 'ms'; it takes seconds",
        ),
        (
            {"faults": [{"fault": "latency", "second": 2}]},
            "latency: no argument is named 'second'; did you mean 'seconds'?; it takes seconds",
        ),
        (
            {"faults": [{"fault": "status", "code": 400, "body": "", "body_base64": ""}]},
            "body_base64='' is not allowed: wanted body or body_base64, not both",
        ),
        ({"faults": [503], "tmes": 3}, "no field 'tmes'; did you mean 'times'?; it has faults"),
        ({"faults": [503], "times": True}, "=True is not allowed: wanted a whole number, 1 or mo"),
        ({"faults": [503], "times": 10**16}, 'or "forever"; 1000000000000000 at most'),
        (
            {"faults": [{"fault": "latency", "seconds": {"uniform": [1]}}]},
            "uniform=[1] is not allowed: wanted [low, high]",
        ),
        (
            {"faults": [{"fault": "status", "code": 429, "retry_after": {"http_date": []}}]},
            "http_date=[] is not allowed: wanted [seconds]",
        ),
        (
            {"faults": [{"fault": "latency", "seconds": {"normal": [1]}}]},
            "latency(seconds)={'normal': [1]} is not allowed",
        ),
        ({"faults": [503], "times": "often"}, "times='often' is not allowed"),
        ({"faults": [503], "times": 2.0}, 'wanted a whole number, 1 or more, or "forever"'),
        ({"faults": [503], "times": 0}, "times=0 is not allowed"),
        ({"faults": [503], "method": "GE T"}, "method='GE T' is not allowed"),
        ({"faults": [503], "path": "v1"}, "path='v1' is not allowed"),
        ({"faults": [503], "header": ["Accept"]}, "header=['Accept'] is not allowed"),
        ({"faults": [503], "body": 1}, "body=1 is not allowed"),
        ({"faults": [503], "body_base64": "?"}, "body_base64='?' is not allowed"),
        ({"faults": [503], "body_base64": 1}, "body_base64=1 is not allowed"),
        ({"faults": [503], "body": "a", "body_base64": "YQ=="}, "wanted body or body_base64"),
        ({"faults": [503], "probability": 2}, "probability=2 is not allowed"),
        ({"faults": [503], "seed": "x", "probability": 1}, "seed='x' is not allowed"),
        ({"faults": [503], "between": [2, 1]}, "between=[2, 1] is not allowed"),
        ({"faults": [503], "between": "10-60"}, "between='10-60' is not allowed"),
        ({"faults": [503], "after": -1}, "after=-1 is not allowed"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_what_is_allowed(
    data: object, said: str
) -> None:
    """A refusal names the field, the value and what is allowed."""
    with pytest.raises(PlanError) as refused:
        planned(data)

    assert said in str(refused.value)
