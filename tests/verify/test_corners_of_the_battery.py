"""Where the battery asks, and leaves out, what the policy or the client makes meaningless."""

from __future__ import annotations

import asyncio
import dataclasses
import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from pytest_resilience import CheckFailed, FakeServer, ResilienceError, RetryPolicy, verify
from pytest_resilience.judge.another import as_another
from pytest_resilience_vault import Vault

ONCE = RetryPolicy(attempts=1)
CACHED = RetryPolicy(attempts=1, cache=300)


def fetch(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


def names(call: Callable[..., Any], policy: RetryPolicy, server: FakeServer | None = None) -> str:
    """All scenarios of a battery, as an unknown name has them listed."""
    with pytest.raises(ResilienceError, match="no scenario is named 'none of them'") as refused:
        verify(call, policy, server, only="none of them")
    return str(refused.value).partition("there are: ")[2]


# Answers that are kept


def keeping(key_of: Callable[[str, str], object]) -> Callable[..., Any]:
    """A client that keeps answers for five minutes, by a key."""
    kept: dict[object, tuple[float, Any]] = {}

    def call(url: str, /, token: str = "mine") -> Any:
        key = key_of(url, token)
        if key not in kept or time.monotonic() - kept[key][0] >= 300:
            response = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5)
            response.raise_for_status()
            kept[key] = time.monotonic(), response.json()
        return kept[key][1]

    return call


def test_a_parameter_with_a_credential_makes_another_caller() -> None:
    """A call with ``token="..."`` is made with another one; nobody has to say how."""
    verdict = verify(keeping(lambda url, token: url), CACHED, only="another-credential")

    assert verdict.codes == ["cache-ignores-credential"]
    assert [line.split()[2:4] for line in verdict.findings[0].evidence] == [["GET", "/"]]


def test_another_caller_has_an_answer_of_its_own() -> None:
    """With the credential in its key the client asks again."""
    verdict = verify(keeping(lambda url, token: (url, token)), CACHED, only="another-credential")

    assert verdict.codes == []


def test_a_credential_that_has_no_name_stays() -> None:
    """By its place alone nobody can tell which argument it is."""

    def by_place(url: str, token: str = "mine", /) -> str:
        return token

    def by_name(url: str, token: str = "mine") -> str:
        return token

    assert as_another(by_place) is None
    another = as_another(by_name)
    assert another is not None
    assert another("http://there") == "mine-of-another"


# Answers that are not what they should be


def text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 -- it is http
        return str(response.read().decode())


def words(environ: Any, start: Any) -> list[bytes]:
    """Be a service whose answers are no JSON."""
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"plain words"]


def test_an_answer_that_never_was_json_may_be_none() -> None:
    """Nothing is malformed where nothing was well-formed, even for who claims to validate."""
    policy = RetryPolicy(attempts=1, validates=True)

    assert verify(text, policy, FakeServer(words), only="malformed-answers").codes == []
    assert verify(text, policy, only="malformed-answers").codes == ["malformed-accepted"]


def test_who_does_not_validate_is_not_asked_to() -> None:
    """The scenarios of malformed answers are left out; those of broken ones are not."""
    found = names(fetch, RetryPolicy(attempts=1, validates=False))

    assert "truncated-answers" in found
    assert "malformed-answers" not in found
    assert "html-answers" not in found


# Connections


class GivesUp:
    """Asks over a connection of its own, and may forget it when no answer comes."""

    def __init__(self, *, closes: bool) -> None:
        self.closes = closes
        self.forgotten: list[http.client.HTTPConnection] = []

    def __call__(self, url: str) -> Any:
        address = url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read()
        except TimeoutError:
            if self.closes:
                connection.close()
            else:
                self.forgotten.append(connection)
            raise
        connection.close()
        if answer.status != 200:
            raise RuntimeError(answer.status)
        return json.loads(body)


