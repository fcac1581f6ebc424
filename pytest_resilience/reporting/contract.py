"""``@pytest.mark.retry_contract(policy)``: one test for each clause of what a client claims."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_resilience.errors import PolicyError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_resilience.checks.observation import Call
    from pytest_resilience.policy.policy import RetryPolicy
    from pytest_resilience.reporting.custody import Custody
    from pytest_resilience.server.server import FakeServer

MARKER = "retry_contract"
CLAUSE = "_retry_clause"


class Mistake(Exception):
    """The marker cannot be meant."""

    def __init__(self, words: str) -> None:
        super().__init__("mistake")
        self.words = words


def split(metafunc: pytest.Metafunc, marker: pytest.Mark) -> None:
    """Make a test for each clause out of a marked one; one test when it cannot be meant."""
    is_async = inspect.iscoroutinefunction(metafunc.function)
    names: list[str] | list[Mistake]
    try:
        names = _names(_policy(marker, metafunc.definition.path), is_async=is_async)
    except Mistake as mistake:
        names = [mistake]  # What is raised here is no usage error to pytest.
    metafunc.fixturenames.append(CLAUSE)
    metafunc.parametrize(CLAUSE, names, ids=str)


def complaint(item: pytest.Item) -> str:
    """What is wrong with the marker of this test, in one line; empty when nothing is."""
    clause = item.callspec.params.get(CLAUSE) if hasattr(item, "callspec") else None
    if not isinstance(clause, Mistake):
        return ""
    return f"{item.nodeid.partition('[')[0]}: @pytest.mark.{clause.words}"


def run(item: pytest.Function, marker: pytest.Mark, custody: Custody | None) -> None:
    """Put one clause to the test."""
    __tracebackhide__ = True
    from pytest_resilience.judge.verify import Judge, UnknownScenario

    server = _server(item, custody, marker)
    name = str(item.callspec.params[CLAUSE])
    ends: list[BaseException | None] = []
    try:
        with Judge(_body(item, ends), _policy(marker, item.path), server) as judge:
            verdict = judge.verdict(name)
    except UnknownScenario:
        pytest.skip("not meaningful for this client")
    if ends and isinstance(ends[0], pytest.skip.Exception):
        raise ends[0]  # Before it has met any failure: no call of the client was made at all.
    if not verdict:
        text = str(verdict)
        pytest.fail(text if custody is None else custody.mask(text), pytrace=False)


def _policy(marker: pytest.Mark, path: Path) -> RetryPolicy:
    """A policy, one in a line, one in a file beside the test, or that of the project."""
    from pytest_resilience.policy.policy import RetryPolicy

    unknown = sorted(set(marker.kwargs) - {"policy", "server"})
    given = [*marker.args, *(marker.kwargs[key] for key in marker.kwargs if key == "policy")]
    if len(given) > 1 or unknown:
        extra = f", not {', '.join(unknown)}" if unknown else ""
        raise Mistake(f"{MARKER} takes a policy and server{extra}")
    policy = given[0] if given else path.parent
    try:
        if isinstance(policy, str) and policy.endswith(".toml"):
            policy = path.parent / policy
        if isinstance(policy, str):
            policy = RetryPolicy.parse(policy)
        elif isinstance(policy, os.PathLike):
            policy = RetryPolicy.from_toml(policy)
    except PolicyError as error:
        raise Mistake(f"{MARKER}: {' '.join(str(error).split())}") from None
    if not isinstance(policy, RetryPolicy):
        raise Mistake(f"{MARKER} wants a RetryPolicy, got {policy!r}")
    return policy


def _names(policy: RetryPolicy, *, is_async: bool) -> list[str]:
    """The clauses, as far as they can be known before the client has made a call."""
    from pytest_resilience.judge import battery
    from pytest_resilience.judge.ground import claimed_fault
    from pytest_resilience.judge.scenario import Subject

    fault = None if policy.limit == 1 else claimed_fault(policy) or 503
    subject = Subject(
        policy,
        _call_as_claimed(policy),
        is_async,
        fault,
        knows_secrets=policy.login is not None,
    )
    return ["undisturbed", *(scenario.name for scenario in battery.scenarios(subject))]


def _call_as_claimed(policy: RetryPolicy) -> Call:
    """A call that nobody has made: who claims a login logs in, and shows what he was given."""
    from pytest_resilience.checks.observation import Call
    from pytest_resilience.records import Attempt, Trace

    if policy.login is None:
        return Call(0, 0)
    login = Attempt(1, 0, 1, reused=False, method="POST", target=policy.login, head=b"")
    use = Attempt(2, 0, 1, reused=True, method="GET", target="/", head=b"Authorization: -")
    return Call(0, 0, trace=Trace([login, use]))


def _body(item: pytest.Function, ends: list[BaseException | None]) -> Any:  # noqa: ANN401 -- whatever the test's body returns
    """The body of the test as a call without arguments; how each has ended is noted."""
    names = item._fixtureinfo.argnames  # noqa: SLF001 -- the way of pytest's own pytest_pyfunc_call
    arguments = {name: item.funcargs[name] for name in names}

    def call() -> object:
        with _noting(ends):
            return item.obj(**arguments)

    async def acall() -> object:
        with _noting(ends):
            return await item.obj(**arguments)

    return acall if inspect.iscoroutinefunction(item.obj) else call


@contextlib.contextmanager
def _noting(ends: list[BaseException | None]) -> Iterator[None]:
    """What the first of these blocks ends by."""
    end: BaseException | None = None
    try:
        yield
    except pytest.skip.Exception as skipped:
        end = skipped
        raise
    finally:
        if not ends:
            ends.append(end)


def _server(item: pytest.Function, custody: Custody | None, marker: pytest.Mark) -> FakeServer:
    from pytest_resilience.server.server import FakeServer

    named = marker.kwargs.get("server")
    if named is not None:
        fakes = {
            name: value for name, value in item.funcargs.items() if isinstance(value, FakeServer)
        }
        if isinstance(named, str) and named in fakes:
            return fakes[named]
        hint = f"; it has {', '.join(fakes)}" if fakes else f", and no other{_maker(item)}"
        where = f"{MARKER}(server={named!r})"
        pytest.fail(f"{where}: the test has no fake of that name{hint}", pytrace=False)
    servers = [] if custody is None else [watched.server for watched in custody.servers]
    if len(servers) == 1:
        return servers[0]
    what = f"{len(servers)} fakes: say which by server=" if servers else f"no fake{_maker(item)}"
    pytest.fail(f"{MARKER}: the test uses {what}", pytrace=False)


def _maker(item: pytest.Function) -> str:
    """What to do about a test whose body would make a server at every call."""
    for name in ("fake_server", "fake_server_session"):
        if name in item.funcargs:
            return f": {name} only makes them; call it in a fixture that returns the server"
    return ""
