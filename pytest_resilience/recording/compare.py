"""Where a fake answers otherwise than the real server did: status, headers, and shape."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pytest_resilience.errors import CheckFailed, PlanError
from pytest_resilience.recording import tape
from pytest_resilience.recording.replay import Replay, accepted_in, names_in
from pytest_resilience.recording.shape import mismatches, shape_of
from pytest_resilience.recording.tape import Exchange, Message
from pytest_resilience.server.server import FakeServer

__all__ = ["Comparison", "Difference", "compare_recording"]

BY_VALUE = ("Allow", "Cache-Control", "Content-Type")
BY_PRESENCE = ("ETag", "Link", "Location", "Retry-After", "Set-Cookie", "WWW-Authenticate")
"""What a client acts on. The values of these are each server's own."""
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the fake is not like the real server."""

    number: int
    """Of the exchange in the recording, from 1."""
    request: str
    place: str
    """``status``, ``header Retry-After``, ``body``, or a place in it: ``body data.keys[]``."""
    real: str
    fake: str

    def __str__(self) -> str:
        said = f"the real server had {self.real}, the fake {self.fake}"
        return f"exchange {self.number}, {self.request}: {self.place}: {said}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of replaying a recording to a fake."""

    exchanges: int
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    """What could not be compared as it should, and what to do about it."""

    def raise_if_any(self) -> None:
        """Fail when there is a difference.

        Raises:
            CheckFailed: With all of them.
        """
        __tracebackhide__ = True
        if self.differences:
            raise CheckFailed(str(self))

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self)

    def __str__(self) -> str:
        count = len(self.differences)
        words = "1 difference" if count == 1 else f"{count or 'no'} differences"
        lines = [f"{words} in {self.exchanges} exchanges"]
        lines += [f"  {line}" for line in _told_once(self.differences)]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def compare_recording(
    recording: str | Path,
    fake: FakeServer,
    *,
    headers: Iterable[str] = (),
    values: Mapping[str, str] | None = None,
) -> Comparison:
    """Send a recording's requests to a fake, and compare its answers with the real server's.

    ::

        compare_recording("vault.jsonl", fake_vault).raise_if_any()

    Requests go in the order of the recording, over one connection, and at once: time that
    passed between them does not pass again. Compared are the status, the header fields that
    a client acts on, and the kinds and names in a body; not its values. When the status
    differs, that is the difference.

    Args:
        recording: A file of `RecordingProxy`'s.
        fake: A server; started for the comparison unless it runs.
        headers: Further fields to be compared by their values.
        values: The fake's values for names in the recording, where nothing tells them:
            ``{"password.1": "s3cr3t"}``.

    Raises:
        PlanError: The fake is no server; a class is none yet.
        ResilienceError: The file cannot be read, or is no recording.
    """
    given: object = fake
    if not isinstance(given, FakeServer):
        made = f"; {given.__name__}() is one" if isinstance(given, type) else ""
        raise PlanError(f"compare_recording: the fake is {given!r}, which is no server{made}")
    read = tape.load(recording)
    further = tuple(headers)
    with contextlib.ExitStack() as stack:
        if not fake.running:
            stack.enter_context(fake)
        replay = Replay(fake, accepted_in(read.exchanges), values)
        stack.callback(replay.close)
        found = [
            difference
            for exchange in read.exchanges
            for difference in _differences(exchange, replay.answer(exchange), further)
        ]
    notes = [*_notes(replay.unknown), *_useless(values or {}, names_in(read.exchanges))]
    return Comparison(len(read.exchanges), tuple(found), tuple(notes))


def _useless(values: Mapping[str, str], names: AbstractSet[str]) -> Iterator[str]:
    there = ", ".join(sorted(names)) or "none"
    for name in values:
        if name not in names:
            why = f"the recording has no such name; it has {there}"
            yield f"the value of {name} was not used: {why}"


def _notes(unknown: Mapping[str, int]) -> Iterator[str]:
    for name, number in unknown.items():
        yield (
            f"exchange {number} needed {name}, for which the fake has no value: its answers to "
            f"what came before lack it, or values={{{name.strip('{}')!r}: ...}} has to say it"
        )


def _differences(
    exchange: Exchange, fake: Message, further: tuple[str, ...]
) -> Iterator[Difference]:
    def difference(place: str, wanted: str, came: str) -> Difference:
        return Difference(exchange.number, exchange.line, place, wanted, came)

    real = exchange.answer
    if real.status != fake.status:
        came = str(fake.status) if fake.status else f"no answer ({fake.body.data})"
        yield difference("status", str(real.status), came)
        return
    for name in (*BY_VALUE, *further):
        wanted, had = real.header(name), fake.header(name)
        if _plain(wanted) != _plain(had):
            yield difference(f"header {name}", wanted or NOTHING, had or NOTHING)
    for name in BY_PRESENCE:
        wanted, had = real.header(name), fake.header(name)
        if (wanted is None) != (had is None):
            yield difference(f"header {name}", wanted or NOTHING, had or NOTHING)
    if real.body.kind != fake.body.kind:
        yield difference("body", real.body.kind, fake.body.kind)
    elif real.body.kind in {"JSON", "events"}:
        shapes = shape_of([real.body.data]), shape_of([fake.body.data])
        for place, want, have in mismatches(*shapes):
            yield difference(f"body {place}".rstrip(), want, have)


def _plain(value: str | None) -> str:
    return "" if value is None else "".join(value.split()).lower()


def _told_once(differences: Iterable[Difference]) -> Iterator[str]:
    """Lines for differences; the same one of several exchanges is told with the first."""
    first: dict[tuple[str, ...], Difference] = {}
    count: Counter[tuple[str, ...]] = Counter()
    for one in differences:
        key = (one.request, one.place, one.real, one.fake)
        first.setdefault(key, one)
        count[key] += 1
    for same, one in first.items():
        yield f"{one} (x{count[same]})" if count[same] > 1 else str(one)
