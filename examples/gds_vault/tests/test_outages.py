"""The four operations in an outage: what is survived, and what the caller gets when it is not."""

import copy
import pickle
import socket
from collections.abc import Callable, Iterator

import pytest
import requests

from gds_vault import VaultClient, VaultError, get_secret_from_vault
from helpers import Operation
from pytest_resilience import FOREVER, VirtualClock, faults
from pytest_resilience_vault import Vault

LOGIN, READ, MOUNTS = "/v1/auth/approle/login", "/v1/secret/data/myapp", "/v1/sys/internal/*"

OUTAGES: dict[str, faults.Fault] = {
    "429": faults.status(429),
    "500": faults.status(500),
    "501": faults.status(501),
    "502": faults.status(502),
    "503": faults.status(503),
    "504": faults.status(504),
    "599": faults.status(599),
    "no answer": faults.timeout(),
    "half a head": faults.half_head(),
    "stall in the body": faults.stall(),
    "body cut": faults.limit_data(),
    "chunk cut": faults.cut_chunk(),
    "body too short": faults.wrong_length(by=5),
    "body too long": faults.wrong_length(by=-10),
    "malformed JSON": faults.malformed_json(),
    "HTML with 200": faults.html_page(200),
    "HTML with 502": faults.html_page(502),
    "empty reply": faults.empty_reply(),
    "reset before the head": faults.reset_peer(when="head"),
    "reset in the body": faults.reset_peer(when="body"),
    "garbage": faults.garbage(),
    "huge headers": faults.huge_headers(),
}
SILENCES = ("no answer", "half a head", "stall in the body", "body too short")
"""Those that end only with the client's timeout."""


@pytest.mark.parametrize("outage", OUTAGES)
def test_each_operation_survives_three_failures_of_each_kind(
    operation: Operation,
    outage: str,
    vault: Vault,
) -> None:
    """The fourth attempt succeeds, after waits of 1, 2 and 4 seconds; a silence lasts 10."""
    vault.fail(OUTAGES[outage], times=3)

    assert operation.run() == operation.result

    logins = vault.trace.to(path=LOGIN)
    assert logins.waits == [1, 2, 4]
    assert logins.times == ([0, 11, 23, 37] if outage in SILENCES else [0, 1, 3, 7])


def test_a_silent_vault_is_given_up_after_47_seconds(
    operation: Operation, vault: Vault, virtual_clock: VirtualClock
) -> None:
    """Four timeouts of 10 seconds and the waits between them, as the guide's section 9 says."""
    vault.fail(faults.timeout(), times=FOREVER)

    with pytest.raises(VaultError):
        operation.run()

    assert vault.trace.times == [0, 11, 23, 37]
    assert virtual_clock.now == 47


def test_a_timeout_can_be_chosen(vault: Vault, virtual_clock: VirtualClock) -> None:
    """With 2 seconds each, a silent Vault costs 15."""
    vault.fail(faults.timeout(), times=FOREVER)

    with pytest.raises(VaultError):
        VaultClient(timeout=2).authenticate()

    assert vault.trace.times == [0, 3, 7, 13]
    assert virtual_clock.now == 15


def test_a_slow_answer_within_the_timeout_is_waited_for(
    client: VaultClient, vault: Vault, virtual_clock: VirtualClock
) -> None:
    """Nine seconds are late, and no failure."""
    vault.fail(faults.latency(9))

    client.authenticate()

    assert vault.trace.statuses == [200]
    assert virtual_clock.now == 9


def test_a_server_that_reads_nothing_is_a_timeout(client: VaultClient, vault: Vault) -> None:
    """A connection that is accepted and forgotten ends with the timeout, and is retried."""
    vault.fail(faults.never_read(), times=3)

    client.authenticate()

    assert vault.trace.times == [0, 11, 23, 37]


def test_each_operation_gives_up_after_four_attempts(
    operation: Operation,
    vault: Vault,
    virtual_clock: VirtualClock,
) -> None:
    """There is no fifth attempt, and no wait after the fourth; the login inside adds none."""
    vault.fail(503, times=FOREVER)

    with pytest.raises(VaultError):
        operation.run()

    assert vault.trace.statuses == [503, 503, 503, 503]
    assert vault.trace.waits == [1, 2, 4]
    assert virtual_clock.now == 7


