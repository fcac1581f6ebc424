"""Faults as values: what they are called, what they refuse, how they go together."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pytest_resilience import OK, Attempt, PlanError, faults
from pytest_resilience.answers import Answer, chunk, head_bytes, http_date_text
from pytest_resilience.faults._check import LONGEST
from pytest_resilience.faults._script import Send, deliver
from pytest_resilience.faults.answer import retry_after_text

HUGE = 10**400
NO_REPR = 10**5000


class At:
    """A clock that stands still."""

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch

    def time_ns(self) -> int:
        return round(self._epoch * 1e9)


# --- labels ------------------------------------------------------------------------

LABELS: list[tuple[Any, str]] = [
    (faults.status(503), "status 503"),
    (faults.redirect("/"), "redirect 307"),
    (faults.html_page(), "html_page 502"),
    (faults.malformed_json(), "malformed_json"),
    (faults.huge_headers(), "huge_headers"),
    (faults.latency(2), "latency 2 s"),
    (faults.latency(faults.uniform(1, 2.5)), "latency uniform 1-2.5 s"),
    (faults.latency(faults.lognormal(1, 0.5)), "latency lognormal 1 s"),
    (faults.timeout(), "timeout"),
    (faults.half_head(), "half_head"),
    (faults.stall(), "stall"),
    (faults.bandwidth(10), "bandwidth 10 B/s"),
    (faults.limit_data(), "limit_data"),
    (faults.cut_chunk(), "cut_chunk"),
    (faults.wrong_length(by=3), "wrong_length +3"),
    (faults.wrong_length(), "wrong_length -1"),
    (faults.empty_reply(), "empty_reply"),
    (faults.reset_peer(), "reset_peer"),
    (faults.reset_peer("body"), "reset_peer in the body"),
    (faults.reset_idle(), "reset_idle"),
    (faults.stale_connection(), "stale_connection"),
    (faults.garbage(), "garbage"),
    (faults.down(2.5), "down 2.5 s"),
    (faults.never_read(), "never_read"),
    (OK, "ok"),
]


@pytest.mark.parametrize(("fault", "label"), LABELS, ids=[label for _, label in LABELS])
def test_label(fault: Any, label: str) -> None:
    """A fault has a name of a few words, and equals another one made the same way."""
    assert fault.label == label
    assert fault == fault  # noqa: PLR0124 -- values
    assert hash(fault) == hash(fault)


# --- values that cannot be meant -----------------------------------------------------

F: Any = faults
SECONDS = [-1, -0.001, math.nan, math.inf, True, "1", None, [], HUGE, LONGEST * 2]
PLACES = [-1, -0.1, 1.1, math.nan, math.inf, True, "0.5", None]
HEADER_TEXT = ["a\r\nB: c", "a\nb", "a\rb", "a\x00", "\x7f", "\u20ac"]
FLAGS = ["false", 0, 1, None, []]


def each(make: Callable[[Any], object], field: str, values: list[Any]) -> list[Any]:
    return [(make, field, value) for value in values]


REFUSED = [
    *each(F.status, "status(code)", [199, 1000, -1, 100, 200.0, True, "503", None]),
    *each(lambda v: F.status(503, retry_after=v), "retry_after", [math.nan, math.inf, True, []]),
    *each(lambda v: F.status(503, retry_after=v), "retry_after", [*HEADER_TEXT, b"5", HUGE]),
    *each(lambda v: F.status(503, headers=v), "headers", ["A: b", ["A"], 5, None]),
    *each(
        lambda v: F.status(503, headers={v: "x"}), "headers: a name", ["", "A b", "A:", "\u00e9"]
    ),
    *each(lambda v: F.status(503, headers={v: "x"}), "headers: a name", ["A\r\n", 5, None, b"A"]),
    *each(lambda v: F.status(503, headers={"A": v}), "headers['A']", [*HEADER_TEXT, 5, None]),
    *each(
        lambda v: F.status(503, headers={"Content-length": v}), "headers['Content-length']", ["5"]
    ),
    *each(lambda v: F.status(204, body=v), "body", ["x", b"x", {}]),
    *each(lambda v: F.status(503, body=v), "body", [object, {1, 2}, math.nan, {"a": math.inf}]),
    *each(lambda v: F.status(503, body=v), "body", ["\ud800"]),
    *each(F.http_date, "http_date(seconds)", [math.nan, math.inf, True, "1", None]),
    *each(F.http_date, "http_date(seconds)", [1e12, -1e12, HUGE]),
    *each(F.redirect, "redirect(location)", [*HEADER_TEXT, 5, None, b"/"]),
    *each(lambda v: F.redirect("/", code=v), "redirect(code)", [200, 304, 306, "302", None, True]),
    *each(lambda v: F.redirect("/", code=v), "redirect(code)", [302.0]),
    *each(F.html_page, "html_page(status)", [199, 1000, True, "502", None, 502.0, 204]),
    *each(F.latency, "latency(seconds)", SECONDS),
    *each(lambda v: F.uniform(v, 1), "uniform(low)", SECONDS),
    *each(lambda v: F.uniform(0, v), "uniform(high)", SECONDS),
    *each(lambda v: F.uniform(2, v), "uniform(high)", [1, 1.999]),
    *each(lambda v: F.lognormal(v, 1), "lognormal(median)", SECONDS),
    *each(lambda v: F.lognormal(1, v), "lognormal(sigma)", [-1, 5.1, math.nan, True, "1", HUGE]),
    *each(lambda v: F.timeout(close_after=v), "timeout(close_after)", [*SECONDS[:5], "1"]),
    *each(lambda v: F.stall(at=v), "stall(at)", PLACES),
    *each(lambda v: F.stall(resume_after=v), "stall(resume_after)", SECONDS[:6]),
    *each(F.bandwidth, "bandwidth(bytes_per_second)", [0, -1, 0.0, *SECONDS[2:9]]),
    *each(lambda v: F.limit_data(at=v), "limit_data(at)", PLACES),
    *each(lambda v: F.cut_chunk(at=v), "cut_chunk(at)", PLACES),
    *each(lambda v: F.wrong_length(by=v), "wrong_length(by)", [0, 1.5, True, "1", None, 2**61]),
    *each(F.reset_peer, "reset_peer(when)", ["tail", "", None, 5, True]),
    *each(lambda v: F.reset_peer("body", at=v), "reset_peer(at)", PLACES),
    *each(lambda v: F.reset_peer(processed=v), "reset_peer(processed)", FLAGS),
    *each(lambda v: F.empty_reply(processed=v), "empty_reply(processed)", FLAGS),
    *each(lambda v: F.timeout(processed=v), "timeout(processed)", FLAGS),
    *each(lambda v: F.cut_stream(reset=v), "cut_stream(reset)", FLAGS),
    *each(F.slicer, "slicer(writes)", [0, -1, 1.5, True, "1", None, ["all"], 10**1_000]),
    *each(lambda v: F.reset_idle(after=v), "reset_idle(after)", SECONDS),
    *each(F.garbage, "garbage(size)", [0, -1, 1.5, True, "1", None, 2**30]),
    *each(F.huge_headers, "huge_headers(size)", [0, -1, 1.5, True, "1", None, 2**30]),
    *each(F.down, "down(seconds)", SECONDS),
]


@pytest.mark.parametrize(("make", "field", "value"), REFUSED, ids=range(len(REFUSED)))
def test_refused(make: Callable[[Any], object], field: str, value: Any) -> None:
    """A value that cannot be meant is refused where it is written, and why."""
    with pytest.raises(PlanError) as caught:
        make(value)

    text = str(caught.value)
    assert text.startswith(f"{field}=")
    assert " is not allowed: wanted " in text
    assert repr(value)[:190] in text


def test_a_value_that_cannot_be_shown() -> None:
    """A value without a repr is refused like any other."""
    with pytest.raises(PlanError, match=r"latency\(seconds\)=<int without a repr: ValueError>"):
        faults.latency(NO_REPR)


def test_an_error_is_a_value_error() -> None:
    """Who expects a ValueError of a bad value gets one."""
    assert issubclass(PlanError, ValueError)


ALLOWED: list[Callable[[], object]] = [
    lambda: faults.latency(LONGEST),
    lambda: faults.latency(0),
    lambda: faults.uniform(1, 1),
    lambda: faults.lognormal(1, 0),
    lambda: faults.stall(at=1),
    lambda: faults.stall(at=1.0),
    lambda: faults.stall(at=10**9),
    lambda: faults.bandwidth(5e-324),
    lambda: faults.bandwidth(1e300),
    lambda: faults.status(200),
    lambda: faults.status(999, headers={"A": "\tb \xe9"}),
    lambda: faults.status(503, body=None),
    lambda: faults.status(503, body={"a": [1, None, "x"]}),
    lambda: faults.garbage(1),
    lambda: faults.http_date(-1),
]


@pytest.mark.parametrize("make", ALLOWED, ids=range(len(ALLOWED)))
def test_allowed(make: Callable[[], object]) -> None:
    """Values at the edge of what is allowed are allowed."""
    assert make() is not None


# --- Retry-After ------------------------------------------------------------------------

TEXTS: list[tuple[Any, str]] = [
    (5, "5"),
    (5.0, "5"),
    (0.5, "0.5"),
    (-3, "-3"),
    (10**17, "100000000000000000"),
    ("soon", "soon"),
    ("", ""),
    (faults.http_date(0), "Thu, 01 Jan 1970 00:01:40 GMT"),
    (faults.http_date(0.2), "Thu, 01 Jan 1970 00:01:41 GMT"),
    (faults.http_date(-100), "Thu, 01 Jan 1970 00:00:00 GMT"),
    (faults.http_date(200_000_000_000), "Tue, 01 Oct 8307 19:35:00 GMT"),
    (faults.http_date(-200_000_000_000), "Wed, 01 Jan 1000 00:00:00 GMT"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=range(len(TEXTS)))
def test_retry_after_text(value: Any, text: str) -> None:
    """Retry-After is written as it was meant; dates have years of four digits."""
    clock: Any = At(100)
    assert retry_after_text(value, clock) == text


def test_a_date_beyond_all_years() -> None:
    """A date after the year 9999 is the last one that HTTP can write."""
    clock: Any = At(253_402_300_000)
    assert retry_after_text(faults.http_date(5_000), clock) == "Fri, 31 Dec 9999 23:59:59 GMT"


@given(epoch=st.integers(0, 250_000_000_000))
def test_http_date(epoch: int) -> None:
    """A date is what the standard library makes of it, in any locale."""
    from email.utils import formatdate

    assert http_date_text(epoch) == formatdate(epoch, usegmt=True)


# --- together ---------------------------------------------------------------------------


class Own:
    """A fault of a user's."""

    label = "own"

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        return script