def test_a_connection_that_was_given_up_is_given_back() -> None:
    """It is no other timeout than the one that is claimed, and open all the same."""
    policy = RetryPolicy(attempts=1, timeout=5)
    scenes = ["many-failures", "silence", "many-timeouts"]

    assert verify(GivesUp(closes=True), policy, only=scenes).codes == []
    (found,) = verify(GivesUp(closes=False), policy, only=scenes)
    assert (found.code, found.scenario) == ("connection-leaked", "many-timeouts")


def test_who_waits_for_ever_has_given_up_nothing() -> None:
    """That he has no timeout is all that there is to say."""

    def call(url: str) -> Any:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 -- our own server
            return json.load(answer)

    assert verify(call, ONCE, only=["silence", "many-timeouts"]).codes == ["no-timeout"]


def test_a_pool_without_a_timeout_is_waited_for_for_ever() -> None:
    """Responses that nobody reads use it up, and the next call never comes back."""
    limits = httpx.Limits(max_connections=2)
    with httpx.Client(limits=limits, timeout=None, trust_env=False, verify=False) as client:  # noqa: S501 -- that is what is wrong

        def call(url: str) -> Any:
            response = client.send(client.build_request("GET", url), stream=True)
            response.raise_for_status()
            response.read()
            return response.json()

        verdict = verify(call, ONCE, only="many-failures")

    assert verdict.codes == ["pool-exhausted"]
    assert verdict.findings[0].sentence == (
        "after 3 calls it got no connection any more: it waited for ever"
    )


# Cancellation


async def impatient(url: str) -> Any:
    async with httpx.AsyncClient(timeout=0.1, trust_env=False, verify=False) as client:  # noqa: S501 -- loads nothing
        return (await client.get(url)).raise_for_status().json()


async def stubborn(url: str) -> Any:
    for wait in (100, None):
        try:
            async with httpx.AsyncClient(timeout=5, trust_env=False, verify=False) as client:  # noqa: S501 -- the same
                return (await client.get(url)).raise_for_status().json()
        except (httpx.HTTPError, asyncio.CancelledError):
            if wait is None:
                raise
            await asyncio.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def test_a_call_that_is_over_cannot_be_cancelled() -> None:
    """One that has given up before is not accused."""
    verdict = verify(impatient, ONCE, only="cancelled-during-its-attempt")

    assert verdict.codes == []
    assert verdict.scenarios == ("undisturbed", "cancelled-during-its-attempt")


def test_a_call_that_takes_its_cancellation_for_a_failure_is_found() -> None:
    """It goes on to its next wait, and whoever cancelled it waits too."""
    policy = RetryPolicy(attempts=2, backoff=[100], failures=["read-timeout"])
    verdict = verify(stubborn, policy, only="cancelled-during-its-attempt")

    assert verdict.codes == ["cancellation-swallowed"]
    assert verdict.findings[0].sentence == (
        "its task was cancelled during its attempt and went on for 60 s and more"
    )


# Tokens


class Reader:
    """Reads a secret with a token of its role, and logs in once more after a 403."""

    def __init__(self) -> None:
        self.vault = Vault()
        self.vault.put("secret/app", {"a": 1})
        self.token = ""

    def read(self) -> requests.Response:
        url = f"{self.vault.url}/v1/secret/data/app"
        return requests.get(url, headers={"X-Vault-Token": self.token}, timeout=5)

    def login(self) -> None:
        body = {"role_id": self.vault.role_id, "secret_id": self.vault.secret_id}
        said = requests.post(f"{self.vault.url}/v1/auth/approle/login", json=body, timeout=5)
        said.raise_for_status()
        self.token = said.json()["auth"]["client_token"]

    def call(self) -> Any:
        if not self.token:
            self.login()
        response = self.read()
        if response.status_code == 403:
            self.login()
            response = self.read()
        response.raise_for_status()
        return response.json()["data"]["data"]


def test_a_vault_refuses_a_token_with_403() -> None:
    """So that is what a client of Vault has to log in again after, and no 403 forbids it."""
    reader = Reader()

    found = names(reader.call, ONCE, reader.vault)
    assert "expired-token" in found
    assert "forbidden" not in found

    reader.token = ""
    tokens = ["expired-token", "refused-tokens"]
    assert verify(reader.call, ONCE, reader.vault, only=tokens).codes == []


