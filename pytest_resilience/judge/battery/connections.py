"""Connections: many failures in a row, and a kept connection that is dead."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pytest_resilience import faults
from pytest_resilience.checks import connections, retried
from pytest_resilience.checks.connections import Held
from pytest_resilience.checks.observation import Call
from pytest_resilience.faults import Context, Script
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.logs.unheard import unheard
from pytest_resilience.plan import FaultLike

__all__ = ["many", "scenarios"]

ORDER = 0
"""First: a pool that is used up would let every other scenario end badly."""

CALLS = 6
MOST = 24
"""Calls of a client that leaves connections open, so that a pool of twenty is used up."""
LONG = 512 * 1024
"""Bytes: more than a client reads ahead that does not ask for them (aiohttp: 128 KiB)."""
OTHERS = ("python-httpx/", "python-requests/", "python-urllib3/", "Python-urllib/")
"""How libraries introduce themselves that are not aiohttp, which a client may well hide."""
UNCLOSED = ("unclosed", "Unclosed")


def scenarios(subject: Subject) -> Iterator[Scenario]:
    """Many failures; and a stale connection, for who claims to survive one, or never to."""
    yield Scenario(
        name="many-failures",
        clause="gives back its connections",
        play=lambda stage: {"held": many(stage, subject.outage)},
        checks=[connections.given_back],
    )
    if _may_be_aiohttp(subject) and isinstance(subject.outage, int):
        long = faults.together(faults.status(subject.outage), _Long())
        yield Scenario(
            name="many-failures-with-long-bodies",
            clause="gives back its connections, whatever else an error has to say",
            play=lambda stage: {"held": replace(many(stage, long), warnings=())},
            checks=[connections.given_back],
        )
    if subject.retries_failure("stale") or subject.retries_failure("reset"):
        yield Scenario(
            name="stale-connection",
            clause="survives a kept connection that is dead",
            play=lambda stage: _stale(stage, times=1),
            checks=[connections.stale],
        )
    if "stale" in (subject.policy.never_failures or ()):
        yield Scenario(
            name="stale-without-end",
            clause="does not retry a kept connection that is dead",
            play=lambda stage: _stale(stage, times=subject.enough),
            checks=[retried.failure_left_alone],
        )


def _may_be_aiohttp(subject: Subject) -> bool:
    """The others give back nothing by themselves, so that short errors tell all of them."""
    names = [attempt.headers.get("user-agent", "") for attempt in subject.baseline.trace]
    is_loaded = subject.is_async and "aiohttp" in sys.modules
    return is_loaded and not all(name.startswith(OTHERS) for name in names)


def _stale(stage: Stage, times: int) -> dict[str, object]:
    stage.call()
    stage.fail(faults.stale_connection(), times=times)
    stage.call()
    return {"failure": "a kept connection that is dead"}


def many(stage: Stage, outage: FaultLike) -> Held:
    """What it holds after several calls that met this."""
    counts: list[int] = []
    first = stage.first_outage  # Of the battery: it may have used up a small pool by itself.
    asked = len(first.trace) if first is not None and first.returned else 0
    exhausted, unread = "", [0]
    with unheard(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        while not exhausted and len(counts) < (MOST if _leaves(counts) else CALLS):
            stage.fail(outage)
            call = stage.call()
            exhausted = _exhausted(call, asked, stage.open_connections)
            if call.never_returned and not exhausted:
                return Held((0,), 0, "", ())  # It is still at it: the next would not even begin.
            asked = len(call.trace)
            del call
            stage.server.plan.clear()
            stage.forget()
            counts.append(_open(stage, counts))
            if _leaves(counts) and len(counts) in (CALLS, CALLS + 4):
                unread.append(_unread())
        if not exhausted:
            stage.advance(stage.rest)  # A breaker may be open; no time brings a connection back.
            exhausted = _exhausted(stage.call(), asked, stage.open_connections)
            stage.forget()
    # One that says "[closed]" was given back by the collector, after an error that nobody reads.
    texts = [str(one.message) for one in said]
    told = [text for text in texts if text.startswith(UNCLOSED) and "[closed]" not in text]
    # Others may hold some, and have held them before.
    more = unread[-1] - unread[-2] if len(unread) > 2 else 0
    return Held(tuple(counts), more, exhausted, tuple(told))


@dataclass(frozen=True, slots=True)
class _Long:
    """A fault that adds blanks to a body, which change no text and no JSON.

    aiohttp gives a connection back by itself as soon as a short body has come. What it says of
    a long one is not heard: aiohttp-retry drops such answers, and the collector closes them.
    """

    label: str = "a long body"

    def apply(self, script: Script, context: Context) -> Script:
        """Add them at the end."""
        answer = script.answer
        return script.saying(replace(answer, body=(*answer.body, b" " * LONG)))


def _leaves(counts: list[int]) -> bool:
    return len(counts) >= CALLS and counts[-1] - counts[0] >= len(counts) - 2


def _open(stage: Stage, counts: list[int]) -> int:
    """How many are open; what is only waiting to be collected is not."""
    found = stage.open_connections
    if found > 1 and len(counts) in (0, CALLS - 1):
        gc.collect()
        found = stage.open_connections
    return found


def _exhausted(call: Call, asked: int, held: int) -> str:
    """How a call ended that made no request, or not all of them, if it waited for a connection.

    Args:
        call: It.
        asked: How many requests a call before it made, which met a failure like this one.
        held: How many connections are open.
    """
    if call.trace:
        stopped = call.never_returned and len(call.trace) < asked and held > 1
        return f"it waited for ever, after {len(call.trace)} of {asked} requests" if stopped else ""
    if call.never_returned:
        return "it waited for ever"
    names = [kind.__name__ for kind in type(call.error).__mro__] if call.error else []
    waited = bool(call.seconds)
    return names[0] if names and (waited or any("Pool" in name for name in names)) else ""


def _unread() -> int:
    """How many responses somebody holds that are neither read nor closed."""
    is_done = {kind: done for kind, done in map(_loaded, DONE) if kind is not None}
    held = [thing for thing in gc.get_objects() if type(thing) in is_done]
    return sum(not is_done[type(thing)](thing) for thing in held)


def _loaded(place: tuple[str, str]) -> tuple[type | None, Callable[[Any], bool]]:
    """A library's class, if somebody has imported it."""
    module, name = place
    return getattr(sys.modules.get(module), name, None), DONE[place]


def _is_idle(connection: Any) -> bool:  # noqa: ANN401 -- a connection of httpcore, which holds on to what httpx forgets
    return bool(connection.is_idle() or connection.is_closed())


DONE: dict[tuple[str, str], Callable[[Any], bool]] = {
    ("urllib3.response", "HTTPResponse"): lambda response: response.closed,
    ("http.client", "HTTPResponse"): lambda response: response.isclosed(),
    ("aiohttp.client_reqrep", "ClientResponse"): lambda response: response.closed,
    ("httpcore", "HTTP11Connection"): _is_idle,
    ("httpcore", "AsyncHTTP11Connection"): _is_idle,
}
