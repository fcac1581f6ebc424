"""HTTP as every service speaks it: HEAD, bodies that end where they say, kept connections."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_resilience.conformance.asking import Ask, NoAnswer, Said, Talk, ask
from pytest_resilience.conformance.flaw import Flaw
from pytest_resilience.conformance.trial import Trial
from pytest_resilience.server.server import FakeServer

__all__ = ["protocol"]


def protocol(trial: Trial) -> Iterator[Flaw]:
    """Each request that reads: alone, then three in a row on one connection."""
    server = trial.new()
    with trial.serving(server):
        for asked in trial.gets():
            before = len(server.errors)
            ask(server, asked)
            if len(server.errors) > before:
                error = server.errors[-1]
                yield Flaw(
                    "handler-raised", str(asked), "an answer", f"{type(error).__name__}: {error}"
                )
            else:
                yield from _in_a_row(server, asked)


def _in_a_row(server: FakeServer, asked: Ask) -> Iterator[Flaw]:
    talk = Talk(server)
    try:
        first = talk.ask(asked)
        head = talk.ask(asked._replace(method="HEAD"))
        second = talk.ask(asked)
    except NoAnswer as error:
        yield Flaw(
            "connection-not-kept", str(asked), "GET, HEAD and GET answered in turn", str(error)
        )
        return
    finally:
        talk.close()
    if first.headers.get("connection", "").lower() == "close":
        yield Flaw("connection-not-kept", str(asked), "no word of closing", "Connection: close")
    if first.status == second.status:
        yield from _head(f"HEAD {asked.target}", first, head, same=first.body == second.body)


def _head(where: str, get: Said, head: Said, *, same: bool) -> Iterator[Flaw]:
    """HEAD against GET, as far as GET says the same each time."""
    if head.status != get.status:
        yield Flaw("head-differs", where, f"{get.status}, as GET", str(head.status))
        return
    for name in ("content-type", "content-length") if same else ("content-type",):
        wanted, came = get.headers.get(name), head.headers.get(name)
        if came not in {None, wanted}:
            yield Flaw("head-differs", where, f"{name}: {wanted}, as GET", f"{name}: {came}")
