"""What a caller gets when Vault could not be asked or did not answer as wished."""

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import requests

from gds_vault.retry import is_transient

logger = logging.getLogger("gds_vault.vault")

P = ParamSpec("P")
T = TypeVar("T")


class VaultError(Exception):
    """The operation failed for good.

    `__cause__` is the `requests.RequestException` of the last attempt, if there was one;
    `status_code` is the HTTP status of that attempt, if it was answered.
    """

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


def raises_vault_error(operation: Callable[P, T]) -> Callable[P, T]:
    """Turn what is left of a failure after all retries into `VaultError`, logged once.

    It belongs outside of `retry_with_backoff`. Inside, the retries would see a
    VaultError, which is not retriable, and would never happen.
    """
    name = operation.__name__

    @functools.wraps(operation)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return operation(*args, **kwargs)
        except VaultError as exc:
            logger.error("%s failed: %s", name, exc)  # noqa: TRY400 - a traceback is many lines
            raise
        except requests.RequestException as exc:
            if not is_transient(exc):  # otherwise the retries have logged that they gave up
                logger.error("%s failed: %s", name, exc)  # noqa: TRY400
            status = None if exc.response is None else exc.response.status_code
            raise VaultError(f"{name} failed: {exc}", status) from exc

    return guarded