def test_the_caller_gets_a_vault_error_with_its_cause(operation: Operation, vault: Vault) -> None:
    """What is left after all attempts is a VaultError that says what the last one met."""
    vault.fail(503, times=FOREVER)

    with pytest.raises(VaultError, match=f"^{operation.name} failed: HTTP 503 from POST") as error:
        operation.run()

    assert error.value.status_code == 503
    assert isinstance(error.value.__cause__, requests.HTTPError)


def pickled(exc: BaseException) -> object:
    """Take it to pieces and make it anew."""
    return pickle.loads(pickle.dumps(exc))  # noqa: S301 - our own


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickled])
def test_an_error_and_its_cause_can_go_to_another_process(
    clone: Callable[[BaseException], requests.HTTPError], client: VaultClient, vault: Vault
) -> None:
    """Pools of processes pickle what was raised."""
    vault.fail(403)
    with pytest.raises(VaultError) as error:
        client.authenticate()
    cause = error.value.__cause__
    assert cause is not None
    cloned = clone(cause)

    assert repr(cloned) == repr(cause)
    assert vars(cloned).keys() == vars(cause).keys()
    assert cloned.response.status_code == 403
    assert vars(clone(error.value)) == {"status_code": 403}


@pytest.mark.parametrize("step", [READ, MOUNTS])
@pytest.mark.parametrize("outage", ["503", "no answer", "body cut", "malformed JSON"])
def test_a_failure_after_the_login_does_not_repeat_the_login(
    outage: str,
    step: str,
    client: VaultClient,
    vault: Vault,
) -> None:
    """The token that one attempt has got is there for the next."""
    vault.fail(OUTAGES[outage], times=3, path=step)

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert vault.trace.to(path=step).waits == [1, 2, 4]
    assert len(vault.trace.to(path=LOGIN)) == 1
    assert len(vault.trace.to(path=step)) == 4


def test_the_function_logs_in_once_whatever_the_reading_meets(vault: Vault) -> None:
    """A secret_id with few uses is not used up by the retries of the read."""
    vault.fail(503, times=3, path=READ)

    get_secret_from_vault("secret/data/myapp")

    assert len(vault.trace.to(path=LOGIN)) == 1


def test_failures_of_different_steps_share_the_four_attempts(
    client: VaultClient,
    vault: Vault,
) -> None:
    """Retries do not multiply: login, read and mount lookup have four attempts together."""
    vault.fail(503, times=2, path=LOGIN)
    vault.fail(503, path=READ)
    vault.fail(503, path=MOUNTS)

    with pytest.raises(VaultError):
        client.get_secret("secret/data/myapp")

    assert vault.trace.statuses == [503, 503, 200, 503, 200, 503]
    assert vault.trace.times == [0, 1, 3, 3, 7, 7]


def test_listing_survives_a_failure_of_the_list_itself(
    client: VaultClient,
    vault: Vault,
) -> None:
    """LIST is a method that urllib3's own Retry would not repeat; this client does."""
    vault.fail(503, 429, faults.reset_peer(when="head"), method="LIST")

    assert client.list_secrets("secret/metadata") == ["myapp"]
    assert vault.trace.waits == [1, 2, 4]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_each_operation_fails_at_once_on_400_403_and_404(
    operation: Operation,
    status: int,
    vault: Vault,
    virtual_clock: VirtualClock,
) -> None:
    """What a repetition cannot cure is not repeated."""
    vault.fail(status)

    with pytest.raises(VaultError) as error:
        operation.run()

    assert error.value.status_code == status
    assert vault.trace.statuses == [status]
    assert virtual_clock.now == 0


