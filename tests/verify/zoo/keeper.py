"""Judge a specimen of the zoo."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import warnings
from collections.abc import Callable, Collection, Iterator
from typing import Any

import circuitbreaker
import pytest

from pytest_resilience import FakeServer
from pytest_resilience.judge.verdict import Verdict
from pytest_resilience.judge.verify import verify
from pytest_resilience.policy.policy import RetryPolicy
from tests.verify.zoo import kit
from tests.verify.zoo.claims import policy

CAGES = (
    "broken_calls",
    "broken_errors",
    "broken_kinds",
    "broken_requests",
    "broken_waits",
    "correct_by_hand",
    "correct_libraries",
)
for cage in CAGES:
    importlib.import_module(f"tests.verify.zoo.{cage}")
BROKEN, CORRECT, MENDED = tuple(kit.BROKEN), tuple(kit.CORRECT), tuple(kit.MENDED)


def stream(environ: Any, start: Any) -> list[bytes]:
    """Be a service that streams events, and says when it is done."""
    start("200 OK", [("Content-Type", "text/event-stream")])
    return [b"data: one\n\n", b"data: two\n\n", b"data: three\n\n", b"data: [DONE]\n\n"]


LEAKS = {"connection-leaked", "pool-exhausted", "response-not-closed"}


@contextlib.contextmanager
def _swept(leaks: bool) -> Iterator[None]:  # noqa: FBT001 -- of one caller
    """What a leaky client has left open is closed here, and not in somebody else's test."""
    yield
    for done in importlib.import_module("tests.verify.zoo.broken_calls").DONE:
        done.set()
    # It keeps each breaker for ever, with the last failure and so with its connection.
    circuitbreaker.CircuitBreakerMonitor.circuit_breakers.clear()
    if leaks:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            importlib.import_module("tests.verify.zoo.broken_calls").HELD.clear()
            gc.collect()


def judged(
    specimen: kit.Specimen,
    claims: RetryPolicy | None = None,
    *,
    only: str | Collection[str] | None = None,
) -> Verdict:
    """The verdict on a new one of its kind, with the policy that it claims if none is given."""
    claim = dict(specimen.claim)
    app = stream if claim.pop("stream", False) else None
    another = claim.pop("another", False)
    if claims is None:
        claims = policy(**claim)
    client: Callable[..., Any] = specimen.make()
    more: dict[str, Any] = {}
    leaks = specimen.code in LEAKS
    with _swept(leaks), FakeServer(app) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVICE_URL", server.url)
        if another:
            more["another"] = functools.partial(client, server.url, "another's")
        verdict = verify(client, claims, server, only=only, **more)
        del client
        more.clear()
        return verdict
