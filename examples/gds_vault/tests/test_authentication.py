"""How a token is got, kept, and replaced when it ends or is refused."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from gds_vault import VaultClient, VaultError
from helpers import Waiting, answering
from pytest_resilience import FOREVER, Attempt, faults
from pytest_resilience_vault import Vault

LOGIN, READ, LOOKUP = "/v1/auth/approle/login", "/v1/secret/*", "/v1/auth/token/lookup-self"

# The three texts of a 403, as Vault and OpenBao write them.
INVALID_TOKEN = ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]
POLICY = ["1 error occurred:\n\t* permission denied\n\n"]
BARE = ["permission denied"]


def refused(errors: list[str]) -> faults.Fault:
    """Answer 403 with these words."""
    return answering(403, {"errors": errors})


def login_granting(**auth: Any) -> faults.Fault:
    """Answer a login with these in its auth block."""
    auth = {"client_token": "hvs.granted", "lease_duration": 3600, **auth}
    return answering(200, {"auth": auth})


def test_a_login_sends_both_ids_and_gives_the_token(client: VaultClient, vault: Vault) -> None:
    """Authenticate posts role_id and secret_id to AppRole, and returns what Vault grants."""
    token = client.authenticate()

    assert token.startswith("hvs.")
    (attempt,) = vault.trace
    assert (attempt.method, attempt.path) == ("POST", LOGIN)
    assert vault.role_id.encode() in attempt.body
    assert vault.secret_id.encode() in attempt.body
    assert "X-Vault-Token" not in attempt.headers


def test_a_token_serves_many_requests(client: VaultClient, vault: Vault) -> None:
    """One login is enough while the token lives."""
    for _ in range(3):
        client.get_secret("secret/data/myapp", use_cache=False)
        client.list_secrets("secret/metadata")

    assert len(vault.trace.to(path=LOGIN)) == 1


def test_authenticate_always_logs_in(client: VaultClient, vault: Vault) -> None:
    """Who calls authenticate wants a new token, and the other methods use that one then."""
    first, second = client.authenticate(), client.authenticate()
    client.list_secrets("secret/metadata")

    assert first != second
    assert vault.trace[-1].headers["X-Vault-Token"] == second


@pytest.mark.parametrize(
    ("lease", "good_and_over"),
    [(3600, (3299, 3301)), (60, (53, 55)), (1, (0.5, 0.95)), (100_000, (99_699, 99_701))],
)
def test_a_token_is_replaced_shortly_before_it_ends(
    lease: float,
    good_and_over: tuple[float, float],
    client: VaultClient,
    vault: Vault,
    no_real_waiting: Waiting,
) -> None:
    """A tenth of its life, at most five minutes, is left unused."""
    good, over = good_and_over
    vault.fail(login_granting(lease_duration=lease), path=LOGIN, times=2)
    vault.fail(answering(200, {"data": {"keys": ["a"]}}), method="LIST", times=3)

    client.list_secrets("secret/metadata")
    no_real_waiting.advance(good)
    client.list_secrets("secret/metadata")
    before = len(vault.trace.to(path=LOGIN))
    no_real_waiting.advance(over - good)
    client.list_secrets("secret/metadata")

    assert (before, len(vault.trace.to(path=LOGIN))) == (1, 2)


def test_a_lease_of_0_does_not_end(
    client: VaultClient, vault: Vault, no_real_waiting: Waiting
) -> None:
    """Vault's 0 is "for ever", not "already over"."""
    vault.fail(login_granting(lease_duration=0), path=LOGIN)
    vault.fail(answering(200, {"data": {"keys": ["a"]}}), method="LIST", times=2)

    client.list_secrets("secret/metadata")
    no_real_waiting.advance(1e9)
    client.list_secrets("secret/metadata")

    assert len(vault.trace.to(path=LOGIN)) == 1


@pytest.mark.parametrize(
    "auth",
    [
        {"client_token": ""},
        {"client_token": None},
        {"client_token": "hvs.with\nnewline"},
        {"client_token": "hvs.w\u00f6rd"},
        {"lease_duration": None},
        {"lease_duration": "3600"},
        {"lease_duration": -1},
        {"lease_duration": 1e300},
    ],
)
def test_a_login_that_grants_nothing_usable_is_an_error(
    auth: dict[str, Any], client: VaultClient, vault: Vault
) -> None:
    """A 200 without a usable token is a clear error, at once, and nothing of it is kept."""
    vault.fail(login_granting(**auth), path=LOGIN)

    with pytest.raises(VaultError, match=r"^Vault's answer to the login grants no usable token$"):
        client.authenticate()

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert len(vault.trace.to(path=LOGIN)) == 2


