"""A client that shows its credentials is found, whatever it is that makes it talk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from pytest_resilience import FakeServer, LogContract, RetryPolicy, Verdict, verify

KEY = "kX9vRt2LpQ7ZsBn4Wc8Yd1JmHg6FaTqU"
HEADERS = {"Authorization": f"Bearer {KEY}"}
POLICY = RetryPolicy(attempts=1)
SCENARIOS = (
    "secrets-undisturbed",
    "secrets-in-an-outage",
    "secrets-after-resets",
    "secrets-with-bad-json",
)
log = logging.getLogger("tests.client")


def judged(call: Callable[..., Any], server: FakeServer | None = None) -> Verdict:
    """The verdict of these scenarios alone."""
    return verify(call, POLICY, server, only=SCENARIOS)


def quiet(url: str) -> Any:
    answer = requests.get(url, headers=HEADERS, timeout=5)
    answer.raise_for_status()
    return answer.json()


def talks(url: str) -> Any:
    log.debug("asking with %s", HEADERS)
    return quiet(url)


def talks_of_outages(url: str) -> Any:
    answer = requests.get(url, headers=HEADERS, timeout=5)
    if answer.status_code >= 500:
        log.error("%s said no to %r", url, answer.request.headers)
    answer.raise_for_status()
    return answer.json()


def talks_of_errors(url: str) -> Any:
    log.error("here is %s", KEY)
    return quiet(url)


def raises(url: str) -> Any:
    try:
        return quiet(url)
    except requests.ConnectionError as error:
        raise OSError(f"no connection with {HEADERS}") from error


def prints_of_bad_json(url: str) -> Any:
    answer = requests.get(url, headers=HEADERS, timeout=5)
    answer.raise_for_status()
    try:
        return answer.json()
    except ValueError:
        print(answer.request.headers)  # noqa: T201 -- it is what is wrong with it
        raise


def dies_of_an_outage(url: str) -> Any:
    answer = requests.get(url, headers=HEADERS, timeout=5)
    return dies(url) if answer.status_code >= 500 else answer.json()


def dies(url: str) -> Any:
    def work() -> None:
        raise RuntimeError(KEY)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return quiet(url)


@pytest.mark.parametrize(
    ("client", "scenario", "where"),
    [
        (talks, "undisturbed", "the message of a DEBUG by tests.client"),
        (talks_of_outages, "in-an-outage", "the message of an ERROR by tests.client"),
        (raises, "after-resets", "the text of OSError"),
        (prints_of_bad_json, "with-bad-json", "stdout"),
        (dies_of_an_outage, "in-an-outage", "the text of RuntimeError"),
    ],
)
def test_a_client_that_shows_its_key_is_found(
    client: Callable[[str], Any], scenario: str, where: str
) -> None:
    """With the place, the replay and without the key."""
    verdict = verify(client, POLICY, only=f"secrets-{scenario}")

    found = [finding for finding in verdict if finding.code == "secret-leaked"]
    assert f"Authorization of a request has leaked into {where} (plain, " in found[0].sentence
    assert found[0].replay == f"only='secrets-{scenario}'"
    assert KEY not in str(verdict)
    assert KEY not in str(verdict.to_dict())


def test_other_findings_show_no_secret() -> None:
    """What a client has said is quoted, and masked."""
    policy = RetryPolicy(attempts=1, logs=LogContract())

    verdict = verify(talks_of_errors, policy, only="log-of-no-failure")

    assert verdict.codes == ["error-logged-on-success"]
    assert "<Authorization of a request>" in str(verdict)
    assert KEY not in str(verdict)
    assert KEY not in str(verify(dies, POLICY))


def test_a_client_that_is_quiet_is_not_accused() -> None:
    """In none of the scenarios."""
    verdict = judged(quiet)

    assert verdict.codes == []
    assert verdict.scenarios == ("undisturbed", *SCENARIOS)


def test_a_key_in_the_url_is_found() -> None:
    """Of a server that knows the key; and in the line that urllib3 has of it."""
    server = FakeServer(secrets={"the key": KEY})

    verdict = verify(
        lambda url: requests.get(f"{url}/?key={KEY}", timeout=5).raise_for_status(),
        POLICY,
        server,
        only="secrets-undisturbed",
    )

    assert verdict.codes == ["secret-leaked"]
    assert any("the URL of attempt 1" in finding.sentence for finding in verdict)


def test_who_carries_nothing_is_not_asked() -> None:
    """No scenario is played for it."""
    verdict = verify(lambda url: requests.get(url, timeout=5).raise_for_status(), POLICY)

    assert not set(SCENARIOS) & set(verdict.scenarios)


def test_a_query_alone_is_no_secret() -> None:
    """Where a service has none, nothing is played for them."""
    played = verify(lambda url: requests.get(f"{url}/?page=1", timeout=5).ok, POLICY).scenarios

    assert [name for name in played if name.startswith("secrets-")] == []