TOGETHER: list[tuple[tuple[Any, ...], str]] = [
    ((), "two or more faults"),
    ((503,), "two or more faults"),
    ((503, OK), "faults that change an answer"),
    ((503, faults.never_read()), "faults that change an answer"),
    ((503, faults.timeout), "faults that change an answer"),
    ((503, "timeout"), "faults that change an answer"),
    ((503, None), "faults that change an answer"),
    ((True, faults.latency(1)), "200 to 999"),
    ((503, 502), "at most one fault that replaces the answer"),
    ((503, faults.redirect("/")), "at most one fault that replaces the answer"),
    ((faults.timeout(), faults.reset_peer()), "at most one fault that ends the answer"),
    ((faults.reset_idle(), faults.limit_data()), "at most one fault that ends the answer"),
    ((faults.bandwidth(1), faults.stall()), "at most one fault that ends the answer"),
    ((Own(), faults.stall()), "at most one fault that ends the answer"),
]


@pytest.mark.parametrize(("parts", "allowed"), TOGETHER, ids=range(len(TOGETHER)))
def test_refused_together(parts: tuple[Any, ...], allowed: str) -> None:
    """Faults that contradict each other cannot be met by one attempt."""
    with pytest.raises(PlanError, match=allowed):
        faults.together(*parts)


