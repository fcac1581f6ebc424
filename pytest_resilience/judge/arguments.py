"""Arguments of `verify` that cannot be meant, refused where they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import NoReturn

from pytest_resilience.errors import ResilienceError
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.server.server import FakeServer

__all__ = ["names_of", "refuse_others"]


def refuse_others(
    *, call: object, policy: object, server: object, runner: object, another: object
) -> None:
    """Refuse what is of another kind than it should be.

    Raises:
        ResilienceError: It is; says what was wanted, what came, and what to do.
    """
    if not callable(call):
        _refuse("a client's call", call, "wrap it in a function: verify(lambda url: fetch(url))")
    if isinstance(policy, str):
        _refuse("a RetryPolicy", policy, "read it by RetryPolicy.parse(...)")
    if policy is not None and not isinstance(policy, RetryPolicy):
        _refuse("a RetryPolicy", policy, "make one: RetryPolicy(attempts=4, timeout=10)")
    if server is not None and not isinstance(server, FakeServer):
        _refuse("server=, a FakeServer or a fake", server, "leave it out for one that answers 200")
    if runner is not None and not callable(runner):
        _refuse("runner=, what runs async functions", runner, "pass trio.run itself, say")
    if runner is asyncio.run:
        _refuse("a runner for what asyncio does not run", runner, "leave runner= out for asyncio")
    if another is not None and not callable(another):
        _refuse("another=, a call with another credential", another, "wrap it in a lambda")


def names_of(only: object) -> frozenset[str] | None:
    """The names of scenarios that are meant; None for all.

    Raises:
        ResilienceError: It is no name, and no collection of names, or an empty one.
    """
    if only is None:
        return None
    names = (only,) if isinstance(only, str) else only
    if not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        _refuse("only=, a scenario's name or several", only, "each finding says its scenario")
    if not names:
        _refuse("only=, a scenario's name or several", only, "leave it out for all of them")
    return frozenset(names)


def _refuse(wanted: str, came: object, remedy: str) -> NoReturn:
    raise ResilienceError(f"verify wants {wanted}, got {came!r}: {remedy}")
