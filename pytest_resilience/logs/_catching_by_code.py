"""What a function catches, told by a copy of its code: for Python 3.11.

*Problem.* Python 3.11 tells of handlers to trace functions only, of which a thread has one.

*Solution.* A handler begins where the exception table says. In the copy it says so of a piece
behind the end of the code, which enters the handler as ever, calls who listens, and goes back
to where the handler goes on. Nothing that was there has moved, so all places, lines and jumps
are as they were. The added pieces have no line, so that no tracer sees one. A debugger could
step into who listens; where one traces already, nothing is done.
"""

from __future__ import annotations

import opcode
import sys
from collections.abc import Callable, Iterable
from functools import cache
from types import CodeType, FunctionType

from pytest_resilience.logs._handlers import (
    ENTERS,
    WIDTH,
    Catching,
    Entry,
    Heard,
    entries,
    handlers,
)
from pytest_resilience.logs._helpers import catches

_ABOVE = 3
"""Values that a piece has on the stack above those of a handler: NULL, callable, exception."""
MOST_COPIES = 256
_copies: dict[int, tuple[CodeType, CodeType]] = {}
"""By identity: equal code of two files is not the same."""
_NO_LINE = 0x80 | 15 << 3
_LONGEST = 8
"""Instructions of an entry in the table of lines."""


def listen(functions: Iterable[Catching]) -> Callable[[], None]:
    """Run these functions with copies of their code; returns the end of it."""
    replaced: list[tuple[FunctionType, CodeType, CodeType]] = []
    for function, heard, within in () if _debugged() else functions:
        before = function.__code__
        function.__code__ = _copy(before, heard, within)
        replaced.append((function, before, function.__code__))

    def end() -> None:
        for function, before, ours in reversed(replaced):
            if function.__code__ is ours:
                function.__code__ = before

    return end


def _copy(code: CodeType, heard: Heard, within: Heard) -> CodeType:
    """The same code, telling; of helpers, which every test of a module has, it is kept."""
    if heard is not within:
        return telling(code, heard, within)
    known = _copies.get(id(code))
    if known is None or known[0] is not code:
        if len(_copies) >= MOST_COPIES:
            _copies.clear()
        known = _copies[id(code)] = code, telling(code, heard, within)
    return known[1]


def _debugged() -> bool:
    """Whether somebody traces who is not measuring coverage."""
    tracer = sys.gettrace()
    module = getattr(getattr(tracer, "__func__", type(tracer)), "__module__", "")
    return tracer is not None and not module.startswith("coverage")


def telling(code: CodeType, heard: Heard, within: Heard) -> CodeType:
    """The same code, which tells of each exception that comes to one of its handlers."""
    constants = tuple(
        telling(one, within, within) if isinstance(one, CodeType) and catches(one) else one
        for one in code.co_consts
    )
    table = entries(code)
    raw = code.co_code
    pieces = [raw]
    end = len(raw)
    moved: dict[int, int] = {}
    for handler in handlers(raw, table):
        piece = _piece(len(code.co_consts), end, handler + WIDTH)
        moved[handler] = end
        pieces.append(piece)
        # An interrupt in the piece leaves it as it would leave the handler.
        table += [
            Entry(end, end + len(piece), one.target, one.depth)
            for one in table
            if one.start <= handler + WIDTH < one.end
        ]
        end += len(piece)
    return code.replace(
        co_code=b"".join(pieces),
        co_consts=(*constants, heard),
        co_stacksize=code.co_stacksize + _ABOVE,
        co_linetable=code.co_linetable + _without_line(end - len(raw)),
        co_exceptiontable=bytes(
            byte for one in table for byte in _written(one, moved.get(one.target, one.target))
        ),
    )


def _piece(constant: int, at: int, back: int) -> bytes:
    """Instructions that enter a handler, tell of it, and go on in it."""
    enter, call = _around()
    told = enter + _instruction("LOAD_CONST", constant) + call
    distance = (at + len(told) - back) // WIDTH + 1
    jump = _instruction("JUMP_BACKWARD_NO_INTERRUPT", distance)
    if len(jump) > WIDTH:  # It is longer itself, and the way so much further.
        jump = _instruction("JUMP_BACKWARD_NO_INTERRUPT", distance + len(jump) // WIDTH - 1)
    return told + jump


@cache
def _around() -> tuple[bytes, bytes]:
    """What is done before who listens is known, and behind it."""
    call = (("COPY", _ABOVE), ("PRECALL", 1), ("CALL", 1), ("POP_TOP", 0))
    enter = bytes((ENTERS, 0)) + _instruction("PUSH_NULL", 0)
    return enter, b"".join(_instruction(*one) for one in call)


def _instruction(name: str, argument: int) -> bytes:
    """With room for what the interpreter keeps behind it."""
    operation = opcode.opmap[name]
    kept: int = opcode._inline_cache_entries[operation]  # type: ignore[attr-defined]  # noqa: SLF001
    prefix = b""
    if argument > 0xFF:
        *high, argument = argument.to_bytes(4, "big")
        prefix = b"".join(bytes((opcode.EXTENDED_ARG, byte)) for byte in high)
    return prefix + bytes((operation, argument)) + bytes(kept * WIDTH)


def _without_line(size: int) -> bytes:
    full, rest = divmod(size // WIDTH, _LONGEST)
    lengths = [_LONGEST] * full + [rest] * bool(rest)
    return bytes(_NO_LINE | length - 1 for length in lengths)


def _written(entry: Entry, target: int) -> list[int]:
    """An entry of the exception table; its first byte is marked."""
    start = entry.start // WIDTH
    length = entry.end // WIDTH - start
    written = [*_bits(start), *_bits(length), *_bits(target // WIDTH), *_bits(entry.depth)]
    written[0] |= 0x80
    return written


def _bits(number: int) -> list[int]:
    """Six in a byte, the highest ones first; see `_handlers`."""
    bits = [number & 0x3F]
    while number := number >> 6:
        bits.insert(0, number & 0x3F | 0x40)
    return bits
