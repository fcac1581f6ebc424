"""Comparing what calls have returned, whatever it is, without touching the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["holds_error", "is_raw", "is_response", "lacks", "plain", "says_no"]

DEEP = 8
KNOWN = ("requests.", "urllib3.", "httpx.", "httpx2.", "aiohttp.")


def plain(value: object, depth: int = DEEP) -> Any:  # noqa: ANN401, PLR0911 -- JSON, a line a kind
    """A value as far as it can be compared: JSON-like data; the name of its class for the rest.

    A response of an HTTP library is its body, if that has been read.
    """
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if depth == 0:
        return type(value).__qualname__
    if isinstance(value, BaseException):
        return [type(value).__qualname__, str(value)]
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, depth - 1) for item in value]
    if is_response(value):
        return _body(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plain(getattr(value, name), depth - 1) for name in names}
    return {name: plain(item, depth - 1) for name, item in _attributes(value).items()} or type(
        value
    ).__qualname__


def _attributes(value: object) -> dict[str, object]:
    held = getattr(value, "__dict__", None)
    return dict(held) if isinstance(held, dict) else {}


def _body(response: object) -> object:
    """The body of a response that has been read; reading it now could block."""
    for name in ("_content", "_body"):  # requests, httpx and aiohttp; urllib3 and aiohttp
        body = _attributes(response).get(name)
        if isinstance(body, bytes | str):
            return body
    return type(response).__qualname__


def is_raw(value: object) -> bool:
    """Whether it is a body as it came, which the caller looks into himself; whole, or in pieces."""
    if isinstance(value, list) and value:
        return all(isinstance(piece, str | bytes | bytearray | memoryview) for piece in value)
    return isinstance(value, str | bytes | bytearray | memoryview) or is_response(value)


def is_response(value: object) -> bool:
    """Whether it is an object of an HTTP library, which says itself what came."""
    return type(value).__module__.startswith(KNOWN)


def holds_error(value: object, depth: int = 3) -> bool:
    """Whether there is an exception in it: ``gather(..., return_exceptions=True)`` tells so."""
    if isinstance(value, BaseException) or depth == 0 or is_response(value):
        return isinstance(value, BaseException)
    if isinstance(value, Mapping):
        parts: Iterable[object] = value.values()
    elif isinstance(value, list | tuple | set):
        parts = value
    else:
        parts = _attributes(value).values()
    return any(holds_error(part, depth - 1) for part in parts)


def says_no(value: object, whole: object) -> bool:
    """Whether it is False where True says that all is well, as that of a health check."""
    return value is False and whole is True


def lacks(value: Any, whole: Any) -> bool:  # noqa: ANN401, PLR0911 -- two values of `plain`, a line a kind
    """Whether a value has less in it than the whole one, or is of another kind.

    Numbers and texts may differ as times and identifiers do from call to call.
    """
    if isinstance(whole, bool) or isinstance(value, bool) or value is None or whole is None:
        return bool(value is not whole)
    if isinstance(whole, int | float) and isinstance(value, int | float):
        return isinstance(whole, int) and value < whole
    if type(value) is not type(whole):
        return True
    if isinstance(whole, dict):
        return any(key not in value or lacks(value[key], whole[key]) for key in whole)
    if isinstance(whole, list):
        if len(value) < len(whole):
            return True
        return any(lacks(one, other) for one, other in zip(value, whole, strict=False))
    return len(value) < len(whole)
