"""Every public name, used as users use it. Nobody runs this: mypy and editors read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, assert_type

import pytest

from pytest_resilience import (
    FOREVER,
    OK,
    Answer,
    Attempt,
    Backoff,
    Breaker,
    CheckFailed,
    Clock,
    ClockError,
    Comparison,
    Fake,
    FakeServer,
    FaultLike,
    Finding,
    Headers,
    Jitter,
    Line,
    Lines,
    LogContract,
    Outcome,
    Plan,
    PlanError,
    PolicyError,
    RealClock,
    Recorder,
    RecordingProxy,
    ResilienceError,
    RetryPolicy,
    Rule,
    ServerError,
    Trace,
    Verdict,
    VirtualClock,
    check_fake,
    compare_recording,
    current_clock,
    faults,
    route,
    to_har,
    use_clock,
    verify,
)
from pytest_resilience_gemini import Gemini, Prompt, Reply, stream
from pytest_resilience_vault import OpenBao, Vault

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from werkzeug import Request


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Any WSGI application."""
    start_response("200 OK", [])
    return [b""]


class GitHub(Fake):
    """A third party's fake."""

    def reset(self) -> None:
        """Nothing stored."""
        self.issues: dict[tuple[str, int], dict[str, Any]] = {}

    @route("GET", "/repos/<repo>/issues/<int:number>")
    def get_issue(self, request: Request, repo: str, number: int) -> Any:
        """One issue."""
        return self.issues.get((repo, number)) or (404, {"message": "Not Found"})


def test_vault(fake_vault: Vault, fake_vault_session: Vault) -> None:
    """Fixtures are annotated with the fakes' own classes, and complete in an editor."""
    fake_vault.put("secret/myapp", {"password": "s3cr3t"})
    assert_type(fake_vault.fail(503, times=3), Rule)
    assert_type(fake_vault.url, str)
    assert_type(Vault(flavour="openbao"), Vault)
    assert isinstance(OpenBao(), Vault)
    assert_type(fake_vault.environment, dict[str, str])
    assert_type(fake_vault_session.root_token, str)
    assert fake_vault.trace.waits == [1, 2, 4]


def test_gemini(fake_gemini: Gemini, fake_gemini_session: Gemini) -> None:
    """Gemini too."""
    fake_gemini.say("Snow, again.", Reply.call("get_weather", city="Paris"), Reply.json([1]))
    fake_gemini.say(lambda prompt: prompt.text)
    fake_gemini.quota(requests_per_minute=2, tokens_per_day=1000)
    fake_gemini.fail(stream.cut(after=2, writes="all"), stream.error_tail("overloaded"))
    fake_gemini.fail(faults.together(stream.end(), faults.slicer(7, seconds=0.5)))
    assert_type(fake_gemini.requests, list[Prompt])
    assert_type(fake_gemini_session.trace, Trace)


def test_server(fake_server: Callable[..., FakeServer], virtual_clock: VirtualClock) -> None:
    """The factory is a callable that returns a server."""
    server = fake_server(app, keep=10)
    rule: Rule = server.fail(faults.reset_peer(), OK, "timeout", times=FOREVER, path="/v1/*")
    assert_type(rule.met, int)
    assert_type(rule.unmet, str)
    with server.outage():
        virtual_clock.advance(60)
    assert_type(virtual_clock.now, float)


def api(fake_server_session: Callable[..., FakeServer]) -> FakeServer:
    """So is the one whose servers all tests share."""
    return fake_server_session(app, keep=10)


