"""A token that Vault refuses: one new login where that helps, none where it does not."""

import pytest
import requests

from gds_vault import VaultClient, VaultError
from helpers import answering, in_threads
from pytest_resilience import FOREVER, Attempt, VirtualClock, faults
from pytest_resilience_vault import Vault

LOGIN, READ, LOOKUP = "/v1/auth/approle/login", "/v1/secret/*", "/v1/auth/token/lookup-self"

# The three texts of a 403, as Vault and OpenBao write them.
INVALID_TOKEN = ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]
POLICY = ["1 error occurred:\n\t* permission denied\n\n"]
BARE = ["permission denied"]


def refused(errors: list[str]) -> faults.Fault:
    """Answer 403 with these words."""
    return answering(403, {"errors": errors})


def test_a_token_that_vault_has_dropped_leads_to_one_login(
    client: VaultClient, vault: Vault, virtual_clock: VirtualClock
) -> None:
    """The caller does not notice that the token ended before its time."""
    client.get_secret("secret/data/myapp")
    vault.expire_token()

    assert client.get_secret("secret/data/myapp", use_cache=False) == {"password": "s3cr3t"}
    assert len(vault.trace.to(path=LOGIN)) == 2
    assert virtual_clock.now == 0


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


@pytest.mark.resilience(leaks=False)  # what stands in for a secret is in every other text
@pytest.mark.parametrize("role_id", ["token", "invalid", "permission"])
def test_a_role_that_is_called_like_a_word_of_vaults_changes_nothing(
    role_id: str, vault: Vault
) -> None:
    """Masked is what is shown of Vault's words, not what is made of them."""
    requests.post(
        f"{vault.url}/v1/auth/approle/role/app/role-id",
        json={"role_id": role_id},
        headers={"X-Vault-Token": vault.root_token},
        timeout=5,
    )
    client = VaultClient(role_id=role_id)
    client.get_secret("secret/data/myapp")
    vault.expire_token()

    assert client.get_secret("secret/data/myapp", use_cache=False) == {"password": "s3cr3t"}


def test_a_new_token_that_is_refused_too_is_the_end(client: VaultClient, vault: Vault) -> None:
    """One call makes one new login, whatever Vault goes on to say."""
    vault.fail(refused(INVALID_TOKEN), path=READ, times=FOREVER)

    with pytest.raises(VaultError, match="invalid token"):
        client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path=LOGIN)) == 2
    assert len(vault.trace.to(path=READ)) == 2


def test_calls_that_are_all_refused_make_one_login_a_minute(
    client: VaultClient, vault: Vault, virtual_clock: VirtualClock
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
    virtual_clock.advance(59)
    assert failed_calls_and_logins() == 2
    virtual_clock.advance(2)
    assert failed_calls_and_logins() == 3
    assert rule.met == 17


@pytest.mark.resilience(unmet=True)  # only a bare 403 leads to the question about the token
@pytest.mark.parametrize("said", [INVALID_TOKEN, BARE])
def test_a_path_that_is_always_refused_makes_one_login_a_minute_where_others_work(
    said: list[str], client: VaultClient, vault: Vault, virtual_clock: VirtualClock
) -> None:
    """That a token is accepted elsewhere does not make it one that ended."""
    vault.put("secret/closed", {"a": "b"})
    for path in ("/v1/secret/data/closed", LOOKUP):
        vault.fail(refused(said), path=path, times=FOREVER)

    def logins_of_five_rounds() -> int:
        for _ in range(5):
            client.get_secret("secret/data/myapp", use_cache=False)
            with pytest.raises(VaultError):
                client.get_secret("secret/data/closed")
        return len(vault.trace.to(path=LOGIN))

    assert logins_of_five_rounds() == 2
    virtual_clock.advance(61)
    assert logins_of_five_rounds() == 3


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
    client: VaultClient, vault: Vault
) -> None:
    """Not knowing is a failure of the attempt, not a verdict on the token."""
    vault.fail(refused(BARE), path=READ)
    vault.fail(503, path=LOOKUP)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert vault.trace.to(path=READ).waits == [1]
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


@pytest.mark.parametrize("errors", [INVALID_TOKEN, BARE])
def test_threads_with_one_dead_token_make_one_login(errors: list[str], vault: Vault) -> None:
    """Sixteen refusals of the same token are one reason to log in, not sixteen."""
    client = VaultClient()
    token = client.authenticate()

    def has_old_token(attempt: Attempt) -> bool:
        return attempt.headers.get("X-Vault-Token") == token

    vault.fail(refused(errors), when=has_old_token, times=FOREVER)
    results = in_threads(16, lambda: client.get_secret("secret/data/myapp", use_cache=False))

    assert results == [{"password": "s3cr3t"}] * 16
    assert len(vault.trace.to(path=LOGIN)) == 2
