"""The battery's log scenarios: right clients are left alone, and each wrong one is found."""

from __future__ import annotations

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from pytest_resilience import FakeServer, LogContract, RetryPolicy, Trace, verify
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.judge.battery import logs as family
from pytest_resilience.judge.scenario import Subject
from pytest_resilience.logs import Lines

LOG = logging.getLogger("tests.logs.family")

CLAIMS = LogContract(
    logger="tests.logs.family",
    retry=r"attempt (?P<attempt>\d+) failed .*waiting (?P<delay>[\d.]+) s",
    failure="^gave up",
    longest=300,
)


class Client:
    """A client that retries and logs; each flaw is a method that is overridden."""

    attempts = 3

    def __call__(self, url: str) -> str:
        for attempt in range(1, self.attempts + 1):
            self.before(attempt)
            try:
                text = self.get(url)
            except urllib.error.HTTPError as caught:
                with caught:
                    error = f"HTTP {caught.code}: {self.words(caught.read().decode())}"
                again = caught.code >= 500
            except OSError as caught:
                error, again = type(caught).__name__, True
            else:
                self.worked(attempt)
                return text
            if not again or attempt == self.attempts:
                break
            self.retrying(attempt, error)
            time.sleep(attempt)
        self.failed(error)
        raise RuntimeError(error)

    def get(self, url: str) -> str:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return str(answer.read().decode())

    def words(self, body: str) -> str:
        return repr(body[:100])

    def before(self, attempt: int) -> None:
        LOG.info("asking")

    def worked(self, attempt: int) -> None:
        pass

    def retrying(self, attempt: int, error: str) -> None:
        LOG.warning("attempt %d failed (%s), waiting %.1f s", attempt, error, attempt)

    def failed(self, error: str) -> None:
        LOG.error("gave up: %s", error)


class Silent(Client):
    def retrying(self, attempt: int, error: str) -> None:
        pass


class SilentOfCuts(Client):
    def retrying(self, attempt: int, error: str) -> None:
        if error.startswith("HTTP"):
            super().retrying(attempt, error)


class OffByOne(Client):
    def retrying(self, attempt: int, error: str) -> None:
        super().retrying(attempt - 1, error)


class Noisy(Client):
    def before(self, attempt: int) -> None:
        LOG.warning("asking")


class Alarming(Client):
    def worked(self, attempt: int) -> None:
        if attempt > 1:
            LOG.error("it took %d attempts", attempt)


class Mute(Client):
    def failed(self, error: str) -> None:
        pass


class Twice(Client):
    def failed(self, error: str) -> None:
        super().failed(error)
        super().failed(error)


class Credulous(Client):
    def words(self, body: str) -> str:
        return body[:100]


class Verbose(Client):
    def words(self, body: str) -> str:
        return repr(body)


def judged(call: Callable[[str], object], policy: RetryPolicy) -> dict[str, str]:
    """The codes of all that the log scenarios find, with the first sentence of each."""
    with FakeServer() as server:
        found = verify(call, policy, server, only=names(policy)).findings
    return {finding.code: finding.sentence for finding in reversed(found)}


def names(policy: RetryPolicy) -> list[str]:
    """The names of the log scenarios for this policy."""
    return [scenario.name for scenario in family.scenarios(subject(policy))]


def subject(policy: RetryPolicy) -> Subject:
    """What is known of a client with this policy."""
    standard = None if policy.limit == 1 else 503
    return Subject(policy, Call(0, 0, "ok"), is_async=False, standard=standard)


def policy(contract: LogContract | None = CLAIMS, attempts: int | None = 3) -> RetryPolicy:
    """What the client claims."""
    return RetryPolicy(attempts=attempts, statuses=["5xx"], logs=contract)


def test_a_right_client_has_no_findings() -> None:
    """Not with claims of its attempts, and not without."""
    assert judged(Client(), policy()) == {}
    assert judged(Client(), RetryPolicy(logs=CLAIMS)) == {}


@pytest.mark.parametrize(
    ("client", "code"),
    [
        (Silent, "retry-not-logged"),
        (OffByOne, "retry-logged-wrong"),
        (Noisy, "noise-without-retry"),
        (Alarming, "error-logged-on-success"),
        (Mute, "failure-not-logged"),
        (Twice, "failure-not-logged"),
        (Credulous, "forged-line"),
        (Verbose, "line-too-long"),
    ],
)
def test_each_wrong_client_is_found(client: type[Client], code: str) -> None:
    """With the code that says what is wrong with it, and no other."""
    assert list(judged(client(), policy())) == [code]


FAILURES = ["read-timeout", "reset", "truncated", "bad-json", "refused"]
BY_KIND = RetryPolicy(
    attempts=3, statuses=["5xx", 429], failures=FAILURES, retry_after=True, logs=CLAIMS
)


