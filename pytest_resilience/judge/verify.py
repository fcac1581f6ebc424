"""`verify`: try to prove a client wrong."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Self

from pytest_resilience.checks import calls
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.implied import without_consequences
from pytest_resilience.checks.observation import Call
from pytest_resilience.errors import ResilienceError
from pytest_resilience.judge import battery
from pytest_resilience.judge.another import as_another
from pytest_resilience.judge.arguments import names_of, refuse_others
from pytest_resilience.judge.ground import first_call, standard_fault
from pytest_resilience.judge.hands import Runner
from pytest_resilience.judge.keeping import NAME as KEPT_ANSWERS, keeping
from pytest_resilience.judge.recovery import recovered
from pytest_resilience.judge.scenario import Scenario, Subject
from pytest_resilience.judge.stage import Stage
from pytest_resilience.judge.verdict import Verdict
from pytest_resilience.plan import nearest
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.server.credentials import variables
from pytest_resilience.server.server import FakeServer

__all__ = ["Judge", "UnknownScenario", "verify"]

STUCK = 3
"""After as many calls that never returned nothing else is worth trying."""

DOUBTS = 2
"""How often a scenario is played again that shows something wrong while time went on without a
thread: on a machine that gives it no processor it may be right all the same."""


def verify(
    call: Callable[..., Any],
    policy: RetryPolicy | None = None,
    server: FakeServer | None = None,
    *,
    only: str | Collection[str] | None = None,
    runner: Runner | None = None,
    another: Callable[[], Any] | None = None,
) -> Verdict:
    """Try to prove that a client does not do what it claims.

    ::

        verdict = verify(lambda url: fetch(url), RetryPolicy(attempts=4, backoff=[1, 2, 4]))
        assert not verdict.findings, verdict

    Args:
        call: One call of the client. With an argument it is given the server's URL; without
            one it finds the server by the environment or by itself. What it returns is
            awaited when it can be.
        policy: What the client claims; what it does not claim is not judged, except where
            no correct client would do it.
        server: Who answers; a server of its own that answers all with 200 when it is None.
            Its trace and plan are cleared, what it stores stays.
        only: The name of a scenario, or several: nothing else is played.
        runner: Runs async functions, such as ``trio.run``; asyncio when it is None.
        another: The same call with another credential, for a client that keeps answers. A
            call with a parameter such as ``token="..."`` needs none.

    Raises:
        ResilienceError: No scenario has that name, the call wants other arguments, or one of
            these is of another kind.
    """
    with Judge(call, policy, server, runner=runner, another=another) as judge:
        return judge.verdict(only)


class UnknownScenario(ResilienceError):
    """The battery of this client has no scenario of that name."""


class Judge:
    """A client on its stage, with the battery that its policy makes meaningful.

    A context manager; `verify` is all that most need.
    """

    def __init__(
        self,
        call: Callable[..., Any],
        policy: RetryPolicy | None = None,
        server: FakeServer | None = None,
        *,
        runner: Runner | None = None,
        another: Callable[[], Any] | None = None,
    ) -> None:
        refuse_others(call=call, policy=policy, server=server, runner=runner, another=another)
        self._another = another
        self.policy = RetryPolicy() if policy is None else policy
        self._call = call
        self._server = server
        self._runner = runner
        self._stack = contextlib.ExitStack()
        self.is_lost = False
        """Whether the client will never ask again, so that nothing else can be tried."""
        self._is_wrong = False
        self._doubts = DOUBTS

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            server = FakeServer() if self._server is None else self._server
            if not server.running:
                stack.enter_context(server)
            stack.enter_context(_pointed_at(server))
            call = _without_arguments(self._call, server)
            self.stage = stack.enter_context(
                Stage(
                    call,
                    server,
                    is_async=_is_async(self._call),
                    runner=self._runner,
                    another=self._another or _as_another(self._call, server),
                )
            )
            self._stack = stack.pop_all()
        self._began = self.stage.clock.now
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def verdict(self, only: str | Collection[str] | None = None) -> Verdict:
        """Play the battery, or a part of it, and say what was found."""
        wanted = names_of(only)
        began = self.stage.clock.now
        first, found = first_call(self.stage, self.policy)
        if self.stage.hands.awaits:  # It was no coroutine function to look at: a lambda, say.
            self.stage.is_async = self.stage.hands.is_async = True
        findings = [self._without_secrets(finding) for finding in found]
        played: list[str] = ["undisturbed"]
        if not findings:
            findings += keeping(self.stage, self.policy, first, self._by_another_name())
        if not findings:
            for scenario in self._chosen(self.scenarios(first), wanted):
                findings += self.findings(scenario, first)
                played.append(scenario.name)
                if self.is_lost or self.stage.stuck >= STUCK or _is_crowded(findings):
                    break
        seconds = round(self.stage.clock.now - began, 9)
        return Verdict(without_consequences(findings), tuple(played), seconds)

    def scenarios(self, first: Call) -> list[Scenario]:
        """The battery for this client."""
        if self.policy.breaker is not None:
            self.stage.rest = max(self.stage.rest, 2 * self.policy.breaker.stays_open)
        subject = Subject(
            policy=self.policy,
            baseline=first,
            is_async=self.stage.is_async,
            standard=standard_fault(self.stage, self.policy, first),
            is_foreign=self._runner is not None,
            knows_secrets=bool(self.stage.server.secrets),
        )
        return list(battery.scenarios(subject))

    def findings(self, scenario: Scenario, first: Call) -> list[Finding]:
        """Play one scenario and judge it."""
        asks, found = recovered(self.stage, self.policy, first)
        # Nothing more can be tried of one who asks no more, once it is told what is wrong.
        self.is_lost = not asks and (bool(found) or self._is_wrong)
        if not self.is_lost:
            found = self._judged(scenario, first)
            while found and self._is_doubtful() and recovered(self.stage, self.policy, first)[0]:
                self._doubts -= 1
                found = self._judged(scenario, first)
        self._is_wrong = self._is_wrong or bool(found)
        return [
            dataclasses.replace(self._without_secrets(finding), scenario=scenario.name)
            for finding in found
        ]

    def _is_doubtful(self) -> bool:
        return self.stage.is_doubtful and self._doubts > 0

    def _judged(self, scenario: Scenario, first: Call) -> list[Finding]:
        seen = self.stage.play(scenario, first)
        checks = (calls.ended, *scenario.checks)
        return [finding for check in checks for finding in check(seen, self.policy)]

    def _by_another_name(self) -> Callable[[], Any] | None:
        """The same call of the same server, which a cache with addresses for keys takes for new."""
        parameters = _required(self._call)
        url = self.stage.server.url.replace("http", "HTTP", 1)
        return None if not parameters else _with(self._call, parameters[0], url)

    def _without_secrets(self, finding: Finding) -> Finding:
        """A finding may quote what the client has said, and a verdict is shown to many."""
        hide = self.stage.server.masked
        sentence, *evidence = (hide(text) for text in (finding.sentence, *finding.evidence))
        return dataclasses.replace(finding, sentence=sentence, evidence=tuple(evidence))

    def _chosen(
        self, scenarios: Sequence[Scenario], wanted: frozenset[str] | None
    ) -> Sequence[Scenario]:
        if wanted is None:
            return scenarios
        names = [scenario.name for scenario in scenarios]
        for name in sorted(wanted - {*names, "undisturbed", KEPT_ANSWERS}):
            raise UnknownScenario(
                f"no scenario is named {name!r}{nearest(name, names)}; there are: "
                f"{', '.join(names)}"
            )
        return [scenario for scenario in scenarios if scenario.name in wanted]


def _is_crowded(findings: Sequence[Finding]) -> bool:
    """Whether each call leaves something behind that would be at work in all that follows."""
    return any(finding.code.endswith("-left-behind") for finding in findings)


def _is_async(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(
        getattr(call, "__call__", None)  # noqa: B004 -- an object whose call is a coroutine
    )


def _without_arguments(call: Callable[..., Any], server: FakeServer) -> Callable[[], Any]:
    """The call, given the URL if it wants one argument."""
    required = _required(call)
    if not required:
        return call
    if len(required) == 1:
        return _with(call, required[0], server.url)
    names = ", ".join(parameter.name for parameter in required)
    raise ResilienceError(
        f"verify(call) wants a call with no required argument, or one for the server's URL; "
        f"this one has {names}: wrap it in a lambda"
    )


def _required(call: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # A builtin that does not say.
        return []
    return [
        parameter
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _with(call: Callable[..., Any], wanted: inspect.Parameter, url: str) -> Callable[[], Any]:
    if wanted.kind is wanted.KEYWORD_ONLY:
        return lambda: call(**{wanted.name: url})
    return lambda: call(url)


def _as_another(call: Callable[..., Any], server: FakeServer) -> Callable[[], Any] | None:
    other = as_another(call)
    return None if other is None else _without_arguments(other, server)


@contextlib.contextmanager
def _pointed_at(server: FakeServer) -> Iterator[None]:
    """The environment that points clients at the server, unless somebody has seen to that."""
    missing = {
        name: value for name, value in variables(server).items() if os.environ.get(name) != value
    }
    before = {name: os.environ.get(name) for name in missing}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
