"""Where the exception handlers of a piece of code begin.

The table and its varints are described in CPython's ``Objects/exception_handling_notes.txt``.
"""

from __future__ import annotations

import opcode
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import NamedTuple

ENTERS = opcode.opmap["PUSH_EXC_INFO"]
"""The first instruction of a handler: what was raised becomes what is handled."""
WIDTH = 2
"""Bytes of an instruction; all places here are in bytes."""


Heard = Callable[[BaseException], None]


class Catching(NamedTuple):
    """A function whose handlers are to tell."""

    function: FunctionType
    heard: Heard
    """Is told what it catches."""
    within: Heard
    """Is told what functions that are defined in it catch."""


class Entry(NamedTuple):
    """What is raised in a range of the code goes on at its target."""

    start: int
    end: int
    target: int
    depth: int
    """Of the stack, and in the lowest bit whether the place of the raise is put there."""


def entries(code: CodeType) -> list[Entry]:
    """The code's exception table."""
    numbers = list(_numbers(code.co_exceptiontable))
    return [
        Entry(start * WIDTH, (start + length) * WIDTH, target * WIDTH, depth)
        for start, length, target, depth in zip(*[iter(numbers)] * 4, strict=True)
    ]


def handlers(raw: bytes, table: Iterable[Entry]) -> list[int]:
    """The places of the handlers in this code; what only cleans up behind one is none."""
    return sorted({entry.target for entry in table if raw[entry.target] == ENTERS})


def _numbers(table: bytes) -> Iterator[int]:
    """Six bits in a byte, the highest ones first; the seventh says that more follow."""
    number = 0
    for byte in table:
        number = number << 6 | byte & 0x3F
        if not byte & 0x40:
            yield number
            number = 0
