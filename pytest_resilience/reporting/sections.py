"""What a report says of the servers of a test, as text."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_resilience.errors import ServerError
from pytest_resilience.faults.noise import Garbage
from pytest_resilience.faults.timing import Lognormal, Uniform

if TYPE_CHECKING:
    import pytest

    from pytest_resilience.checks.leftovers import Leftover
    from pytest_resilience.clock.virtual import VirtualClock
    from pytest_resilience.plan import Rule
    from pytest_resilience.reporting.custody import Custody, Watched

ROWS = 100
"""A longer table is shown without its middle."""

ALLOWED = {"unmatched": True, "unmet": True, "errors": True, "leaks": False}
"""What a marker says so that this kind of finding is not one."""


def add(report: pytest.TestReport, custody: Custody) -> None:
    """Add the trace of every server, what is left over, and the seed, to a failed report."""
    for watched in custody.servers:
        text = _plain(custody.mask(_about(watched)))
        report.sections.append((f"trace of {watched.label} ({report.when})", text))
        _add_property(report, custody.item, f"resilience {watched.label}", text)
    further = _further(report, custody)
    if further:
        report.sections.append((f"resilience ({report.when})", _plain(custody.mask(further))))


def add_clock(report: pytest.TestReport, clock: VirtualClock) -> None:
    """Add where virtual time stood, and what it could not be sure of."""
    lines = [f"t={clock.now:.3f} virtual seconds, {clock.slept:.3f} of them slept", *clock.reports]
    report.sections.append((f"virtual clock ({report.when})", "".join(f"{x}\n" for x in lines)))


def _add_property(report: pytest.TestReport, item: pytest.Item, name: str, text: str) -> None:
    """For JUnit's XML, which reads the properties of the teardown's report."""
    for properties in (report.user_properties, item.user_properties):
        properties[:] = [entry for entry in properties if entry[0] != name]
        properties.append((name, text))


def _about(watched: Watched) -> str:
    blocked = []
    try:
        trace = watched.server.trace
    except ServerError as error:  # It says so once, and is not waited for any more.
        blocked = [str(error)]
        trace = watched.server.trace
    rows = trace.table().splitlines() if trace else ["no attempt reached the server"]
    if len(rows) > ROWS:
        half = ROWS // 2
        left_out = f"  ... {len(rows) - 2 * half} rows left out"
        rows = [*rows[:half], left_out, *rows[-half:]]
    return "\n".join([*blocked, *rows]) + "\n"


def _further(report: pytest.TestReport, custody: Custody) -> str:
    lines = []
    if report.when != "teardown":  # There it is the failure itself.
        lines += [leftover.line for leftover in custody.leftovers()]
    if any(is_random(rule) for watched in custody.servers for rule in watched.server.plan.rules):
        lines.append(_replay(custody))
    return "".join(f"{line}\n" for line in lines)


def _replay(custody: Custody) -> str:
    command = f"pytest {shlex.quote(custody.item.nodeid)} --resilience-seed={custody.seed}"
    return f"faults were drawn at random, with seed {custody.seed}; replay them with: {command}"


def is_random(rule: Rule) -> bool:
    """Whether chance decides anything about a rule."""
    if rule.probability is not None and 0 < rule.probability < 1:
        return True
    return any(_is_random(fault) for fault in rule.faults)


def _is_random(fault: object) -> bool:
    parts: Sequence[object] = getattr(fault, "faults", ())
    if parts:
        return any(_is_random(part) for part in parts)
    return isinstance(fault, Garbage) or isinstance(
        getattr(fault, "seconds", None), Uniform | Lognormal
    )


def judgement(found: Sequence[Leftover]) -> str:
    """The failure of a test that passed and left something behind."""
    first, *others = [leftover.line for leftover in found]
    if others:
        first += f" (and {len(others)} more)"
    details = [leftover.more for leftover in found if leftover.more]
    kinds = [kind for kind in ALLOWED if any(leftover.kind == kind for leftover in found)]
    hints = []
    if kinds:
        arguments = ", ".join(f"{kind}={ALLOWED[kind]}" for kind in kinds)
        hints = [f"if that is meant: @pytest.mark.resilience({arguments})"]
    return _plain("\n".join([first, *others, *details, *hints]))


def _plain(text: str) -> str:
    """Without control characters: any bytes may come in a request, XML and terminals mind."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
