"""What a fake remembers: state that is set and given, resets, and secrets of its own.

*Problem.* Two runs of the same requests are never quite the same: ids and tokens are minted.
A check that calls that a difference accuses correct fakes.

*Solution.* All runs have the same seed and a wall clock that stands still; what looks random
and the instance's own address and secrets are left out. What then differs after a reset must
have been remembered, unless it differs in every one of five runs and does not count up in
steps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pytest_resilience.conformance.asking import Said
from pytest_resilience.conformance.flaw import Flaw
from pytest_resilience.conformance.trial import Trial
from pytest_resilience.secrets.names import tells
from pytest_resilience.secrets.value import looks_random
from pytest_resilience.server.server import FakeServer

__all__ = ["resetting", "secrets_shared", "states"]

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
RANDOM = re.compile(r"[A-Za-z0-9_+/=.-]{8,}")
MISSING = "nothing"


def resetting(trial: Trial) -> Iterator[Flaw]:
    """Play the requests, start over, and play them again."""
    server = trial.new()
    with trial.serving(server):
        runs = [_run(trial, server)]
        for _ in range(2):
            server.start_over()
            runs.append(_run(trial, server))
    for _ in range(2):
        other = trial.new()
        with trial.serving(other):
            runs.append(_run(trial, other))
    names = ["state() when new", *map(str, trial.asks), "state() after the requests"]
    for name, *seen in zip(names, *runs, strict=True):
        for place, values in _apart(seen):
            where = f"{name} {place}".rstrip()
            wanted, came = _shown(values[0]), _shown(next(v for v in values if v != values[0]))
            yield Flaw("not-reset", where, f"{wanted}, as with a new one", came)
            return  # What follows may only be a consequence.


def states(trial: Trial) -> Iterator[Flaw]:
    """Give back what `state` has given: to a new service, or at least to the same."""
    server = trial.new()
    with trial.serving(server):
        trial.play(server)
        try:
            state = json.loads(json.dumps(server.state()))
        except (TypeError, ValueError) as error:
            yield Flaw("state-not-json", "state()", "JSON data", str(error))
            return
        refusal = _set(server, state)
        if not refusal:
            server.start_over()
            if _set(server, state):  # What it minted cannot be set anew, and it says so.
                return
            lost = list(_lost(state, json.loads(json.dumps(server.state())), "state()"))
    if refusal:
        yield Flaw("state-not-settable", "set_state(state())", "the state is taken", refusal)
    for place, wanted, came in [] if refusal else lost[:1]:
        yield Flaw("state-not-settable", place, _shown(wanted), _shown(came))


def _set(server: FakeServer, state: Any) -> str:  # noqa: ANN401 -- JSON
    """Why it does not take a state; empty when it does."""
    try:
        server.set_state(state)
    except Exception as error:  # noqa: BLE001 -- the fake's own code
        return f"{type(error).__name__}: {error}"
    return ""


def secrets_shared(trial: Trial) -> Iterator[Flaw]:
    """Two instances have no secret in common."""
    with trial.serving(trial.new(1)) as one, trial.serving(trial.new(2)) as two:
        ours = {secret.value: secret.label for secret in one.secrets}
        shared = {ours[secret.value] for secret in two.secrets if secret.value in ours}
        handed_out = [dict(_handed_out(trial, server)) for server in (one, two)]
    shared |= {name for value, name in handed_out[0].items() if value in handed_out[1]}
    for label in sorted(shared):
        yield Flaw("shared-secret", label, "another value in each instance", "the same one")


def _handed_out(trial: Trial, server: FakeServer) -> Iterator[tuple[str, str]]:
    """What answers name a token or the like, and look as if chance had made it."""
    sent = json.dumps([one.data for one in trial.asks], default=repr)
    for said in trial.play(server):
        for name, value in _named(said.body.data, ""):
            if tells(name) and looks_random(value) and value not in sent:
                yield value, name


def _named(data: Any, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- JSON
    """Texts, with the name that is nearest to each."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _named(value, str(key))
    elif isinstance(data, list):
        for value in data:
            yield from _named(value, name)
    elif isinstance(data, str):
        yield name, data


def _run(trial: Trial, server: FakeServer) -> list[Any]:
    new = server.state()
    answers: list[Any] = [_answer(said) for said in trial.play(server)]
    seen = [new, *answers, server.state()]
    own = {server.url: "<url>", f"{server.host}:{server.port}": "<host>"}
    own |= {secret.value: "<secret>" for secret in server.secrets}
    return [_plain(one, own) for one in seen]


def _answer(said: Said) -> dict[str, Any]:
    data = said.body.data
    return {"status": said.status, "body": repr(data) if isinstance(data, bytes) else data}


def _plain(data: Any, own: dict[str, str]) -> Any:  # noqa: ANN401 -- JSON
    """Without what each instance and each moment has of its own."""
    if isinstance(data, dict):
        return {_text(str(key), own): _plain(value, own) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value, own) for value in data]
    return _text(data, own) if isinstance(data, str) else data


def _text(text: str, own: dict[str, str]) -> str:
    for value, name in own.items():
        text = text.replace(value, name)
    return RANDOM.sub(_unless_a_word, MOMENT.sub("<moment>", text))


def _unless_a_word(match: re.Match[str]) -> str:
    """More is taken for random here than where finding a value accuses somebody."""
    mixed = sum(c.isdigit() or c.isupper() for c in match[0])
    return "<random>" if mixed >= 3 or looks_random(match[0]) else match[0]


def _apart(seen: list[Any], place: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Places at which not all are the same, and what is there."""
    if all(isinstance(one, dict) for one in seen):
        for key in sorted({key for one in seen for key in one}):
            inside = f"{place}.{key}" if place else key
            yield from _apart([one.get(key, MISSING) for one in seen], inside)
    elif all(isinstance(one, list) and len(one) == len(seen[0]) for one in seen):
        for at, values in enumerate(zip(*seen, strict=True)):
            yield from _apart(list(values), f"{place}[{at}]")
    elif any(one != seen[0] for one in seen) and not _by_chance(seen):
        yield place, seen


def _by_chance(seen: list[Any]) -> bool:
    """Whether these are values that chance makes: no two the same, and no count."""
    if all(isinstance(one, str) for one in seen):
        words = [one for one in seen if "<random>" not in one]
        return len(set(words)) == len(words)
    numbers = [one for one in seen if isinstance(one, int | float)]
    steps = {later - one for one, later in pairwise(numbers)}
    return len(set(numbers)) == len(seen) and len(steps) > 1


def _lost(wanted: Any, came: Any, place: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 -- JSON
    """Of what was set, what is not there; further things may be."""
    if isinstance(wanted, dict) and isinstance(came, dict):
        for key, value in wanted.items():
            yield from _lost(value, came.get(key, MISSING), f"{place}[{key!r}]")
    elif isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        for at, (value, other) in enumerate(zip(wanted, came, strict=True)):
            yield from _lost(value, other, f"{place}[{at}]")
    elif wanted != came:
        yield place, wanted, came


def _shown(value: Any) -> str:  # noqa: ANN401 -- JSON
    text = json.dumps(value, default=repr)
    return text if len(text) <= 80 else f"{text[:77]}..."
