"""Refusals: the status and the exact words with which Vault says no.

Words seen on a real OpenBao 2.7.2 unless a comment names another source; both servers share
sdk/logical/error.go and response_util.go, where an error's status comes from.
"""

from __future__ import annotations


class Refused(Exception):
    """Ends the handling of a request with an error answer."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status, *errors)
        self.status = status
        self.errors = list(errors)


class Lacking(Exception):
    """The real Vault would do something here that the fake cannot: say so, do not pretend."""


def one_of(text: str) -> str:
    """An error as hashicorp/go-multierror prints a list of one."""
    return f"1 error occurred:\n\t* {text}\n\n"


def unlisted(text: str) -> str:
    """One of a list, or any other, as it was before."""
    begin = "1 error occurred:\n\t* "
    return text.removeprefix(begin).removesuffix("\n\n") if text.startswith(begin) else text


def quoted_list(names: list[str]) -> str:
    """As Go prints a list with %q."""
    return "[" + " ".join(f'"{name}"' for name in names) + "]"


def bad_request(text: str) -> Refused:
    """400, with Vault's words."""
    return Refused(400, text)


def not_found() -> Refused:
    """404 without a word: a read that found nothing, an empty list."""
    return Refused(404)


class Forbidden(Refused):
    """What an OpenBao says when it cannot make out what a token may do (seen)."""

    def __init__(self, why: str) -> None:
        super().__init__(400, "Forbidden")
        self.why = why


def no_token() -> Refused:
    """403 of a request without a token, and of a login where no auth method is mounted."""
    return Refused(403, "permission denied")


INVALID_TOKEN = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"  # noqa: S105


def invalid_token() -> Refused:
    """403 of a token that is unknown, expired, revoked or used up.

    Vault: pull request 26687 and TestToken_InvalidTokenError; OpenBao says only
    "permission denied".
    """
    return Refused(403, INVALID_TOKEN)


def not_allowed() -> Refused:
    """403 of a good token whose policies do not grant the request."""
    return Refused(403, one_of("permission denied"))


LARGEST = 1 << 20
"""Bytes of an entry in integrated storage (max_entry_size)."""
OVERHEAD = 92
"""About what the seal and the storage add to a value, besides its path (seen)."""


def refuse_too_large(value: str, path: str, before: str = "") -> None:
    """500 for what integrated storage does not take (physical/raft, ErrValueTooLarge)."""
    size = len(value.encode()) + len(path) + OVERHEAD
    if size > LARGEST:
        words = f"put failed due to value being too large; got {size} bytes, max: {LARGEST} bytes"
        raise Refused(500, one_of(before + words))


def unsupported_path() -> Refused:
    """404: the mount has no such path."""
    return Refused(404, one_of("unsupported path"))


def unsupported_operation() -> Refused:
    """405: the path is there, the operation is not."""
    return Refused(405, one_of("unsupported operation"))


def no_handler(path: str) -> Refused:
    """404: no mount begins this path."""
    return Refused(404, f'no handler for route "{path}". route entry not found.')


def sealed() -> Refused:
    """503, before any look at the token."""
    return Refused(503, "Vault is sealed")


def no_leader() -> Refused:
    """500 of a standby that knows of no active node (http/handler.go)."""
    return Refused(500, "local node not active but active cluster node not found")
