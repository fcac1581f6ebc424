"""The texts that values and exceptions show, whoever asks them how."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

DEEPEST = 20
MOST_CAUSES = 1000


def texts_of(
    value: object, above: tuple[int, ...] = (), *, formatted: bool = False
) -> Iterator[str]:
    """All texts of a value, at any depth.

    Args:
        value: Anything.
        above: What it is in, as ids.
        formatted: A message has asked for its text already, if for anything but its repr.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield bytes(value).decode("utf-8", "backslashreplace")
    elif isinstance(value, BaseException):
        yield text_of(value)
        if not prints_too_much(value):
            yield in_words(value)
    elif value is None or isinstance(value, int | float) or id(value) in above:
        return
    elif len(above) < DEEPEST and isinstance(value, dict | list | tuple | set | frozenset):
        # Of another mapping its repr is what gets written: headers of httpx mask theirs.
        inside = (*above, id(value))
        for item in value.items() if isinstance(value, dict) else value:
            yield from texts_of(item, inside, formatted=formatted)
    else:
        yield in_words(value)
        if not formatted and type(value).__str__ is not object.__str__:  # A format may ask for it.
            yield text_of(value)


def in_words(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 -- the code under test may log anything
        return ""


def text_of(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 -- the same
        return ""


def prints_too_much(error: BaseException) -> bool:
    """Whether its library gives it a repr that no client is to blame for.

    aiohttp's ClientResponseError shows the headers of the request (client_exceptions.py:112), and
    so does whatever is made of it: ``raise LoginFailed(error)``, or the group of a task group.
    """
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else error.args
    if any(isinstance(one, BaseException) and prints_too_much(one) for one in parts):
        return True
    for cls in type(error).__mro__:
        if "__repr__" in vars(cls):
            return cls.__module__.partition(".")[0] == "aiohttp"
    return False  # pragma: no cover -- object has one


def chain(error: BaseException) -> list[BaseException]:
    """It, and whatever is printed with it."""
    found: dict[int, BaseException] = {}
    waiting: deque[BaseException | None] = deque([error])
    while waiting and len(found) < MOST_CAUSES:
        one = waiting.popleft()
        if one is None or id(one) in found:
            continue
        found[id(one)] = one
        waiting.append(one.__cause__)
        if not one.__suppress_context__:
            waiting.append(one.__context__)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return list(found.values())