def test_together() -> None:
    """What replaces the answer comes first and what breaks its delivery last."""
    both = faults.together(faults.stall(), faults.latency(1), 503)
    nested = faults.together(faults.together(faults.latency(1), 503), faults.stall())

    assert both.label == "status 503 + latency 1 s + stall"
    assert both == nested
    assert both != "x"
    assert hash(both) == hash(nested)
    assert repr(both) == f"together{both.faults!r}"
    assert not both.processed
    assert faults.together(faults.latency(1), faults.stall()).processed
    assert faults.together(faults.latency(1), faults.reset_idle()).faults[1].label == "reset_idle"


def one(method: str, *, reused: bool) -> Attempt:
    return Attempt(
        number=1, started_ns=0, connection=1, reused=reused, method=method, target="/", head=b""
    )


def test_together_wants_what_every_part_wants() -> None:
    """One part that leaves an attempt alone speaks for all."""
    get, reused = one("GET", reused=False), one("GET", reused=True)
    head = one("HEAD", reused=True)
    stale = faults.together(faults.latency(1), faults.stale_connection())
    body = faults.together(503, faults.limit_data())

    assert [stale.wants(each) for each in (get, reused)] == [False, True]
    assert [body.wants(each) for each in (get, head)] == [True, False]
    assert faults.together(faults.latency(1), Own()).wants(get)
    assert faults.reset_peer().wants(head)


