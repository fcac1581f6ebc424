"""``@pytest.mark.retry_contract``: a test for each clause, listed by name."""

from __future__ import annotations

import pytest

CLIENT = """
import asyncio
import time

import pytest
import requests

from pytest_resilience import RetryPolicy


def fetch(url, waits=(1, 2)):
    for wait in (*waits, None):
        response = requests.get(url + "/v1/sys/seal-status", timeout=5)
        if response.status_code != 503 or wait is None:
            break
        time.sleep(wait)
    response.raise_for_status()
    return response.json()


POLICY = RetryPolicy(attempts=3, backoff=[1, 2], statuses=[503], timeout=5)
"""
KEPT = """
@pytest.mark.retry_contract(POLICY)
def test_contract(fake_vault):
    return fetch(fake_vault.url)
"""
BROKEN = """
@pytest.mark.retry_contract(policy="3 attempts, waits 1 2, retry 503", server="fake_vault")
def test_contract(fake_vault, fake_gemini):
    fetch(fake_vault.url, (1, 3))
"""
ASYNC = """
@pytest.mark.retry_contract(POLICY)
async def test_contract(fake_vault):
    await asyncio.to_thread(fetch, fake_vault.url)
"""
SOME = ("-k", "outage-without-end or ctrl-c or cancelled")


def test_each_clause_is_a_test(acme: pytest.Pytester) -> None:
    """CI lists every promise by name, and a kept one passes."""
    acme.makepyfile(CLIENT + KEPT)

    result = acme.runpytest_subprocess("-p", "resilience", "-v", *SOME)

    result.stdout.fnmatch_lines_random(
        ["*::test_contract?outage-without-end? PASSED*", "*::test_contract?ctrl-c? PASSED*"]
    )
    result.assert_outcomes(passed=3, deselected=len(names(acme)) - 3)


def names(acme: pytest.Pytester) -> list[str]:
    """Every clause."""
    listed = acme.runpytest("-p", "resilience", "--collect-only", "-q").outlines
    return [line for line in listed if "::test_contract[" in line]


def test_a_broken_promise_fails_with_its_proof(acme: pytest.Pytester) -> None:
    """The first line stands alone; the attempts follow, and no traceback of ours."""
    acme.makepyfile(CLIENT + BROKEN)

    result = acme.runpytest_subprocess(
        "-p", "resilience", "-k", "outage-without-end or undisturbed"
    )

    result.assert_outcomes(passed=1, failed=1, deselected=len(names(acme)) - 2)
    result.stdout.fnmatch_lines(
        [
            "wrong-schedule: attempt 3 came 3.000 s after attempt 2, wanted 2.000 s",
            "*2  t=1.000  GET /v1/sys/seal-status  503*",
            "  to see it alone: verify(..., only='outage-without-end')",
            "FAILED *test_contract?outage-without-end?*",
        ]
    )
    result.stdout.no_fnmatch_line("*judge/verify.py*")


def test_a_coroutine_is_a_call_as_well(acme: pytest.Pytester) -> None:
    """It has clauses of its own: it may be cancelled."""
    acme.makepyfile(CLIENT + ASYNC)

    result = acme.runpytest_subprocess(
        "-p", "resilience", "-v", "-k", "outage-of-1 or cancelled-during-its-w"
    )

    result.stdout.fnmatch_lines(["*::test_contract?cancelled-during-its-wait?*"])
    result.stdout.fnmatch_lines(["*::test_contract?outage-of-1? PASSED*"])


def test_who_claims_a_login_has_its_clauses(acme: pytest.Pytester) -> None:
    """Tokens, redirects and secrets are put to the test too; Vault knows no 401 to be forbidden."""
    body = """
    @pytest.mark.retry_contract(RetryPolicy(login="/v1/auth/*/login", timeout=5))
    def test_contract(fake_vault):
        url = fake_vault.url
        headers = {"X-Vault-Token": fake_vault.root_token}
        requests.post(url + "/v1/auth/approle/login", json={}, timeout=5)
        response = requests.get(url + "/v1/sys/mounts", headers=headers, timeout=5)
        response.raise_for_status()
        return response.json()
    """
    acme.makepyfile(CLIENT + body.replace("\n    ", "\n"))

    result = acme.runpytest_subprocess("-p", "resilience", "-rs", "-k", "redirect or forbidden")

    result.stdout.fnmatch_lines(["SKIPPED*not meaningful for this client"])
    result.stdout.fnmatch_lines(["*a redirect to another origin was followed with x-vault-token*"])
    result.assert_outcomes(failed=1, skipped=1, deselected=len(names(acme)) - 2)


def test_a_clause_that_means_nothing_is_skipped(acme: pytest.Pytester) -> None:
    """A client that was taken to retry, and does not, has no outage to survive."""
    body = """
    @pytest.mark.retry_contract(RetryPolicy())
    def test_contract(fake_vault):
        fetch(fake_vault.url, ())
    """
    acme.makepyfile(CLIENT + body.replace("\n    ", "\n"))

    result = acme.runpytest_subprocess("-p", "resilience", "-rs", "-k", "outage-of-1")

    result.stdout.fnmatch_lines(["SKIPPED*not meaningful for this client"])