class Complete(Client):
    """Retries, and logs, whatever a policy may say."""

    def __call__(self, url: str) -> str:
        for attempt in range(1, 4):
            try:
                return str(json.loads(self.get(url)))
            except urllib.error.HTTPError as caught:
                caught.close()
                error, wait = f"HTTP {caught.code}", int(caught.headers["Retry-After"] or attempt)
            except (OSError, http.client.HTTPException, ValueError) as caught:
                error, wait = type(caught).__name__, attempt
            if attempt == 3:
                break
            self.say(attempt, error, wait)
            time.sleep(wait)
        LOG.error("gave up: %s", error)
        raise RuntimeError(error)

    def say(self, attempt: int, error: str, wait: int) -> None:
        LOG.warning("attempt %d failed (%s), waiting %.1f s", attempt, error, wait)


class SilentOfRequests(Complete):
    def say(self, attempt: int, error: str, wait: int) -> None:
        if error != "HTTP 429":
            super().say(attempt, error, wait)


class SaysTheUsualWait(Complete):
    def say(self, attempt: int, error: str, wait: int) -> None:
        super().say(attempt, error, attempt)


def kinds(policy: RetryPolicy) -> list[str]:
    return [name for name in names(policy) if name.startswith(tuple(OF_KINDS))]


OF_KINDS = [f"log-of-{kind}" for kind in (*FAILURES[:-1], "retry-after")]


def test_the_retries_of_each_kind_of_failure_are_looked_for() -> None:
    """Those of silence, resets, answers that are not whole, and of Retry-After."""
    assert kinds(BY_KIND) == OF_KINDS
    assert kinds(policy()) == []
    assert verify(Complete(), BY_KIND, only=OF_KINDS).codes == []


@pytest.mark.parametrize(
    ("client", "scenes", "code"),
    [
        (SilentOfCuts, ["log-of-read-timeout", "log-of-reset"], "retry-not-logged"),
        (SilentOfRequests, ["log-of-retry-after"], "retry-not-logged"),
        (SaysTheUsualWait, ["log-of-retry-after"], "retry-logged-wrong"),
    ],
)
def test_a_kind_of_failure_that_is_not_logged(
    client: type[Client], scenes: list[str], code: str
) -> None:
    """It is found though the retries of an ordinary outage are logged as they should be."""
    found = verify(client(), BY_KIND, only=["log-of-1", *scenes]).findings

    assert {(one.scenario, one.code) for one in found} == {(scene, code) for scene in scenes}


def test_a_log_that_is_no_json(caplog: pytest.LogCaptureFixture) -> None:
    """A client that claims JSON and has a handler that writes none."""
    handler = logging.StreamHandler()
    LOG.addHandler(handler)
    try:
        found = judged(Client(), policy(LogContract(logger="tests.logs", json=["event"])))
    finally:
        LOG.removeHandler(handler)

    assert list(found) == ["bad-json-line"]


def test_nothing_is_played_for_who_claims_nothing_of_the_log() -> None:
    """Without a contract there are no scenarios of logs."""
    assert names(policy(None)) == []


@pytest.mark.parametrize(
    ("attempts", "lengths"),
    [(None, ["1", "2", "3"]), (1, []), (2, ["1"]), (3, ["1", "2"]), (6, ["1", "2", "5"])],
)
def test_how_many_failures_are_played(attempts: int | None, lengths: list[str]) -> None:
    """One, two, and as many as the client survives."""
    found = [name.removeprefix("log-of-") for name in names(policy(attempts=attempts))]

    assert [name for name in found if name.isdigit()] == lengths


def test_who_never_retries_is_asked_for_errors_only() -> None:
    """A client that was seen to retry nothing logs no retries."""

    class Once(Client):
        attempts = 1

    assert judged(Once(), RetryPolicy(attempts=1, logs=CLAIMS)) == {}


def test_a_call_that_never_returns_is_not_judged_by_its_log() -> None:
    """Others say that it never returned."""
    (first, *_) = family.scenarios(subject(policy()))
    (check,) = first.checks
    seen = Observation("x", (Call(0, None),), Trace(), Call(0, 0), facts={"lines": Lines()})

    assert list(check(seen, policy())) == []


def test_who_comes_back_with_something_else_may_call_it_an_error() -> None:
    """He has not succeeded, and what he gives back in its place is not a matter of his log."""

    class Modest(Client):
        def __call__(self, url: str) -> str:
            try:
                return super().__call__(url)
            except RuntimeError:
                return "what was read yesterday"

    assert judged(Modest(), policy()) == {}


def test_a_refusal_may_be_left_to_the_caller() -> None:
    """Who logs that he gave up has not given up when a request is refused for good."""

    class Reticent(Client):
        def failed(self, error: str) -> None:
            if "HTTP 400" not in error:
                super().failed(error)

    assert judged(Reticent(), policy()) == {}


def test_what_the_transport_sends_again_by_itself_needs_no_line() -> None:
    """A request that is repeated at once after a reset was not repeated by the client."""

    class Resends(Client):
        def get(self, url: str) -> str:
            try:
                return super().get(url)
            except urllib.error.HTTPError:
                raise
            except OSError:
                return super().get(url)

    claims = RetryPolicy(failures=["reset"], attempts=3, logs=CLAIMS)

    assert "retry-not-logged" not in judged(Resends(), claims)
    strict = RetryPolicy(failures=["reset"], attempts=3, logs=CLAIMS, resends=False)
    assert "retry-not-logged" in judged(Resends(), strict)
