"""The errors this package raises, each with one meaning."""

from __future__ import annotations

from typing import Any

__all__ = [
    "CheckFailed",
    "ClockError",
    "PlanError",
    "PolicyError",
    "ResilienceError",
    "ServerError",
]


class ResilienceError(Exception):
    """Base of every error of ours that is not a failed check."""


class PlanError(ResilienceError, ValueError):
    """A fault or a plan was written with a value that cannot be meant.

    Raised where it is written, and names the field, the value and what is allowed.
    """


class PolicyError(ResilienceError, ValueError):
    """A policy claims what cannot be meant, or contradicts itself.

    Raised where it is written, and names the field, the value and what is allowed.
    """


class ServerError(ResilienceError):
    """A server cannot start, or is used in a state that does not allow it."""


class ClockError(ResilienceError):
    """A clock is used in a way that would make time a lie."""


class CheckFailed(AssertionError):
    """A check found the client at fault; the message carries the evidence."""


def tells_all(excinfo: Any) -> bool:  # noqa: ANN401 -- pytest's ExceptionInfo, which we do not import
    """Whether an error needs no line of our code to be understood.

    As ``__tracebackhide__`` of a module it lets pytest show who wrote what is refused, in place
    of who refuses it; errors of other kinds, and ``--full-trace``, show every frame.
    """
    return isinstance(getattr(excinfo, "value", None), ResilienceError)


def shown(value: object) -> str:
    """A refused value on one line that is not too long, whatever it is."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 -- an int of 5,000 digits, or a class of the user's
        return f"<{type(value).__name__} without a repr: {type(error).__name__}>"
    return text if len(text) <= 200 else text[:197] + "..."
