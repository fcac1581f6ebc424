"""A client that was made before its process forked: no secret of another process, no hang."""

import logging
import os
import signal
import threading

import pytest

from gds_vault import VaultClient
from pytest_resilience_vault import Vault

# Python warns of forks beside threads, and the fake Vault's is one.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

PATIENCE = 20


def reads_in_a_child(client: VaultClient) -> bool:
    """Whether a process forked from this one gets its secret."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        try:
            secret = client.get_secret("secret/data/myapp", use_cache=False)
            os._exit(0 if secret == {"password": "s3cr3t"} else 1)
        finally:
            os._exit(2)  # pytest's frames are not to go on in two processes
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_forked_process_has_connections_of_its_own_and_the_same_token(fake_vault: Vault) -> None:
    """On a shared connection one process would get the secret that another has asked for."""
    fake_vault.put("secret/myapp", {"password": "s3cr3t"})
    client = VaultClient()
    client.get_secret("secret/data/myapp")

    assert reads_in_a_child(client)
    assert client.get_secret("secret/data/myapp", use_cache=False) == {"password": "s3cr3t"}

    reads = fake_vault.trace.to(path="/v1/secret/*")
    assert [attempt.connection for attempt in reads] == [1, 2, 1]
    assert len(fake_vault.trace.to(path="/v1/auth/*")) == 1


def test_a_login_that_was_under_way_at_the_fork_is_not_waited_for(
    fake_vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread that makes it is not in the child, so it would never end there."""
    fake_vault.put("secret/myapp", {"password": "s3cr3t"})
    client = VaultClient()
    logs_in, forked = threading.Event(), threading.Event()

    class Pause(logging.Handler):
        """Holds the login up where it is logged."""

        def emit(self, record: logging.LogRecord) -> None:
            """Wait for the fork."""
            if threading.current_thread() is thread:
                logs_in.set()
                forked.wait(PATIENCE)

    thread = threading.Thread(target=client.authenticate)
    logger, handler = logging.getLogger("gds_vault"), Pause()
    logger.addHandler(handler)
    caplog.set_level(logging.INFO)
    try:
        thread.start()
        logs_in.wait(PATIENCE)
        was_read = reads_in_a_child(client)
    finally:
        forked.set()
        thread.join()
        logger.removeHandler(handler)

    assert was_read