@pytest.mark.parametrize("body", [{"auth": None}, {}, [], "", 1, {"auth": "hvs.x"}])
def test_a_login_answer_of_another_shape_is_an_error(
    body: Any,
    client: VaultClient,
    vault: Vault,
) -> None:
    """JSON that is not Vault's is a VaultError, never a KeyError or TypeError."""
    vault.fail(answering(200, body), path=LOGIN)

    with pytest.raises(VaultError, match=r"grants no usable token$"):
        client.authenticate()


def test_wrong_credentials_fail_at_once(vault: Vault, no_real_waiting: Waiting) -> None:
    """Vault's 400 for a wrong secret_id is not retried: six of them would lock the role out."""
    client = VaultClient(secret_id="not-the-secret-id")

    with pytest.raises(VaultError, match=r"invalid role or secret ID$") as error:
        client.get_secret("secret/data/myapp")

    assert error.value.status_code == 400
    assert vault.trace.statuses == [400]


def test_a_token_that_vault_has_dropped_leads_to_one_login(
    client: VaultClient, vault: Vault, no_real_waiting: Waiting
) -> None:
    """The caller does not notice that the token ended before its time."""
    client.get_secret("secret/data/myapp")
    vault.expire_token()

    assert client.get_secret("secret/data/myapp", use_cache=False) == {"password": "s3cr3t"}
    assert len(vault.trace.to(path=LOGIN)) == 2
    assert no_real_waiting.waits == []


def test_a_token_called_invalid_is_replaced_without_further_questions(
    client: VaultClient, vault: Vault
) -> None:
    """Vault names the token, so nobody needs to ask about it."""
    vault.fail(refused(INVALID_TOKEN), path=READ)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert [attempt.path for attempt in vault.trace][:4] == [
        LOGIN,
        "/v1/secret/data/myapp",
        LOGIN,
        "/v1/secret/data/myapp",
    ]


def test_a_new_token_that_is_refused_too_is_the_end(client: VaultClient, vault: Vault) -> None:
    """One call makes one new login, whatever Vault goes on to say."""
    vault.fail(refused(INVALID_TOKEN), path=READ, times=FOREVER)

    with pytest.raises(VaultError, match="invalid token"):
        client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path=LOGIN)) == 2
    assert len(vault.trace.to(path=READ)) == 2


def test_calls_that_are_all_refused_make_one_login_a_minute(
    client: VaultClient, vault: Vault, no_real_waiting: Waiting
) -> None:
    """Neither a storm of logins, nor a client that never tries again."""
    client.list_secrets("secret/metadata")
    rule = vault.fail(refused(INVALID_TOKEN), path=READ, times=FOREVER)

    def failed_calls_and_logins() -> int:
        for _ in range(5):
            with pytest.raises(VaultError):
                client.get_secret("secret/data/myapp")
        return len(vault.trace.to(path=LOGIN))

    assert failed_calls_and_logins() == 2
    no_real_waiting.advance(61)
    assert failed_calls_and_logins() == 3
    assert rule.met == 12


def test_the_policys_no_is_not_the_tokens_fault(client: VaultClient, vault: Vault) -> None:
    """A path that the role may not read fails at once, with no login and no second try."""
    vault.fail(refused(POLICY), path=READ)

    with pytest.raises(VaultError) as error:
        client.get_secret("secret/data/myapp")

    assert error.value.status_code == 403
    assert vault.trace.statuses == [200, 403]


def test_a_permission_that_is_lost_is_not_answered_with_a_login(
    client: VaultClient, vault: Vault
) -> None:
    """Someone changes the policy in the middle of a run: a login would bring the same policy."""
    client.get_secret("secret/data/myapp")
    vault.deny("secret/myapp")

    with pytest.raises(VaultError, match="permission denied"):
        client.get_secret("secret/data/myapp", use_cache=False)

    assert len(vault.trace.to(path=LOGIN)) == 1


