"""What a trace tells: waits, gaps, times, and the table a person reads."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_resilience import Attempt, Headers, Outcome, Trace

S = 1_000_000_000
ONE = "after a wait of 1.000 s"


def attempt(number: int, at: float, took: float | None = 0.0, **more: Any) -> Attempt:
    """An attempt that began at a second and took so long; None: it still hangs."""
    start = round(at * S)
    fields: dict[str, Any] = {
        "number": number,
        "started_ns": start,
        "connection": 1,
        "reused": False,
        "method": "GET",
        "target": "/",
        "head": b"",
        "status": 503,
        "outcome": Outcome.PENDING if took is None else Outcome.ANSWERED,
        "ended_ns": None if took is None else start + round(took * S),
    }
    return Attempt(**{**fields, **more})


THREE = Trace([attempt(1, 1), attempt(2, 2, 0.5), attempt(3, 4.5, status=200)], seed=7, forgotten=2)


def test_waits() -> None:
    """A wait runs from the end of a failed attempt to the start of its retry."""
    assert THREE.waits == [1.0, 2.0]
    assert THREE.gaps == [1.0, 2.5]
    assert THREE.times == [0.0, 1.0, 3.5]
    assert [*Trace().times, *Trace().waits, *Trace().gaps] == []


def test_waits_of_others() -> None:
    """A retry has the method and target of what it repeats; an answered one is not repeated."""
    trace = Trace(
        [
            attempt(1, 0),
            attempt(2, 1, target="/other", status=200),
            attempt(3, 2, method="POST", status=200),
            attempt(4, 3, status=200),
            attempt(5, 4),
        ]
    )

    assert trace.waits == [3.0]


def test_wait_for_an_attempt_that_hangs() -> None:
    """An attempt that still hung when its retry came gives 0."""
    trace = Trace([attempt(1, 0, None), attempt(2, 5, 9), attempt(3, 6, status=200)])

    assert trace.waits == [0.0, 0.0]


def test_waits_around_an_attempt_that_was_never_read() -> None:
    """Nobody knows what it asked for: it repeats the failure before it, what follows repeats it."""
    unread = {"method": "", "target": "", "status": None, "fault": "never_read"}
    trace = Trace(
        [
            attempt(1, 0),
            attempt(2, 1, 5, **unread),
            attempt(3, 8, 5, **unread),
            attempt(4, 17),
            attempt(5, 25, status=200),
            attempt(6, 30, 5, **unread),
            attempt(7, 36, target="/other", status=200),
            attempt(8, 40, status=200),
        ]
    )

    assert trace.waits == [1.0, 2.0, 4.0, 8.0, 1.0]
    assert [retry.number for retry in trace.waits.attempts()] == [2, 3, 4, 5, 7]


def test_waits_after_answers_that_did_not_go_out_in_full() -> None:
    """Whatever their status: the server went down, or the client had waited for long enough."""
    cut = attempt(1, 0, 0.5, status=200, outcome=Outcome.CUT)
    gone = attempt(2, 1.5, 0.5, status=200, outcome=Outcome.GONE)

    assert Trace([cut, gone, attempt(3, 4, status=200)]).waits == [1.0, 2.0]


def test_waits_after_what_was_no_request() -> None:
    """What nobody could read is no attempt at what follows."""
    trace = Trace([attempt(1, 0, method="", target="", status=400), attempt(2, 1, status=200)])

    assert trace.waits == []


def test_lists_know_their_attempts() -> None:
    """Each list of a trace knows which attempt each of its elements is about."""
    numbers = {
        type(seen).__name__: [a.number for a in seen.attempts()]
        for seen in (THREE.waits, THREE.gaps, THREE.times, THREE.statuses, THREE.faults)
    }

    assert numbers == {
        "Waits": [2, 3],
        "Gaps": [2, 3],
        "Times": [1, 2, 3],
        "Statuses": [1, 2, 3],
        "Faults": [1, 2, 3],
    }


def test_table() -> None:
    """The table has a line an attempt, with all a reader needs and no query."""
    trace = Trace(
        [
            attempt(1, 1, fault="status 503", retry_after="5"),
            attempt(2, 2, 0.5, status=None, outcome=Outcome.CUT, fault="reset_peer"),
            attempt(3, 3, None, status=None),
            attempt(4, 4, 1, status=None, outcome=Outcome.GONE),
            attempt(5, 6, status=200, note="the plan is used up: answered normally"),
        ],
        forgotten=2,
    )

    assert trace.table().splitlines() == [
        "  ... 2 older attempts were dropped (keep=)",
        "  1  t=0.000  GET /  503  Retry-After: 5  [status 503]",
        "  2  t=1.000  GET /  ---  [reset_peer]  cut by the server after 0.500 s  " + ONE,
        "  3  t=2.000  GET /  ---  still open  after a wait of 0.500 s",
        "  4  t=3.000  GET /  ---  client went away after 1.000 s  after a wait of 0.000 s",
        f"  5  t=5.000  GET /  200  {ONE}  (the plan is used up: answered normally)",
    ]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a?key=secret", "GET /a?..."),
        ("/" + "x" * 79, "GET /" + "x" * 79),
        ("/" + "x" * 80, "GET /" + "x" * 76 + "..."),
        ("", "GET -"),
    ],
)
def test_target_in_the_table(target: str, shown: str) -> None:
    """A target is shown without its query, which may hold a secret, and not too long."""
    one = attempt(1, 0, None, target=target, status=None)

    assert f"  {shown}  ---" in Trace([one]).table()


def test_trace_is_a_sequence() -> None:
    """A trace can be indexed, sliced, compared, hashed, filtered and shown."""
    assert THREE[0].number == 1
    assert [a.number for a in THREE[1:]] == [2, 3]
    assert (THREE[1:].seed, THREE[1:].forgotten) == (7, 2)
    assert Trace(list(THREE)) == THREE
    assert hash(Trace(list(THREE))) == hash(THREE)
    assert Trace() == []
    assert Trace() == ()
    assert list(THREE) == THREE
    assert list(THREE[:2]) != THREE
    assert THREE != [1]
    assert repr(Trace()) == "<Trace: empty>"
    assert repr(THREE) == f"<Trace of 3 attempts>\n{THREE.table()}"
    assert len(THREE.to("get")) == 3
    assert len(THREE.to("POST")) == 0
    assert len(THREE.to(path="/x*")) == 0


def test_failed() -> None:
    """An attempt has failed when it met a fault, had no answer, or an error status."""
    assert attempt(1, 0).failed
    assert attempt(1, 0, status=None).failed
    assert attempt(1, 0, status=200, fault="latency 2 s").failed
    assert not attempt(1, 0, status=399).failed
    assert (attempt(1, 2, None).ended, attempt(1, 2, 3).ended, attempt(1, 2).at) == (None, 5.0, 2.0)


def test_headers() -> None:
    """Header names compare without case; what was sent twice reads as one."""
    headers = Headers([("X-A", "1"), ("x-a", "2"), ("Host", "h")])

    assert headers["x-A"] == "1, 2"
    assert headers.all("X-a") == ["1", "2"]
    assert list(headers) == ["x-a", "host"]
    assert len(headers) == 2
    assert "HOST" in headers
    assert headers.get("none") is None
    assert repr(headers) == "Headers([('X-A', '1'), ('x-a', '2'), ('Host', 'h')])"
    assert Headers.parse(b"A: 1\r\nB: \r\nC: x: y").items_sent() == (
        ("A", "1"),
        ("B", ""),
        ("C", "x: y"),
    )


def test_an_attempt_that_there_is_not() -> None:
    """The error says how many there are; a slice has what there is."""
    with pytest.raises(IndexError, match=r"no attempt at \[0\]: the trace has 0"):
        Trace()[0]
    assert list(Trace()[:3]) == []