def test_never_read_changes_nothing() -> None:
    """never_read has no answer to change."""
    script, context = faults.Script(Answer(200)), object()

    assert faults.never_read().apply(script, context) is script  # type: ignore[arg-type]


# --- answers -------------------------------------------------------------------------------


@given(body=st.binary(max_size=300), pieces=st.integers(1, 5))
def test_delivery(body: bytes, pieces: int) -> None:
    """Whatever the pieces of a body, the bytes on the wire carry it whole."""
    size = len(body) // pieces + 1
    parts = tuple(body[i : i + size] for i in range(0, len(body), size)) or (b"",)
    script = faults.Script(Answer(200, (), parts))
    sent = b"".join(step.data for step in deliver(script) if isinstance(step, Send))
    head, _, rest = sent.partition(b"\r\n\r\n")

    if len(parts) == 1:
        assert (b"Content-Length: %d" % len(body)) in head
        assert rest == body
    else:
        assert rest == b"".join(map(chunk, parts)) + b"0\r\n\r\n"


def test_head_bytes() -> None:
    """A head says the reason it was given, the usual one, or none."""
    assert head_bytes(Answer(404)) == b"HTTP/1.1 404 Not Found\r\n\r\n"
    assert head_bytes(Answer(404, reason="Nope")) == b"HTTP/1.1 404 Nope\r\n\r\n"
    assert head_bytes(Answer(799)) == b"HTTP/1.1 799 \r\n\r\n"


def test_answers_headers() -> None:
    """Fields of an answer are found, replaced and dropped whatever their case."""
    answer = Answer(200, (("A", "1"), ("a", "2"), ("B", "3")), (b"x", b"y"))

    assert answer.header("a") == "1"
    assert answer.header("c") is None
    assert answer.with_header("A", "9").headers == (("B", "3"), ("A", "9"))
    assert answer.without("A").headers == (("B", "3"),)
    assert answer.whole == b"xy"


def test_draws() -> None:
    """Draws lie in their distribution, and a draw is never longer than any clock."""
    random = Random(1)

    assert all(1 <= faults.uniform(1, 2).draw(random) <= 2 for _ in range(100))
    assert max(faults.lognormal(LONGEST, 5).draw(random) for _ in range(20)) == LONGEST
    assert str(faults.uniform(1, 2)) == "uniform 1-2 s"
