"""Asks a fake and a real OpenBao the same random requests, and compares the answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pytest_resilience_vault import Vault
from tests.conformance import server
from tests.conformance.known import explained
from tests.conformance.sequences import Episode
from tests.conformance.sides import Ask, Said, Side, about


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers to one request."""

    seed: str
    number: int
    ask: Ask
    fake: str
    real: str
    before: tuple[str, ...]

    def __str__(self) -> str:
        earlier = "".join(f"\n    {line}" for line in self.before)
        return (
            f"request {self.number} of episode {self.seed}: {self.ask}\n"
            f"  fake {self.fake}\n  real {self.real}\n  earlier ones:{earlier}"
        )


@dataclass
class Report:
    """What a run came to."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


def compare(program: Path, seed: int, requests: int, most: int = 1) -> Report:
    """Ask so many requests; stops at `most` differences."""
    report = Report()
    number = 0
    while report.requests < requests and len(report.differences) < most:
        number = _compare_two(program, (seed, number), requests, most, report)
    return report


def _compare_two(
    program: Path, first: tuple[int, int], requests: int, most: int, report: Report
) -> int:
    """Ask two servers until all is asked, or they let nobody in; the number of the next episode."""
    seed, number = first
    with Vault(flavour="openbao") as vault, server.running(program, 3600) as port:
        root, keys = server.set_up(port)
        vault.set_state({"initialized": False})
        server.set_up(vault.port)
        fake, real = Side("fake", vault.port), Side("real", port)
        fake.names["root"], real.names["root"] = vault.root_token, root
        try:
            while report.requests < requests and len(report.differences) < most:
                _run(Episode(f"{seed}:{number}"), f"{seed}:{number}", fake, real, report)
                number += 1
                if server.is_shut(port):
                    break
                server.unseal(port, keys)
                server.unseal(vault.port, vault.unseal_keys)
        finally:
            fake.close()
            real.close()
        for error in vault.errors:
            raise error
    return number


def _run(episode: Episode, seed: str, fake: Side, real: Side, report: Report) -> None:
    asked: list[Ask] = []
    for side in (fake, real):
        side.names = {"root": side.names["root"]}
    for number, ask in enumerate(episode.requests()):
        asked.append(ask)
        try:
            ours, theirs = fake.ask(ask), real.ask(ask)
        except OSError as error:
            error.add_note(f"request {number} of episode {seed}: {ask}")
            raise
        report.requests += 1
        report.statuses[theirs.status] += 1
        if theirs.status == ours.status == 204 and ask.path == "sys/seal":
            return
        if _same(fake, ours, real, theirs):
            continue
        known = explained(ask, ours, theirs)
        if known is not None:
            report.known[known.reason] += 1
            continue
        earlier = tuple(str(one) for one in asked[-12:-1])
        shown = (_shown(fake, ours), _shown(real, theirs))
        report.differences.append(Difference(seed, number, ask, *shown, earlier))
        # What comes after in this episode may only be a consequence.
        for left in episode._end():
            fake.ask(left)
            real.ask(left)
        return


def _same(fake: Side, ours: Said, real: Side, theirs: Said) -> bool:
    return (
        ours.status == theirs.status
        and about(ours.headers) == about(theirs.headers)
        and fake.plain(ours.body) == real.plain(theirs.body)
    )


def _shown(side: Side, said: Said) -> str:
    headers = {name: value for name, value in said.headers.items() if value}
    headers.pop("cache-control", None)
    return f"{said.status} {headers} {side.plain(said.body)}"
