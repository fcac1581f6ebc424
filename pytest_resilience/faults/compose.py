"""No fault at all, and several faults on one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import Context, Fault, Script
from pytest_resilience.faults.answer import HtmlPage, MalformedJson, Redirect, Status
from pytest_resilience.faults.connection import NeverRead
from pytest_resilience.faults.noise import HugeHeaders
from pytest_resilience.faults.timing import Latency
from pytest_resilience.records import Attempt

_ANSWERS = (Status, Redirect, HtmlPage)
_SHAPES_ONLY = (*_ANSWERS, MalformedJson, HugeHeaders, Latency)


@dataclass(frozen=True, slots=True)
class Ok:
    """No fault: this attempt is answered as usual."""

    @property
    def label(self) -> str:
        """Never shown: an attempt without a fault has no label."""
        return "ok"

    def apply(self, script: Script, context: Context) -> Script:
        """Leave the answer alone."""
        return script


class Together:
    """Several faults on one attempt: ``together(latency(2), status(503))``.

    At most one of them may decide how the bytes end (a reset, a hang, a truncation), and
    at most one may replace the answer.

    Args:
        faults: Two or more fault values; an int is a status.
    """

    __slots__ = ("faults",)

    def __init__(self, *faults: Fault | int) -> None:
        if len(faults) < 2:
            _check.refuse("together(...)", faults, "two or more faults")
        self.faults = tuple(part for fault in faults for part in _parts(fault))
        endings = [f for f in self.faults if not _shapes_only(f)]
        if len(endings) > 1:
            names = " and ".join(fault.label for fault in endings)
            _check.refuse("together(...)", names, "at most one fault that ends the answer")
        if sum(map(_replaces_answer, self.faults)) > 1:
            _check.refuse("together(...)", self.label, "at most one fault that replaces the answer")
        # What replaces the answer comes first, what breaks its delivery last.
        self.faults = tuple(sorted(self.faults, key=_rank))

    @property
    def label(self) -> str:
        """The faults in a few words."""
        return " + ".join(fault.label for fault in self.faults)

    @property
    def processed(self) -> bool:
        """Whether the application handles the request: only if no part keeps it away."""
        return all(getattr(fault, "processed", True) for fault in self.faults)

    @property
    def live(self) -> bool:
        """Whether an answer may go out while it is made: only if each part can bend it so."""
        return all(getattr(fault, "live", False) for fault in self.faults)

    def wants(self, attempt: Attempt) -> bool:
        """Only an attempt that every part wants."""
        asked = (getattr(fault, "wants", None) for fault in self.faults)
        return all(wants is None or wants(attempt) for wants in asked)

    def apply(self, script: Script, context: Context) -> Script:
        """Apply them one after the other."""
        for fault in self.faults:
            script = fault.apply(script, context)
        return script

    def __repr__(self) -> str:
        return f"together{self.faults!r}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Together) and self.faults == other.faults

    def __hash__(self) -> int:
        return hash(self.faults)


def _parts(fault: object) -> tuple[Fault, ...]:
    if isinstance(fault, Together):
        return fault.faults
    if isinstance(fault, int):
        return (Status(fault),)
    if isinstance(fault, Ok | NeverRead) or not is_fault(fault):
        _check.refuse("together(...)", fault, "faults that change an answer")
    return (fault,)


def is_fault(value: object) -> TypeGuard[Fault]:
    """Whether it has the shape of a fault; a class of faults has not."""
    return callable(getattr(value, "apply", None)) and isinstance(
        getattr(value, "label", None), str
    )


def _rank(fault: Fault) -> int:
    if _replaces_answer(fault):
        return 0
    return 1 if _shapes_only(fault) else 2


def _replaces_answer(fault: Fault) -> bool:
    """Whether it puts an answer of its own in place: a service's named errors do as well."""
    return isinstance(fault, _ANSWERS) or getattr(fault, "replaces_answer", False)


def _shapes_only(fault: Fault) -> bool:
    shapes = isinstance(fault, _SHAPES_ONLY) or getattr(fault, "shapes_answer", False)
    return shapes or _replaces_answer(fault)
