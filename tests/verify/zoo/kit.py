"""How the clients of the zoo are labelled, and where they are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Client = Callable[..., Any]
STATUSES = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Specimen:
    """A client, and what it claims."""

    name: str
    make: Callable[[], Client]
    claim: Mapping[str, Any]
    code: str = ""
    """What is wrong with it, or was before it was mended."""

    def __str__(self) -> str:
        return f"{self.code}-{self.name}" if self.code else self.name


CORRECT: list[Specimen] = []
BROKEN: list[Specimen] = []
MENDED: list[Specimen] = []


def _keep(
    where: list[Specimen], code: str, claim: Mapping[str, Any], *, factory: bool
) -> Callable[[Client], Client]:
    def note(client: Client) -> Client:
        make = client if factory else lambda: client
        where.append(Specimen(client.__name__, make, claim, code))
        return client

    return note


def correct(*, factory: bool = False, **claim: Any) -> Callable[[Client], Client]:
    """A client in which nothing is wrong; a factory makes a new one for each test."""
    return _keep(CORRECT, "", claim, factory=factory)


def broken(code: str, *, factory: bool = False, **claim: Any) -> Callable[[Client], Client]:
    """A client in which this is to be found."""
    return _keep(BROKEN, code, claim, factory=factory)


def mended(code: str, *, factory: bool = False, **claim: Any) -> Callable[[Client], Client]:
    """Its neighbour with that one thing put right."""
    return _keep(MENDED, code, claim, factory=factory)