def with_key(url: str) -> Any:
    response = requests.get(url, headers={"X-Api-Key": "t0k3n"}, timeout=5)
    response.raise_for_status()
    return response.json()


def test_another_port_is_another_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that has only one loopback address."""
    documentation = "192.0.2.1"  # RFC 5737: nobody has it.
    monkeypatch.setattr("pytest_resilience.judge.battery.login.ELSEWHERE", documentation)

    verdict = verify(with_key, ONCE, only="redirect-elsewhere")

    assert verdict.codes == ["credentials-sent-elsewhere"]


# What is retried


def at_once(url: str) -> Any:
    for last in (False, True):
        try:
            return fetch(url)
        except requests.ConnectionError:
            if last:
                raise
    raise AssertionError("the last attempt returns or raises")


def test_who_never_waits_cannot_survive_a_server_that_is_down() -> None:
    """All of its attempts meet the same closed port, so that is not put to the test."""
    failures = ["refused", "reset"]

    hasty = names(at_once, RetryPolicy(attempts=2, backoff=[0], failures=failures))
    assert "reset-then-ok" in hasty
    assert "refused-then-ok" not in hasty
    waiting = names(at_once, RetryPolicy(attempts=2, backoff=[1], failures=failures))
    assert "refused-then-ok" in waiting


def patient(url: str, errors: Any = requests.RequestException) -> Any:
    for wait in (1, 2, None):
        try:
            return fetch(url)
        except errors:
            if wait is None:
                raise
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def test_a_failure_that_is_never_retried_is_left_alone() -> None:
    """Who tries again all the same is found, and who does not is not."""
    policy = RetryPolicy(attempts=3, never_failures=["reset"])
    only = ["reset-without-end"]

    verdict = verify(patient, policy, only=only)
    assert verdict.codes == ["too-many-attempts"]
    assert verdict.findings[0].sentence == (
        "a connection that was reset was tried again, though it is never retried"
    )
    assert verify(lambda url: patient(url, requests.HTTPError), policy, only=only).codes == []


# Retry-After


def obedient(url: str) -> Any:
    for last in (False, True):
        response = requests.get(url, timeout=5)
        if response.status_code != 503 or last:
            break
        time.sleep(float(response.headers.get("Retry-After", "1")))
    response.raise_for_status()
    return response.json()


def honouring(**claims: Any) -> RetryPolicy:
    return RetryPolicy(attempts=2, backoff=[1], statuses=[503], retry_after=True, **claims)


def test_a_long_retry_after_breaks_only_a_bound_that_is_claimed() -> None:
    """With neither a cap nor a deadline a client may wait for as long as a server likes."""
    assert "retry-after-of-days" not in names(obedient, honouring())

    verdict = verify(obedient, honouring(retry_after_cap=60), only="retry-after-of-days")
    assert verdict.codes == ["retry-after-unbounded"]


def obedient_within(cap: float, deadline: float) -> Callable[[str], Any]:
    """Waits for as long as it is told, up to its cap, and gives up before its deadline."""

    def call(url: str) -> Any:
        ends = time.monotonic() + deadline
        for number in range(4):
            response = requests.get(url, timeout=5)
            said = response.headers.get("Retry-After", "1")
            wait = min(cap, float(said)) if said.isdigit() else 1.0
            late = time.monotonic() + wait >= ends
            if response.status_code != 503 or number == 3 or late:
                break
            time.sleep(wait)
        response.raise_for_status()
        return response.json()

    return call


BOUNDED = RetryPolicy(
    attempts=4, backoff=[1] * 3, statuses=[503], retry_after=True, retry_after_cap=20, deadline=45
)


@pytest.mark.parametrize(
    ("client", "codes"),
    [
        (obedient_within(20, 45), []),
        (obedient_within(90, 45), ["retry-after-unbounded"]),
        (obedient_within(20, 1000), ["deadline-overrun"]),
    ],
)
def test_both_bounds_of_retry_after_are_tried_by_themselves(
    client: Callable[[str], Any], codes: list[str]
) -> None:
    """What a cap should have cut may be within the deadline, and many short waits beyond it."""
    scenes = ["retry-after-above-its-cap", "retry-after-beyond-the-deadline"]

    assert verify(client, BOUNDED, only=scenes).codes == codes


def test_retry_after_is_held_to_the_budget() -> None:
    """Many that are short enough by themselves are longer than all waits may be together."""
    policy = dataclasses.replace(BOUNDED, deadline=None, budget=45)
    scene = "retry-after-beyond-the-budget"

    assert verify(obedient_within(20, 45), policy, only=scene).codes == []
    assert verify(obedient_within(20, 1000), policy, only=scene).codes == ["budget-overrun"]


class Remembers:
    """Forgets a Retry-After with the next answer, or with the next attempt."""

    def __init__(self, *, until_an_answer: bool) -> None:
        self.until_an_answer = until_an_answer

    def __call__(self, url: str) -> Any:
        said = None
        for number in range(3):
            if not self.until_an_answer:
                said = None
            try:
                response = requests.get(url, timeout=5)
            except requests.ConnectionError:
                if number == 2:
                    raise
            else:
                said = response.headers.get("Retry-After")
                if response.status_code != 503 or number == 2:
                    break
            time.sleep(float(said) if said and said.isdigit() else 1)
        response.raise_for_status()
        return response.json()


@pytest.mark.parametrize(
    ("until_an_answer", "codes"), [(True, ["retry-after-remembered"]), (False, [])]
)
def test_a_retry_after_and_no_answer_behind_it(*, until_an_answer: bool, codes: list[str]) -> None:
    """What was asked for counts for one wait, though nothing comes that says otherwise."""
    policy = RetryPolicy(
        attempts=3, backoff=[1, 1], statuses=[503], failures=["reset"], retry_after=True
    )
    scenes = ["retry-after-then-none", "retry-after-then-reset"]

    assert verify(Remembers(until_an_answer=until_an_answer), policy, only=scenes).codes == codes


def test_bounds_that_no_retry_after_reaches_are_not_tried() -> None:
    """One that is both above the cap and below the deadline, or that adds up to more."""
    close = dataclasses.replace(BOUNDED, retry_after_cap=44.5)
    short = dataclasses.replace(BOUNDED, retry_after_cap=5, deadline=45)

    assert "retry-after-above-its-cap" not in names(obedient_within(44.5, 45), close)
    assert "retry-after-beyond-the-deadline" not in names(obedient_within(5, 45), short)


def test_a_budget_for_waits_holds_for_retry_after_too() -> None:
    """One that lies beyond it is not asked for."""
    assert "retry-after-seconds" in names(obedient, honouring(budget=5))
    assert "retry-after-seconds" not in names(obedient, honouring(budget=4))


@pytest.mark.parametrize("before", ["TST+03:00", None])
def test_the_time_zone_is_given_back(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date in Retry-After is read far away; afterwards all is as before, be it nothing."""
    try:
        monkeypatch.setenv("TZ", before or "")
        if before is None:
            monkeypatch.delenv("TZ")
        time.tzset()
        zone = time.timezone
        with pytest.raises(CheckFailed, match=r"Retry-After: .* GMT ended the call with a Value"):
            verify(obedient, honouring(), only="retry-after-date").raise_if_any()

        assert os.environ.get("TZ") == before
        assert time.timezone == zone != -5.5 * 3600
    finally:
        monkeypatch.undo()
        time.tzset()


def test_errors_of_urllib_that_nobody_reads() -> None:
    """The collector closes them, and no connection is left open by them."""

    def ask(url: str) -> object:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- our own server
            return json.load(answer)

    async def call(url: str) -> object:
        for wait in (1, 2, None):
            try:
                return await asyncio.to_thread(ask, url)
            except urllib.error.HTTPError as error:
                if error.code < 500 or wait is None:
                    raise
            await asyncio.sleep(wait)
        return None

    policy = RetryPolicy(attempts=3, backoff=[1, 2], statuses=["5xx"], timeout=5)

    assert verify(call, policy, only="many-failures").codes == []
