"""One family of errors for everything that can keep a tweet from being written.

Each error knows whether another try could help (``retryable``), so that the
retry functions, the log and the caller all go by the same answer.
"""

import errno
import functools
import socket
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import requests
import urllib3

P = ParamSpec("P")
T = TypeVar("T")

# What requests raises when the network, not the request, is at fault.
# ContentDecodingError and JSONDecodeError mean that an answer was mangled on its way.
TRANSPORT_FAILURES: tuple[type[Exception], ...] = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.JSONDecodeError,
    ConnectionError,
    TimeoutError,
    socket.gaierror,
)

# Failures of the network, too, that Python gives no class of their own.
_UNREACHABLE = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH}


class GeminiError(Exception):
    """No tweet, and ``str(error)`` says why in one line without secrets."""

    retryable: bool = False

    def __init__(self, message: str, status_code: int | None = None) -> None:
        # All arguments reach Exception, so that the error survives pickling.
        super().__init__(message, status_code)
        self.message = message
        self.status_code = status_code

    def __str__(self) -> str:
        return self.message


class ConfigurationError(GeminiError):
    """The key is missing or the environment names something unusable."""


class InvalidRequestError(GeminiError):
    """The request could not be built or sent as it is."""


class GeminiHTTPError(GeminiError):
    """The service answered with a status other than 200."""

    def __init__(self, message: str, status_code: int) -> None:
        super().__init__(message, status_code)
        self.retryable = is_server_error(status_code)

    def __str__(self) -> str:
        return f"HTTP {self.status_code}: {self.message}"


class GeminiConnectionError(GeminiError):
    """Refused, timed out, reset, or the answer broke off."""

    retryable = True


class GarbledAnswerError(GeminiError):
    """A 200, yet not an answer of Gemini: broken JSON, a proxy's HTML page."""

    retryable = True


class NoTweetError(GeminiError):
    """Gemini's own, complete answer, and it holds no finished tweet."""


def without_frames(function: Callable[P, T]) -> Callable[P, T]:
    """Let a GeminiError leave ``function`` without the frames it came through.

    Their variables hold the key, or an answer that quotes it, and some error
    reporters print variables. The exception that it was made of, which Python
    keeps as its context, has such frames too.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except GeminiError as error:
            failure = error.with_traceback(None)
            failure.__context__ = None
        raise failure

    return call


def is_server_error(status_code: int) -> bool:
    """Whether it is a 5xx; 600 and above are nobody's."""
    return 500 <= status_code <= 599


def is_retryable(error: BaseException) -> bool:
    """Whether the same request may well succeed a moment later.

    Server errors (5xx), timeouts, connection errors, answers that broke off or
    were mangled. Never a 4xx (429 included), a malformed request or a bad key.
    """
    if isinstance(error, GeminiError):
        return error.retryable
    if isinstance(error, requests.HTTPError):
        # A Response with an error status is falsy: compare with None.
        return error.response is not None and is_server_error(error.response.status_code)
    if isinstance(error, requests.exceptions.InvalidHeader):
        # A header of the request, or one of the answer: two Content-Lengths that differ.
        return isinstance(error.__context__, urllib3.exceptions.InvalidHeader)
    if isinstance(error, requests.exceptions.SSLError) and _is_about_a_file(error):
        return False
    unreachable = isinstance(error, OSError) and error.errno in _UNREACHABLE
    return unreachable or isinstance(error, TRANSPORT_FAILURES)


def _is_about_a_file(error: BaseException) -> bool:
    """Whether the certificate authorities cannot be read, which is tried for each connection."""
    if isinstance(error, PermissionError) or getattr(error, "library", None) == "X509":
        return True
    return error.__context__ is not None and _is_about_a_file(error.__context__)
