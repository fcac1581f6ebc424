"""What a thread has looked at since time last moved: the figures that `_polling` judges by."""

from __future__ import annotations

from pytest_resilience.clock._real import real_monotonic_ns


class Looks:
    """The looks of one thread at one moment of virtual time."""

    __slots__ = (
        "at_ns",
        "began_ns",
        "busy",
        "count",
        "cpu_ns",
        "hopeless_real_ns",
        "outside",
        "parks",
        "readings",
        "since_real_ns",
        "stirs",
        "stirs_known",
        "stirs_real_ns",
        "tick_ns",
        "yielded_ns",
    )

    def __init__(self) -> None:
        self.begin(-1)
        self.cpu_ns = 0
        """Of this thread when it was last asked."""
        self.yielded_ns = -1
        """The moment at which it has let the others have their turn."""
        self.stirs = -1
        """That count of the gathering's when it last sat down, so as to look again."""
        self.stirs_known = -1
        self.stirs_real_ns = 0
        """That count, and when it was last seen to change: see _polling.py."""

    def begin(self, now_ns: int) -> None:
        """Forget what was; this is a new moment."""
        self.at_ns = now_ns
        self.began_ns = now_ns
        """Time has not moved since but by ticks of its own."""
        self.since_real_ns = real_monotonic_ns()
        self.count = self.parks = self.tick_ns = 0
        self.readings = 0
        """Of the clock, since it was last made to wait."""
        self.outside = False
        """Whether it has looked at another process or host since then."""
        self.busy = False
        """It computes until some moment."""
        self.hopeless_real_ns = 0
        """Since when nothing has been due but its own next look."""