BAD = """
@pytest.mark.retry_contract{}
def test_contract(fake_vault):
    pass
"""


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("()", ": no pyproject.toml in * or above has a table*"),
        ("('x.toml')", ": *x.toml cannot be read*"),
        ("(POLICY, POLICY)", " takes a policy and server"),
        ("(POLICY, tries=3)", " takes a policy and server, not tries"),
        ("(3)", " wants a RetryPolicy, got 3"),
        ("('3 tries')", ": '3 tries' cannot be read*"),
    ],
)
def test_a_policy_that_cannot_be_meant_ends_in_one_line(
    acme: pytest.Pytester, marker: str, said: str
) -> None:
    """As a usage error, like what cannot be meant in any other marker."""
    acme.makepyfile(test_it=CLIENT + BAD.format(marker))

    result = acme.runpytest_subprocess("-p", "resilience")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: test_it.py::test_contract: @pytest.mark.retry_contract{said}"]
    )
    assert [text for text in result.errlines if text] == [result.errlines[0]]


def test_a_policy_that_cannot_be_meant_fails_its_test_under_xdist(acme: pytest.Pytester) -> None:
    """A worker's usage error would end the run without a word."""
    acme.makepyfile(CLIENT + BAD.format("(3)"), test_plain="def test_plain(): pass")

    result = acme.runpytest_subprocess("-p", "resilience", "-p", "xdist", "-n1")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*::test_contract: @pytest.mark.retry_contract wants a Retr*"])


MADE = """
@pytest.fixture
def server(fake_server):
    return fake_server()

@pytest.mark.retry_contract(POLICY)
def test_contract(server):
    return fetch(server.url)
"""
SKIPPING = """
@pytest.mark.retry_contract(POLICY)
def test_plain(fake_vault):
    pytest.skip("not here")

@pytest.mark.retry_contract(POLICY)
async def test_async(fake_vault):
    pytest.skip("not here")

@pytest.mark.retry_contract(POLICY)
def test_late(fake_vault):
    try:
        fetch(fake_vault.url, (1, 3))
    except requests.RequestException:
        pytest.skip("an outage")
"""


def test_a_server_of_a_fixture(acme: pytest.Pytester) -> None:
    """What fake_server makes is judged like a fake, when a fixture has made it."""
    acme.makepyfile(CLIENT + MADE)

    acme.runpytest_subprocess("-p", "resilience", *SOME).assert_outcomes(
        passed=3, deselected=len(names(acme)) - 3
    )


def test_a_body_that_skips_is_skipped(acme: pytest.Pytester) -> None:
    """When its first call does so; one that hides a failure behind a skip is judged."""
    acme.makepyfile(CLIENT + SKIPPING)

    result = acme.runpytest_subprocess("-p", "resilience", "-rs", "-k", "outage-without-end")

    outcomes = result.parseoutcomes()
    assert (outcomes["skipped"], outcomes["failed"]) == (2, 1)
    result.stdout.fnmatch_lines(["SKIPPED * not here"])


@pytest.mark.parametrize(
    ("marker", "fixtures", "said"),
    [
        ("(POLICY)", "", "*retry_contract: the test uses no fake*"),
        ("(POLICY)", "fake_vault, fake_gemini", "*the test uses 2 fakes: say which by server=*"),
        (
            "(POLICY, server='x')",
            "fake_vault",
            "*server='x'): the test has no fake of that name; it has fake_vault",
        ),
        ("(POLICY, server=['x'])", "", "*the test has no fake of that name, and no other"),
        (
            "(POLICY)",
            "fake_server",
            "*no fake: fake_server only makes them; call it in a fixture that returns the server",
        ),
        (
            "(POLICY, server='fake_server_session')",
            "fake_server_session",
            "*and no other: fake_server_session only makes them; call it in a fixture that *",
        ),
    ],
)
def test_a_mistake_is_told(acme: pytest.Pytester, marker: str, fixtures: str, said: str) -> None:
    """In one line."""
    acme.makepyfile(
        f"{CLIENT}\n@pytest.mark.retry_contract{marker}\ndef test_contract({fixtures}): fetch('')\n"
    )

    result = acme.runpytest_subprocess("-p", "resilience", "-x")

    result.stdout.fnmatch_lines([said])


@pytest.mark.parametrize(
    ("file", "table", "marker"),
    [
        ("pyproject.toml", "[tool.pytest-resilience.policy]", ""),
        ("pyproject.toml", "[tool.pytest-resilience.policy]", "(server='fake_vault')"),
        ("shop.toml", "", "('shop.toml')"),
    ],
)
def test_a_policy_that_stands_beside_the_client(
    acme: pytest.Pytester, file: str, table: str, marker: str
) -> None:
    """In the project, or in a file that the marker names."""
    said = f"{table}\nattempts = 3\nbackoff = [1, 5]\nstatuses = [503]\ntimeout = 5\n"
    (acme.path / file).write_text(said)
    acme.makepyfile(CLIENT + KEPT.replace("(POLICY)", marker))

    result = acme.runpytest_subprocess("-p", "resilience", "-k", "outage-without-end")

    result.stdout.fnmatch_lines(["wrong-schedule: attempt 3 came 2.000 s after*wanted 5.000 s"])


def test_other_tests_run_as_ever(acme: pytest.Pytester) -> None:
    """A test without the marker is pytest's."""
    acme.makepyfile("def test_plain(): assert 1 + 1 == 2")

    acme.runpytest_subprocess("-p", "resilience").assert_outcomes(passed=1)