@pytest.mark.parametrize(
    "retry_after", [30, 0, -1, 99999999999, "soon", "", faults.http_date(30), faults.http_date(-30)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_does_not_change_the_schedule(
    status: int,
    retry_after: float | str | faults.http_date,
    client: VaultClient,
    vault: Vault,
) -> None:
    """The formula is the whole schedule; no header can lengthen, shorten or break it."""
    vault.fail(faults.status(status, retry_after=retry_after), times=3)

    client.authenticate()

    assert vault.trace.waits == [1, 2, 4]


def test_a_vault_that_is_down_is_a_vault_error(
    operation: Operation,
    vault: Vault,
    virtual_clock: VirtualClock,
) -> None:
    """A refused connection is retried, and ends as a VaultError; later the same Vault works."""
    vault.down()

    with pytest.raises(VaultError, match=r"failed: Connection refused$") as error:
        operation.run()

    assert isinstance(error.value.__cause__, requests.ConnectionError)
    assert virtual_clock.now == 7

    vault.up()
    assert operation.run() == operation.result


def test_a_restart_of_five_seconds_is_not_noticed(
    operation: Operation,
    vault: Vault,
    virtual_clock: VirtualClock,
) -> None:
    """A Vault that is back before the fourth attempt answers that one."""
    vault.down(5)

    assert operation.run() == operation.result
    assert virtual_clock.now == 7
    assert len(vault.trace.to(path=LOGIN)) == 1


def test_a_sealed_vault_is_retried(client: VaultClient, vault: Vault) -> None:
    """Sealed is a 503 and passes when someone unseals."""
    vault.seal()

    with pytest.raises(VaultError, match=r"Vault is sealed$"):
        client.get_secret("secret/data/myapp")

    assert vault.trace.statuses == [503, 503, 503, 503]


def test_a_standby_without_a_leader_is_retried(client: VaultClient, vault: Vault) -> None:
    """A cluster that is electing answers 500 until it has a leader."""
    vault.step_down()

    with pytest.raises(VaultError, match="HTTP 500 "):
        client.get_secret("secret/data/myapp")

    assert vault.trace.statuses == [500, 500, 500, 500]


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """The address of a server that accepts no more connections, nor refuses them."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_connection_timeout_is_retried(
    full_backlog: str,
    virtual_clock: VirtualClock,
) -> None:
    """Not only silence after the connection counts as a timeout.

    The server is none of pytest-resilience's, so its four timeouts are short: they pass in real
    time, too.
    """
    client = VaultClient(full_backlog, "role", "secret", timeout=0.05)

    with pytest.raises(VaultError, match=r"^authenticate failed: Connection timeout$") as error:
        client.authenticate()

    assert isinstance(error.value.__cause__, requests.ConnectTimeout)
    assert virtual_clock.now == 7.2


class TwoLengths:
    """A fault of our own: an answer that announces two lengths."""

    label = "two lengths"

    def apply(self, script: faults.Script, context: faults.Context) -> faults.Script:
        """As it is, but for its length."""
        return script.saying(script.answer.with_header("Content-Length", "2, 20"))


def test_an_answer_that_contradicts_itself_is_retried(
    fake_vault: Vault, virtual_clock: VirtualClock
) -> None:
    """What requests calls an invalid header is the server's here, so no wrong setting of ours."""
    fake_vault.fail(TwoLengths(), times=4)
    client = VaultClient()

    with pytest.raises(VaultError, match=r"^authenticate failed: Answer cannot be read as HTTP$"):
        client.authenticate()

    assert virtual_clock.now == 7


def test_a_name_that_does_not_resolve_is_retried(virtual_clock: VirtualClock) -> None:
    """DNS fails in outages too; .invalid is a name that never resolves (RFC 6761)."""
    client = VaultClient("http://vault.invalid", "role", "secret")

    with pytest.raises(VaultError):
        client.authenticate()

    assert virtual_clock.now == 7


def test_a_failed_tls_handshake_is_retried(vault: Vault) -> None:
    """The document counts TLS errors among those that pass."""
    client = VaultClient(vault.url.replace("http:", "https:"), "role", "secret")

    with pytest.raises(VaultError, match=r"^authenticate failed: TLS failure$") as error:
        client.authenticate()

    assert isinstance(error.value.__cause__, requests.exceptions.SSLError)
    assert vault.trace.times == [0, 1, 3, 7]


def test_a_connection_that_ended_while_idle_costs_one_retry(
    client: VaultClient, vault: Vault
) -> None:
    """The pooled connection that the server has given up is replaced."""
    client.authenticate()
    vault.fail(faults.stale_connection())

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert vault.trace.to(path=READ).waits == [1]
