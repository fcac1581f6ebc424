"""What a client of Gemini does with one fault, as a sentence for the table in docs/gemini.md.

Each cell is a fake of its own, a client of its own and one call, in virtual time. The fault
is met by every attempt, so that a client which tries again comes to its end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from pytest_resilience import FOREVER, Trace, VirtualClock, faults
from pytest_resilience_gemini import Gemini, Reply, stream

MODEL = "gemini-3.8-flash"
PROMPT = "Say three words"
TIMEOUT = 30.0
"""What every client is told, in seconds."""
WORDS = ("one ", "two ", "three")

Generate = Callable[[], str | None]
Stream = Callable[[], Iterator[str | None]]


@dataclass(frozen=True)
class Calls:
    """What a client can be asked for."""

    generate: Generate
    """The text of an answer; None when it has none."""
    stream: Stream
    """The texts of its events."""


Client = Callable[[Gemini], AbstractContextManager[Calls]]


@dataclass(frozen=True)
class Case:
    """One row of a table."""

    name: str
    """As a reader writes it."""
    fault: Any = None
    stream: bool = False


def case(text: str) -> Case:
    """A fault of a plain call, as it is written."""
    names = {"faults": faults, "stream": stream}
    return Case(f"`{text}`", eval(text, names))  # noqa: S307 -- the literals below


def streamed(text: str) -> Case:
    """A fault of a stream."""
    plain = case(text)
    return Case(plain.name, plain.fault, stream=True)


PLAIN = (
    Case("no fault"),
    case('"overloaded"'),
    case('"quota_per_minute"'),
    case('"quota_per_day"'),
    case("faults.status(429, retry_after=7)"),
    case('"internal"'),
    case('"deadline"'),
    case("faults.status(408)"),
    case('"key_invalid"'),
    case('"key_leaked"'),
    case('"wrong_scheme"'),
    case('"model_retired"'),
    case("faults.html_page()"),
    case("faults.timeout()"),
    case("faults.stall()"),
    case("faults.empty_reply()"),
    case("faults.reset_peer()"),
    case("faults.limit_data()"),
    case("faults.malformed_json()"),
    case('"no_candidates"'),
    case('"no_content"'),
    case('"no_parts"'),
    case('"no_text"'),
)
STREAMED = (
    Case("no fault", stream=True),
    streamed('"overloaded"'),
    streamed('"quota_per_minute"'),
    streamed("stream.cut(after=0)"),
    streamed("stream.cut(after=1)"),
    streamed("stream.cut(after=1, within=0.5)"),
    streamed("stream.cut(after=1, reset=True)"),
    streamed("stream.cut(after=3)"),
    streamed("stream.stall(after=1)"),
    streamed("stream.slow(20)"),
    streamed("stream.end(after=1)"),
    streamed("stream.end(after=1, within=0.5)"),
    streamed("stream.malformed(after=1)"),
    streamed("stream.error_event(503)"),
    streamed("stream.error_event(429)"),
    # Whether the tail comes by itself makes a difference, so that is said.
    streamed('faults.together(stream.error_tail(503), stream.writes("all"))'),
    streamed("faults.together(stream.error_tail(503), stream.slow(1))"),
)


def outcome(client: Client, row: Case) -> str:
    """What one client makes of one fault."""
    random.seed(1)  # of the clients' jitter
    with VirtualClock() as clock, Gemini(seed=1) as gemini:
        gemini.say(Reply(WORDS))
        if row.fault is not None:
            gemini.fail(row.fault, times=FOREVER)
        with client(gemini) as calls:
            said = _streamed(calls.stream) if row.stream else _generated(calls.generate)
            passed = clock.now
        return f"{said}{manner(gemini.trace, passed)}"


def _generated(generate: Generate) -> str:
    try:
        text = generate()
    except Exception as error:  # noqa: BLE001 -- whichever it is, it is what we want to know
        return named(error)
    return "answered" if text == "".join(WORDS) else f"returns {text!r}"


def _streamed(events: Stream) -> str:
    came: list[str | None] = []
    try:
        for text in events():
            came.append(text)  # noqa: PERF402 -- those before an error count as well
    except Exception as error:  # noqa: BLE001 -- the same
        return " ".join([*_told(came, "then"), named(error)])
    if "".join(text or "" for text in came) == "".join(WORDS):
        return "answered"
    return " ".join([*_told(came, "and"), "ends, no error"])


def _told(came: list[str | None], and_then: str) -> list[str]:
    texts = [text for text in came if text]
    return [f'"{"".join(texts).strip()}",', and_then] if texts else []


def named(error: BaseException) -> str:
    """An exception's name in full."""
    kind = type(error)
    return f"`{kind.__module__}.{kind.__qualname__}`".replace("builtins.", "")


def manner(trace: Trace, passed: float) -> str:
    """How often it was tried and after which waits, and how long it all took."""
    parts = []
    if len(trace) != 1:
        parts.append(f"{len(trace)} attempts")
    if len(trace) > 1:
        parts.append(f"waits {waits(trace.waits)}")
    if passed > 0:
        parts.append(f"{seconds(passed)} s in all")
    return "".join(f"; {part}" for part in parts)


def waits(listed: Any) -> str:
    """Seconds between attempts; of many the first and the last."""
    texts = [seconds(wait) for wait in listed]
    if len(texts) > 8:
        texts = [*texts[:4], "…", *texts[-2:]]
    return ", ".join(texts)


def seconds(number: float) -> str:
    """A number of seconds, to the millisecond."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
