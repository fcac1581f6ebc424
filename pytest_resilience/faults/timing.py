"""Faults of time: late, slow, or never. All on the server's clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import (
    Close,
    Context,
    Hang,
    OfTheBody,
    Pause,
    Script,
    Send,
    Step,
    framed,
)
from pytest_resilience.records import SECOND


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any duration between two bounds, each as likely as the other. In seconds."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check.seconds("uniform(low)", self.low)
        _check.seconds("uniform(high)", self.high)
        if self.high < self.low:
            _check.refuse("uniform(high)", self.high, f"at least low, which is {self.low!r}")

    def draw(self, random: Random) -> float:
        """One duration."""
        return random.uniform(self.low, self.high)

    def __str__(self) -> str:
        return f"uniform {self.low:g}-{self.high:g} s"


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Durations with a long tail, as network latencies have.

    Args:
        median: Seconds; half of the draws are longer.
        sigma: Spread: the standard deviation of the logarithm, 0 to 5. 0 is constant.
    """

    median: float
    sigma: float

    def __post_init__(self) -> None:
        _check.seconds("lognormal(median)", self.median)
        if not _check.is_number(self.sigma) or not 0 <= self.sigma <= 5:
            _check.refuse("lognormal(sigma)", self.sigma, "a number from 0 to 5")

    def draw(self, random: Random) -> float:
        """One duration."""
        if self.median == 0:
            return 0.0
        drawn = random.lognormvariate(math.log(self.median), self.sigma)
        return min(drawn, _check.LONGEST)

    def __str__(self) -> str:
        return f"lognormal {self.median:g} s"


@dataclass(frozen=True, slots=True)
class Latency:
    """The answer comes late by this much.

    Args:
        seconds: A number, or a distribution: `uniform` or `lognormal`.
    """

    seconds: float | Uniform | Lognormal

    live: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.seconds, Uniform | Lognormal):
            if not _check.is_number(self.seconds):
                wanted = "a number of seconds, uniform(low, high) or lognormal(median, sigma)"
                _check.refuse("latency(seconds)", self.seconds, wanted)
            _check.seconds("latency(seconds)", self.seconds)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        if isinstance(self.seconds, Uniform | Lognormal):
            return f"latency {self.seconds}"
        return f"latency {self.seconds:g} s"

    def apply(self, script: Script, context: Context) -> Script:
        """Put a pause before the first byte."""
        drawn = self.seconds
        if isinstance(drawn, Uniform | Lognormal):
            drawn = drawn.draw(context.random)
        return replace(script, lead=(*script.lead, Pause(drawn)))


@dataclass(frozen=True, slots=True)
class Timeout:
    """Silence before the head of the answer, for as long as the client stays.

    Args:
        close_after: Seconds after which the server closes instead; None for never.
        processed: Whether the application handles the request before its answer is lost.
    """

    close_after: float | None = None
    processed: bool = False

    def __post_init__(self) -> None:
        if self.close_after is not None:
            _check.seconds("timeout(close_after)", self.close_after)
        _check.flag("timeout(processed)", self.processed)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "timeout"

    def apply(self, script: Script, context: Context) -> Script:
        """Send nothing."""
        return script.instead(*_silence(self.close_after))


def _silence(close_after: float | None) -> tuple[Step, ...]:
    return (Hang(),) if close_after is None else (Pause(close_after), Close())


@dataclass(frozen=True, slots=True)
class HalfHead:
    """Half of the answer's head, then silence."""

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "half_head"

    def apply(self, script: Script, context: Context) -> Script:
        """Break the head off in its middle."""
        head = framed(script).head
        return script.instead(Send(head[: len(head) // 2]), Hang())


@dataclass(frozen=True, slots=True)
class Stall(OfTheBody):
    """The head and a part of the body, then silence.

    Args:
        at: Where: an int counts bytes of the body, a float is a share of it.
        resume_after: Seconds after which the rest follows; None for never.
    """

    at: float = 0.5
    resume_after: float | None = None

    def __post_init__(self) -> None:
        _check.place("stall(at)", self.at)
        if self.resume_after is not None:
            _check.seconds("stall(resume_after)", self.resume_after)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return "stall"

    def apply(self, script: Script, context: Context) -> Script:
        """Break the body off at the place."""
        part, rest = broken(script, self.at)
        steps: list[Step] = [Send(part)]
        if self.resume_after is None:
            steps.append(Hang())
        else:
            steps += [Pause(self.resume_after), Send(rest)]
            if framed(script).closing:
                steps.append(Close(cut=False))
        return script.instead(*steps)


def broken(script: Script, at: float) -> tuple[bytes, bytes]:
    """An answer's bytes, broken at a place in its body; without a body, in its head."""
    whole = framed(script)
    body = b"".join(whole.pieces)
    cut = len(whole.head) + spot(at, len(body)) if body else len(whole.head) // 2
    everything = whole.head + body
    return everything[:cut], everything[cut:]


def spot(at: float, size: int) -> int:
    """The byte at which a body of this size is broken: always short of its end."""
    wanted = at if isinstance(at, int) else int(at * size)
    return max(0, min(wanted, size - 1))


@dataclass(frozen=True, slots=True)
class Bandwidth(OfTheBody):
    """A slow drip: the head at once, the body at this rate.

    A piece is sent when its time has come, so a body of n bytes is complete after
    exactly n / rate seconds. Pieces are a tenth of a second apart, or one byte each
    when the rate is lower than ten.

    Args:
        bytes_per_second: Above 0.
    """

    bytes_per_second: float

    def __post_init__(self) -> None:
        if not _check.is_number(self.bytes_per_second) or not self.bytes_per_second > 0:
            wanted = "a number of bytes a second above 0"
            _check.refuse("bandwidth(bytes_per_second)", self.bytes_per_second, wanted)

    @property
    def label(self) -> str:
        """The fault in a few words."""
        return f"bandwidth {self.bytes_per_second:g} B/s"

    def apply(self, script: Script, context: Context) -> Script:
        """Send the body piece by piece."""
        return replace(script, steps=self._drip(script))

    def _drip(self, script: Script) -> Iterator[Step]:
        whole = framed(script)
        yield Send(whole.head)
        body = b"".join(whole.pieces)
        size = max(1, int(self.bytes_per_second / 10))
        before_ns = 0
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            # From the beginning each time: what a clock rounds must not add up.
            now_ns = round((start + len(piece)) / self.bytes_per_second * SECOND)
            yield Pause(min((now_ns - before_ns) / SECOND, _check.LONGEST))
            yield Send(piece)
            before_ns = now_ns
        if whole.closing:
            yield Close(cut=False)