def test_a_token_for_one_use_works(client: VaultClient, vault: Vault) -> None:
    """The question about the engine uses it up; a new login makes that good."""
    vault.role(token_num_uses=1)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert client.list_secrets("secret/metadata") == ["myapp"]


def test_after_a_bare_403_the_token_is_asked_about_itself(
    client: VaultClient, vault: Vault
) -> None:
    """A proxy may say "permission denied" too; a token that still works is kept."""
    vault.fail(refused(BARE), path=READ)

    with pytest.raises(VaultError):
        client.get_secret("secret/data/myapp")

    assert [attempt.path for attempt in vault.trace] == [LOGIN, "/v1/secret/data/myapp", LOOKUP]
    assert vault.trace.statuses == [200, 403, 200]


@pytest.mark.parametrize("said", [BARE, INVALID_TOKEN, ["bad token"]])
def test_after_a_bare_403_a_dead_token_is_replaced(
    said: list[str], client: VaultClient, vault: Vault
) -> None:
    """OpenBao and older Vaults say of a dead token only "permission denied", here and there."""
    vault.fail(refused(BARE), path=READ)
    vault.fail(refused(said), path=LOOKUP)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert len(vault.trace.to(path=LOGIN)) == 2


@pytest.mark.parametrize("answer", [refused(POLICY), faults.status(404)])
def test_a_token_that_may_not_ask_about_itself_is_alive(
    answer: faults.Fault, client: VaultClient, vault: Vault
) -> None:
    """Only a live token is told by a policy what it may not do."""
    vault.fail(refused(BARE), path=READ)
    vault.fail(answer, path=LOOKUP)

    with pytest.raises(VaultError):
        client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path=LOGIN)) == 1


def test_an_outage_while_asking_about_the_token_is_retried(
    client: VaultClient, vault: Vault, no_real_waiting: Waiting
) -> None:
    """Not knowing is a failure of the attempt, not a verdict on the token."""
    vault.fail(refused(BARE), path=READ)
    vault.fail(503, path=LOOKUP)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert no_real_waiting.waits == [1]
    assert len(vault.trace.to(path=LOGIN)) == 1


@pytest.mark.parametrize(("status", "reads"), [(404, 1), (403, 2)])
def test_a_refusal_of_a_token_that_is_replaced_already_is_tried_with_the_new_one(
    status: int, reads: int, client: VaultClient, vault: Vault
) -> None:
    """Another thread was quicker: a 403 is asked again, and nothing else is."""

    def replaced_meanwhile(attempt: Attempt) -> bool:
        client._talk.logins.drop()
        return True

    vault.fail(
        answering(status, {"errors": POLICY}), path=READ, when=replaced_meanwhile, times=reads
    )
    with pytest.raises(VaultError):
        client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path=READ)) == reads


def in_threads(count: int, call: Callable[[], object]) -> list[object]:
    """Call at the same moment from several threads; return the results, exceptions included."""
    results: list[object] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            results.append(call())
        except Exception as exc:  # noqa: BLE001 - the test looks at it
            results.append(exc)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("errors", [INVALID_TOKEN, BARE])
def test_threads_with_one_dead_token_make_one_login(errors: list[str], vault: Vault) -> None:
    """Sixteen refusals of the same token are one reason to log in, not sixteen."""
    client = VaultClient(timeout=5)
    token = client.authenticate()

    def has_old_token(attempt: Attempt) -> bool:
        return attempt.headers.get("X-Vault-Token") == token

    vault.fail(refused(errors), when=has_old_token, times=FOREVER)
    results = in_threads(16, lambda: client.get_secret("secret/data/myapp", use_cache=False))

    assert results == [{"password": "s3cr3t"}] * 16
    assert len(vault.trace.to(path=LOGIN)) == 2


def test_threads_that_start_together_share_the_first_login(vault: Vault) -> None:
    """A client that is new to all its threads logs in once."""
    client = VaultClient(timeout=5)
    vault.fail(faults.latency(0.02), path=LOGIN)

    results = in_threads(16, lambda: client.list_secrets("secret/metadata"))

    assert results == [["myapp"]] * 16
    assert len(vault.trace.to(path=LOGIN)) == 1
