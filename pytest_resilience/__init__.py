"""Prove that code which talks HTTP survives an outage.

Names are resolved on first use (PEP 562): importing this package loads nothing but the
standard library's ``importlib``, because every pytest run of everyone who has it does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_resilience import faults as faults
    from pytest_resilience.answers import Answer as Answer
    from pytest_resilience.checks.finding import Finding as Finding
    from pytest_resilience.clock import (
        Clock as Clock,
        RealClock as RealClock,
        current_clock as current_clock,
        use_clock as use_clock,
    )
    from pytest_resilience.clock.virtual import VirtualClock as VirtualClock
    from pytest_resilience.conformance.check import check_fake as check_fake
    from pytest_resilience.errors import (
        CheckFailed as CheckFailed,
        ClockError as ClockError,
        PlanError as PlanError,
        PolicyError as PolicyError,
        ResilienceError as ResilienceError,
        ServerError as ServerError,
    )
    from pytest_resilience.faults import OK as OK
    from pytest_resilience.judge.verdict import Verdict as Verdict
    from pytest_resilience.judge.verify import verify as verify
    from pytest_resilience.logs import Line as Line, Lines as Lines, Recorder as Recorder
    from pytest_resilience.plan import (
        FOREVER as FOREVER,
        FaultLike as FaultLike,
        Plan as Plan,
        Rule as Rule,
    )
    from pytest_resilience.policy.backoff import Backoff as Backoff, Jitter as Jitter
    from pytest_resilience.policy.breaker import Breaker as Breaker
    from pytest_resilience.policy.logs import LogContract as LogContract
    from pytest_resilience.policy.policy import RetryPolicy as RetryPolicy
    from pytest_resilience.recording.compare import (
        Comparison as Comparison,
        compare_recording as compare_recording,
    )
    from pytest_resilience.recording.har import to_har as to_har
    from pytest_resilience.recording.proxy import RecordingProxy as RecordingProxy
    from pytest_resilience.records import (
        Attempt as Attempt,
        Headers as Headers,
        Outcome as Outcome,
        Trace as Trace,
    )
    from pytest_resilience.server.fake import Fake as Fake, route as route
    from pytest_resilience.server.server import FakeServer as FakeServer

_HOMES = {
    "Answer": "answers",
    "Attempt": "records",
    "Backoff": "policy.backoff",
    "Breaker": "policy.breaker",
    "CheckFailed": "errors",
    "Clock": "clock",
    "ClockError": "errors",
    "Comparison": "recording.compare",
    "FOREVER": "plan",
    "Fake": "server.fake",
    "FakeServer": "server.server",
    "FaultLike": "plan",
    "Finding": "checks.finding",
    "Headers": "records",
    "Jitter": "policy.backoff",
    "Line": "logs",
    "Lines": "logs",
    "LogContract": "policy.logs",
    "OK": "faults",
    "Outcome": "records",
    "Plan": "plan",
    "PlanError": "errors",
    "PolicyError": "errors",
    "RealClock": "clock",
    "Recorder": "logs",
    "RecordingProxy": "recording.proxy",
    "ResilienceError": "errors",
    "RetryPolicy": "policy.policy",
    "Rule": "plan",
    "ServerError": "errors",
    "Trace": "records",
    "Verdict": "judge.verdict",
    "VirtualClock": "clock.virtual",
    "check_fake": "conformance.check",
    "compare_recording": "recording.compare",
    "current_clock": "clock",
    "faults": "",
    "route": "server.fake",
    "to_har": "recording.har",
    "use_clock": "clock",
    "verify": "judge.verify",
}

__all__ = [  # noqa: PLE0604 -- the table above is the one list of names
    *sorted(_HOMES)
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if home == "":
        return importlib.import_module(f"{__name__}.{name}")
    # Not kept here: pytester forgets the modules that an inner session has imported, and a
    # name of an older generation beside modules of a newer one would be two of everything.
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
