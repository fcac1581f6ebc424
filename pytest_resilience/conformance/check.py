"""`check_fake`: whether a fake keeps the promises of every fake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_resilience.conformance.asking import NoAnswer, asks_for, asks_of
from pytest_resilience.conformance.errors import errors
from pytest_resilience.conformance.flaw import Flaw
from pytest_resilience.conformance.life import life
from pytest_resilience.conformance.protocol import protocol
from pytest_resilience.conformance.resetting import resetting, secrets_shared, states
from pytest_resilience.conformance.trial import Still, Trial
from pytest_resilience.conformance.watching import Watch
from pytest_resilience.errors import CheckFailed
from pytest_resilience.server.server import FakeServer

__all__ = ["check_fake", "flaws_of"]

PARTS: tuple[Callable[[Trial], Iterator[Flaw]], ...] = (
    life,
    protocol,
    errors,
    states,
    resetting,
    secrets_shared,
)


def check_fake(
    fake: Callable[..., FakeServer],
    *,
    requests: Iterable[str | Sequence[Any]] = (),
    allowed: Mapping[str, str] | None = None,
) -> None:
    """Fail unless a fake keeps the promises of every fake, whatever service it imitates.

    ::

        def test_the_fake():
            check_fake(GitHub, requests=["GET /repos/me/mine/issues/1"])

    It starts and stops instances of the class, sends them requests in real time, and reads
    what they answer, store and leave behind. What it holds against them is the table in
    docs/your-own-fake.md.

    Args:
        fake: A class derived from `Fake`, or a function with the same arguments.
        requests: What to ask: ``"GET /path"``, or a tuple of method, path, JSON data and
            headers. ``{NAME}`` stands for a variable of the fake's `environment`. Without
            any, each route is asked once, with something in place of its variables.
        allowed: Where the real service is otherwise, with the reason: the code of a flaw,
            alone or with its place, as the failure names them:
            ``{"head-differs": "the service answers 405 to HEAD"}``.

    Raises:
        CheckFailed: With every flaw that was found.
        PlanError: `requests` has something that is no request.
    """
    __tracebackhide__ = True
    found = flaws_of(fake, requests=requests, allowed=allowed)
    if found:
        name = getattr(fake, "__name__", repr(fake))
        words = "1 flaw" if len(found) == 1 else f"{len(found)} flaws"
        raise CheckFailed("\n".join([f"{name} has {words}", *(f"  {flaw}" for flaw in found)]))


def flaws_of(
    fake: Callable[..., FakeServer],
    *,
    requests: Iterable[str | Sequence[Any]] = (),
    allowed: Mapping[str, str] | None = None,
) -> tuple[Flaw, ...]:
    """The same as data: what `check_fake` would fail with."""
    exceptions = dict(allowed or {})
    asks = asks_for(requests)
    found: dict[tuple[str, str], Flaw] = {}
    used = set()
    with Watch(fake.__module__.partition(".")[0]) as watch:
        for flaw in (*_found(Trial(fake, asks, watch, Still())), *watch.flaws()):
            names = {flaw.code, flaw.key} & exceptions.keys()
            used |= names
            if not names:
                found.setdefault((flaw.code, flaw.where), flaw)
    for name in sorted(exceptions.keys() - used):
        flaw = Flaw("needless-exception", name, "a flaw that this allows", "none")
        found[flaw.code, name] = flaw
    return tuple(found.values())


def _found(trial: Trial) -> Iterator[Flaw]:
    try:
        first = trial.new()
    except Exception as error:  # noqa: BLE001 -- the fake's own code
        came = f"{type(error).__name__}: {error}"
        yield Flaw("cannot-be-made", "the class", "an instance with seed and clock", came)
        return
    trial.asks.extend([] if trial.asks else asks_of(first))
    for part in PARTS:
        try:
            for flaw in part(trial):
                yield flaw
                if flaw.code == "environment-not-text":
                    return  # Nothing can be said of what is made of it.
        except NoAnswer as error:
            yield Flaw("no-answer", str(error.asked), "an answer", str(error))
            if error.hangs:
                return  # It would be waited for again and again.
        except Exception as error:
            where = trial.watch.place_of(error)
            if where is None:
                raise
            yield Flaw("method-raised", where, "no exception", f"{type(error).__name__}: {error}")
