"""What can go wrong with one request, in a form that may be logged and kept.

Problem: an exception of requests carries the request, and with it the token or the
secret_id; the frames of its traceback and of the exceptions chained to it hold them
too. Error reporters print all of that.

Solution: the failure that leaves this package is a new exception of the same class
with a few words for a text and nothing attached. The long text goes to the DEBUG log.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from http.client import HTTPException
from typing import Self

import requests

from gds_vault.text import Secret, one_line, without

# A connect timeout is worded as the example in the document has it.
# For an address that cannot be used, requests quotes it, and with it a proxy's password.
WORDS: Mapping[type[requests.RequestException], str] = {
    requests.ConnectTimeout: "Connection timeout",
    requests.exceptions.SSLError: "TLS failure",
    requests.exceptions.ProxyError: "Proxy failure",
    requests.exceptions.ContentDecodingError: "Answer cannot be decompressed",
    requests.exceptions.InvalidURL: "Unusable address: see HTTP_PROXY, HTTPS_PROXY, vault_addr",
    requests.exceptions.InvalidSchema: "Unusable kind of proxy: see HTTP_PROXY, HTTPS_PROXY",
}

BAD_AUTHORITIES = "The certificate authorities cannot be read"
UNREADABLE = "Answer cannot be read as HTTP"


class UnusableSettings(requests.RequestException):
    """No request could be made, for a reason that requests has no exception for."""


class Verdict(Enum):
    """What Vault's text of a refusal says of the token.

    A bare "permission denied" is what OpenBao and older Vaults say of an unknown token, but
    a proxy may say it too.
    """

    DEAD = "invalid token"
    POLICY = "1 error occurred: permission denied"
    BARE = "permission denied"
    OTHER = "anything else"


class StatusError(requests.HTTPError):
    """Vault, or something before it, answered with a status that is not a success.

    `response` has the status and nothing else. The `verdict` is on Vault's own words, which
    are masked in the text: a role_id may be "token".
    """

    def __init__(self, text: str, status: int, verdict: Verdict) -> None:
        response = requests.Response()
        response.status_code = status
        super().__init__(text, response=response)
        self.status = status
        self.verdict = verdict

    def __reduce__(self) -> tuple[type[Self], tuple[str, int, Verdict]]:
        # An exception is copied and pickled by its text alone, unless it says otherwise.
        return type(self), (str(self), self.status, self.verdict)


def detached(failure: Exception) -> requests.RequestException:
    """The same failure, in words, without the request it carries."""
    # Not a header of ours, which are checked: one of the answer, such as two Content-Lengths.
    if isinstance(failure, requests.exceptions.InvalidHeader):
        return requests.ConnectionError(UNREADABLE)
    if isinstance(failure, requests.exceptions.SSLError) and _is_about_a_file(failure):
        return UnusableSettings(f"{BAD_AUTHORITIES}: see REQUESTS_CA_BUNDLE")
    if isinstance(failure, requests.RequestException):
        return type(failure)(in_words(failure))
    if not isinstance(failure, OSError):
        name = type(failure).__name__
        return UnusableSettings(
            f"No request can be made ({name}): see HTTP_PROXY, HTTPS_PROXY, vault_addr"
        )
    # One without a number is not the system's: requests misses the file or folder.
    if type(failure) is OSError and failure.errno is None:
        return UnusableSettings(f"{one_line(failure)}: see REQUESTS_CA_BUNDLE")
    return requests.ConnectionError(in_words(failure))


def _is_about_a_file(failure: requests.exceptions.SSLError) -> bool:
    """Whether authorities could not be read, which urllib3 does for each connection anew."""
    return any(
        isinstance(cause, PermissionError) or getattr(cause, "library", None) == "X509"
        for cause in _chain(failure)
    )


def in_words(failure: OSError) -> str:
    """Say in a few words why there was no answer."""
    for kind, words in WORDS.items():
        if isinstance(failure, kind):
            return words
    causes = [exc for exc in _chain(failure) if not isinstance(exc, requests.RequestException)]
    # The socket's own timeout has no errno; urllib3 wraps it in something that requests
    # calls a ReadTimeout before the body and a ConnectionError in the middle of it.
    if any(isinstance(cause, TimeoutError) and cause.errno is None for cause in causes):
        return "Read timeout"
    for cause in causes:
        if isinstance(cause, OSError) and (cause.strerror or cause.args):
            return one_line(cause.strerror or cause.args[0])
    if isinstance(failure, requests.exceptions.ChunkedEncodingError):
        return "Answer cut short"
    if any(isinstance(cause, HTTPException) for cause in causes):
        return UNREADABLE
    return type(failure).__name__


def complaints(body: object) -> tuple[str, ...]:
    """Vault's own words in the body of an error: its errors, or its warnings if it has none."""
    if not isinstance(body, Mapping):
        return ()
    said = body.get("errors") or body.get("warnings")
    if isinstance(said, list):
        return tuple(str(line) for line in said)
    # A deleted version is a 404 with the data of a success and no errors at all.
    metadata = _get(_get(body, "data"), "metadata")
    if _get(metadata, "destroyed"):
        return (f"version {_get(metadata, 'version')} is destroyed",)
    if _get(metadata, "deletion_time"):
        return (f"version {_get(metadata, 'version')} is deleted",)
    return ()


def status_error(
    asked: str, status: int, said: Collection[str], secrets: Iterable[Secret]
) -> StatusError:
    """Say which request was answered how, in one line and with nothing secret echoed in it."""
    words = "; ".join(one_line(without(line, secrets).strip()) for line in said)
    text = f"HTTP {status} from {asked}" + (f": {words}" if words else "")
    return StatusError(one_line(text, 300), status, _verdict(status, said))


def _verdict(status: int, said: Collection[str]) -> Verdict:
    if status != 403:
        return Verdict.OTHER
    if any("invalid token" in line for line in said):
        return Verdict.DEAD
    if any("error occurred" in line for line in said):
        return Verdict.POLICY
    return Verdict.BARE if list(said) == ["permission denied"] else Verdict.OTHER


def _get(mapping: object, key: str) -> object:
    return mapping.get(key) if isinstance(mapping, Mapping) else None


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """Yield the failure and all that led to it; urllib3 keeps causes in `args` and `reason` too."""
    waiting: list[object] = [failure]
    seen: set[int] = set()
    while waiting:
        exc = waiting.pop(0)
        if not isinstance(exc, BaseException) or id(exc) in seen:
            continue
        seen.add(id(exc))
        yield exc
        waiting += [*exc.args, getattr(exc, "reason", None), exc.__cause__, exc.__context__]
