"""An error that is logged is kept by who records logs, with all that its frames have open."""

from __future__ import annotations

import logging
import time
from typing import Any

import requests

from pytest_resilience import Recorder, RetryPolicy, verify

log = logging.getLogger("app")
MANY = "many-failures"


class Client:
    """Logs each error with its traceback; another one keeps them as well."""

    def __init__(self, *, keeps: bool = False) -> None:
        self._kept: list[Exception] | None = [] if keeps else None

    def get(self, url: str) -> Any:
        for wait in (1, 2, 4, None):
            try:
                response = requests.get(url, timeout=5, stream=True)
                response.raise_for_status()
                return response.json()
            except requests.RequestException as error:
                if self._kept is not None:
                    self._kept.append(error)
                if wait is None:
                    raise
                log.warning("again in %s s", wait, exc_info=True)
                time.sleep(wait)
        raise AssertionError


def test_records_that_others_keep_are_no_leak_of_the_clients() -> None:
    """pytest keeps those of a whole test, and who listens keeps their errors."""
    with Recorder() as heard:
        verdict = verify(Client().get, RetryPolicy(), only=MANY)
        log.warning("and goes on")

    assert verdict.codes == []
    assert "and goes on" in [line.text for line in heard.lines]
    assert logging.root.manager.disable == logging.NOTSET


def test_who_keeps_errors_is_found() -> None:
    """Whether or not they are logged."""
    verdict = verify(Client(keeps=True).get, RetryPolicy(), only=MANY)

    assert verdict.codes == ["response-not-closed"]
