"""Any value in any place: taken, or refused in one line that names the field."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest

from pytest_resilience import FakeServer, PlanError, faults
from pytest_resilience.faults import spec
from pytest_resilience.plan import Plan


class Evil:
    """A value that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Whole(int):
    """Nearly an int."""


class Word(str):
    """Nearly a str."""

    __slots__ = ()


JSON: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 503, 10**6, 2**63, 2**64, 10**400, -(10**400)),
    *(0.0, 0.5, 1.0, 1.5, -0.5, 1e308, 5e-324, math.inf, -math.inf, math.nan),
    *("", "x", "head", "body", "event", "all", "forever", "\n", "é", "☃", "\ud800", "x" * 5_000),
    *([], [1], [1, 2], ["x"], {}, {"a": "b"}, {"a": 1}, {"a b": "c"}, {"a": "b\nc"}),
    *({"uniform": [0, 1]}, {"uniform": "x"}, {"http_date": 1}, {"fault": "timeout"}),
]
VALUES: list[Any] = [
    *JSON,
    *(10**5_000, b"", b"x", bytearray(b"x"), memoryview(b"x"), (1, 2), set(), range(3), 1j),
    *(object(), Evil(), int, len, faults.uniform(0, 1), faults.lognormal(1, 1)),
    *(faults.http_date(1), faults.OK, faults.timeout, Whole(3), Word("x"), {1: 2}),
    *(decimal.Decimal(1), fractions.Fraction(1, 2), dt.timedelta(1)),
]
NEEDED = {
    "code": 503,
    "seconds": 1,
    "bytes_per_second": 1_000,
    "location": "/",
    "low": 0,
    "high": 1,
    "median": 1,
    "sigma": 1,
}
MAKERS: dict[str, Callable[..., object]] = {
    **spec.catalogue(),
    **{name: getattr(faults, name) for name in spec.VALUES},
}
PLACES = [
    (name, key) for name, make in MAKERS.items() for key in inspect.signature(make).parameters
]
RULE = ("times", "method", "path", "header", "body", "when", "probability", "seed", "after")
SERVER = (
    *("app", "host", "port", "blocking", "clock", "max_body", "max_head", "keep_body"),
    *("keep", "seed", "secrets", "tls"),
)


def complaint(make: Callable[[], object]) -> str:
    """What is said against it; nothing when it is taken. Any other exception is a failure."""
    try:
        make()
    except PlanError as refused:
        return str(refused)
    return ""


def holds(text: str, field: str) -> None:
    """A complaint is one line of bearable length, and names the field."""
    assert "\n" not in text
    assert len(text) < 600
    assert field in text or not text


@pytest.mark.parametrize(("name", "key"), PLACES)
def test_arguments_of_faults(name: str, key: str) -> None:
    """Whatever stands in a fault is taken, or refused where it is written."""
    parameters = inspect.signature(MAKERS[name]).parameters
    needed = {k: NEEDED[k] for k, p in parameters.items() if p.default is p.empty}

    for value in VALUES:
        arguments = {**needed, key: value}
        text = complaint(lambda: str(Plan().add(MAKERS[name](**arguments))))  # type: ignore[arg-type]  # noqa: B023 -- called at once
        holds(text, "fail(fault)" if name in spec.VALUES and "fail(" in text else key)


@pytest.mark.parametrize(
    ("name", "key"), [place for place in PLACES if place[0] not in spec.VALUES]
)
def test_arguments_of_faults_as_json(name: str, key: str) -> None:
    """The same as JSON."""
    parameters = inspect.signature(MAKERS[name]).parameters
    needed = {k: NEEDED[k] for k, p in parameters.items() if p.default is p.empty}

    for value in JSON:
        data = {"faults": [{"fault": name, **needed, key: value}]}
        holds(complaint(lambda: spec.rule_from(data)), "")  # noqa: B023 -- called at once


@pytest.mark.parametrize("field", RULE)
def test_arguments_of_fail(field: str) -> None:
    """Whatever stands in a rule is taken, or refused where it is written."""
    for value in VALUES:
        arguments = {field: value}
        text = complaint(lambda: str(FakeServer().fail(503, **arguments)))  # noqa: B023 -- called at once
        holds(text, field)


def test_windows() -> None:
    """A window is two numbers."""
    for value in VALUES:
        windows: list[Any] = [value, (value, 1), (0, value), [0, value]]
        for window in windows:
            text = complaint(lambda: str(FakeServer().fail(503, between=window)))  # noqa: B023 -- called at once
            holds(text, "between")


def test_faults_of_a_plan() -> None:
    """Whatever stands where a fault belongs is taken, or refused."""
    for value in VALUES:
        holds(complaint(lambda: str(FakeServer().fail(value))), "")  # noqa: B023 -- called at once
        holds(complaint(lambda: faults.together(503, value)), "")  # noqa: B023 -- called at once


@pytest.mark.parametrize("option", SERVER)
def test_options_of_servers(option: str) -> None:
    """Whatever a server is made with is taken, or refused where it is written."""
    for value in VALUES:
        arguments = {option: value}
        holds(complaint(lambda: FakeServer(**arguments)), option.rstrip("s"))  # noqa: B023 -- called at once


def test_secrets_of_servers() -> None:
    """Whatever is called a secret is taken, or refused, and what it is not shown."""
    server = FakeServer()
    for value in VALUES:
        holds(complaint(lambda: server.secret(value)), "secret")  # noqa: B023 -- called at once
        holds(complaint(lambda: server.secret("h1dden", value)), "label")  # noqa: B023 -- called at once
        holds(complaint(lambda: server.canary(value)), "label")  # noqa: B023 -- called at once