def test_records(trace: Trace) -> None:
    """What a trace says."""
    attempt = trace[0]
    assert_type(attempt, Attempt)
    assert_type(attempt.headers, Headers)
    assert_type(attempt.headers["Accept"], str)
    assert_type(attempt.outcome, Outcome)
    assert_type(trace[1:], Trace)
    assert_type(trace[1:].part_of, int)
    assert_type(trace.to("GET", "/v1/*").table(), str)
    waits: list[float] = trace.waits
    gaps: list[float] = trace.gaps
    times: list[float] = trace.times
    assert_type(to_har(trace, "https://vault.example.com"), dict[str, Any])
    assert_type(trace.masked("text"), str)
    statuses: list[int | None] = trace.statuses
    met: list[str | None] = trace.faults
    assert (waits, gaps, times) == pytest.approx(([1.0], [1.0], [0.0, 1.0]))
    assert (statuses, met) == ([503, 200], ["status 503", None])


def test_without_pytest(plan: Plan, fault: FaultLike) -> None:
    """Servers and fakes are context managers of their own."""
    with GitHub(seed=7) as github, FakeServer(app, blocking=False) as server:
        github.issues["anvil", 1] = {"title": "too heavy"}
        github.fail(fault, probability=0.5)
        server.start_over()
        assert_type(server.secret("openSesame", label="the password"), str)
        assert_type(server.canary("a canary"), str)
        assert_type(server.masked("a text"), str)
    assert_type(plan.add(fault), Rule)
    assert_type(Answer(200, (), (b"",)).status, int)


def test_the_fake_itself() -> None:
    """A fake against what holds for all, and against the real server."""
    check_fake(
        GitHub, requests=["GET /", ("POST", "/", {"a": 1}, {"X": "{Y}"})], allowed={"a": "b"}
    )
    with RecordingProxy("https://api.example.com", "calls.jsonl", known={}) as proxy:
        assert_type(proxy.recorded, int)
    comparison = compare_recording("calls.jsonl", GitHub(), headers=["ETag"], values={"a.1": "b"})
    assert_type(comparison, Comparison)
    assert_type([one.place for one in comparison.differences], list[str])
    comparison.raise_if_any()


def test_clocks() -> None:
    """A clock in force, and what one is."""
    real: Clock = RealClock()
    with use_clock(real) as clock:
        assert_type(clock, Clock)
    assert_type(current_clock().monotonic(), float)
    with VirtualClock() as virtual:
        assert_type(virtual.slept, float)


def errors() -> list[type[Exception]]:
    """All errors but a failed check are ResilienceErrors."""
    ours: list[type[ResilienceError]] = [PlanError, PolicyError, ServerError, ClockError]
    return [*ours, CheckFailed]


def test_judged(fake_vault: Vault) -> None:
    """A client against its policy."""
    policy = RetryPolicy(
        attempts=4,
        backoff=Backoff(1, factor=2, cap=32),
        jitter=Jitter("full"),
        statuses=[429, "5xx"],
        failures=["reset", "read-timeout"],
        breaker=Breaker(opens_after=5, stays_open=30),
    )
    assert_type(policy.limit, int | None)
    verdict = verify(lambda url: url, policy, fake_vault, only="outage-without-end")
    assert_type(verdict, Verdict)
    assert_type(verdict.findings, tuple[Finding, ...])
    assert_type(verdict.codes, list[str])
    verdict.raise_if_any()


def test_said(fake_vault: Vault, logs: Recorder) -> None:
    """What was said, and what is claimed to be."""
    assert_type(logs.lines, Lines)
    assert_type(logs.at("WARNING").of("app").matching("retry"), Lines)
    assert_type([line.text for line in logs.above(30).about(1)], list[str])
    logs.check_retries(r"attempt (?P<attempt>\d+)", level="INFO", delay=None)
    logs.check(LogContract(logger="app", retry="retry", longest=500), trace=fake_vault.trace)
    with Recorder(fake_vault) as recorder:
        line: Line = recorder.lines[0]
    assert_type(line.attempt, int | None)


@pytest.mark.resilience(env=False, unmatched=True, unmet=True, errors=True, seed=7, keep=10)
def test_marked(fake_vault: Vault) -> None:
    """The marker's arguments."""
