"""What the tests speak of: the four operations, answers, threads and log lines."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gds_vault import VaultClient, get_secret_from_vault
from pytest_resilience import faults


class Lines(Protocol):
    """What the client has logged at a level and above, as "LEVEL message"."""

    def __call__(self, level: int = logging.INFO) -> list[str]:
        """Return them in order."""
        ...


@dataclass(frozen=True)
class Operation:
    """One of the four things that the package does, with the result it must have."""

    name: str
    run: Callable[[], object]
    result: object


OPERATIONS = [
    Operation("authenticate", lambda: VaultClient().authenticate()[:4], "hvs."),
    Operation(
        "get_secret",
        lambda: VaultClient().get_secret("secret/data/myapp"),
        {"password": "s3cr3t"},
    ),
    Operation(
        "list_secrets",
        lambda: VaultClient().list_secrets("secret/metadata"),
        ["myapp"],
    ),
    Operation(
        "get_secret_from_vault",
        lambda: get_secret_from_vault("secret/data/myapp"),
        {"password": "s3cr3t"},
    ),
]


def answering(status: int, body: object) -> faults.Fault:
    """Answer with this status and this JSON in place of the real answer."""
    headers = {"Content-Type": "application/json"}
    return faults.status(status, body=json.dumps(body).encode(), headers=headers)


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
