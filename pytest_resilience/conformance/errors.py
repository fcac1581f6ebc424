"""Errors of a fake: their status, their type, their shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_resilience.conformance.asking import Ask, Said, ask
from pytest_resilience.conformance.flaw import Flaw
from pytest_resilience.conformance.trial import Trial
from pytest_resilience.recording.bodies import essence, is_json
from pytest_resilience.recording.shape import Shape, mismatches, shape_of
from pytest_resilience.server.fake import Fake
from pytest_resilience.server.server import FakeServer

__all__ = ["errors"]

STATUSES = (500, 503, 429)
NOWHERE = "/pytest-resilience/no/such/path"
METHODS = ("PATCH", "DELETE", "PUT", "POST", "GET")
ALSO = frozenset({"application/octet-stream", "binary/octet-stream", "text/event-stream"})
"""Types of bodies that may be JSON: files that somebody has put there (the second is S3's own
word for them), and errors of streams."""


def errors(trial: Trial) -> Iterator[Flaw]:
    """Planned ones, presets, and the answers to what no route matches."""
    server = trial.new()
    with trial.serving(server):
        planned = {status: _planned(server, status, trial) for status in STATUSES}
        for status, said in planned.items():
            where = f"fail({status})"
            if said.status != status:
                yield Flaw("wrong-status", where, str(status), str(said.status))
            yield from types(where, said)
        wanted = shape_of(data for said in planned.values() for data in _data(said))
        kinds = {said.body.kind for said in planned.values()}
        if len(kinds) > 1 or len(wanted.kinds) > 1 or _nothing_common(wanted):
            came = "; ".join(f"{status}: {_words(said)}" for status, said in planned.items())
            yield Flaw("error-shape", "error()", "one shape for each status", came)
            return
        yield from _presets(server, trial, wanted)
        yield from _unmatched(server, trial, wanted)
    yield from _own(trial, wanted)


def types(where: str, said: Said) -> Iterator[Flaw]:
    """An answer's type against its body."""
    kind = essence(said.headers.get("content-type", ""))
    if said.body.kind == "JSON" and not is_json(kind) and kind not in ALSO:
        yield Flaw("error-type", where, "application/json for a body in JSON", kind or "no type")
    elif is_json(kind) and said.body.kind in {"text", "bytes"}:
        yield Flaw("error-type", where, f"JSON for a Content-Type {kind}", said.body.kind)


def _data(said: Said) -> list[Any]:
    """What a body says; of a stream, what each event does."""
    return said.body.data if said.body.kind == "events" else [said.body.data]


def _nothing_common(shape: Shape) -> bool:
    """Whether they are objects that share no name."""
    return bool(shape.members) and not shape.always


def _planned(server: FakeServer, status: int, trial: Trial) -> Said:
    server.fail(status)
    return ask(server, trial.gets()[0])


def _presets(server: FakeServer, trial: Trial, wanted: Shape) -> Iterator[Flaw]:
    for name in sorted(server.presets) if isinstance(server, Fake) else ():
        where, before = f"preset {name}", len(server.errors)
        server.fail(name)
        said = ask(server, trial.gets()[0])
        if len(server.errors) > before:
            error = server.errors[-1]
            yield Flaw("handler-raised", where, "an answer", f"{type(error).__name__}: {error}")
        elif said.status >= 400:
            yield from types(where, said)
            if said.body.kind == "JSON":  # A page of a load balancer's is one on purpose.
                yield from _shape(where, wanted, said)


def _own(trial: Trial, wanted: Shape) -> Iterator[Flaw]:
    """What the fake's own handlers answer, errors of theirs among it."""
    server = trial.new()
    with trial.serving(server):
        for asked in trial.asks:
            said = ask(server, asked)
            if server.trace[-1].unmatched:
                continue
            where = str(asked)
            yield from types(where, said)
            if said.status >= 400 and _has_its_own(server):
                yield from _shape(where, wanted, said)


def _has_its_own(server: FakeServer) -> bool:
    """Whether it words errors itself; one that does not has said nothing of their shape."""
    return isinstance(server, Fake) and type(server).error is not Fake.error


def _unmatched(server: FakeServer, trial: Trial, wanted: Shape) -> Iterator[Flaw]:
    for asked in (Ask("GET", NOWHERE), *_wrong_methods(trial)):
        said = ask(server, asked)
        if server.trace[-1].unmatched:
            where = str(asked)
            yield from types(where, said)
            if said.status < 400:
                yield Flaw("success-for-nothing", where, "an error", str(said.status))
            else:
                yield from _shape(where, wanted, said)
            if said.status == 405 and not said.headers.get("allow"):
                yield Flaw("allow-missing", where, "Allow with the methods there are", "none")


def _wrong_methods(trial: Trial) -> Iterator[Ask]:
    """A method of which the routes say nothing, for a path of theirs."""
    for target in sorted({one.target for one in trial.asks}):
        used = {one.method for one in trial.asks if one.target == target}
        yield Ask(next(method for method in METHODS if method not in used), target)


def _shape(where: str, wanted: Shape, said: Said) -> Iterator[Flaw]:
    """Members that all errors have must be there; further ones tell more about some.

    One that is null in an error of no request's is filled in where there is something to say.
    """
    came = shape_of(_data(said))
    for place, want, have in mismatches(wanted, came):
        filled_in = want == "null" and place and have != "nothing"
        if want != "nothing" and not filled_in:
            at = f" at {place}" if place else ""
            yield Flaw("error-shape", where, f"{want}{at}, as error() has it", have)


def _words(said: Said) -> str:
    data = said.body.data
    names = ", ".join(sorted(data)) if isinstance(data, dict) else said.body.kind
    return names or "an empty object"
