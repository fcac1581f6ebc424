"""How far a file has been written, with what Python has kept back of it so far.

*Problem.* Who writes a line to a file without flushing it has written it all the same, and the
file shows nothing of it until much later.

*Solution.* The objects that write to the file are looked up among those of the collector. A
buffer tells its position, and what it holds counts. A text layer above it is made to hand down
what it has, as it does from time to time; nothing gets to the file earlier by that.
"""

from __future__ import annotations

import codecs
import gc
import io
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_OPENED = Path("/proc/self/fd")
"""What this process has open, on Linux."""
_WITHOUT_MARK = frozenset({"ascii", "cp1252", "iso8859-1", "utf-8"})
"""Charsets in which nothing is written as nothing: others begin with a mark."""

Layer = io.TextIOWrapper | io.BufferedWriter


def times_open(path: str) -> int:
    """How often this process has it open; 1 when that cannot be found out."""
    try:
        opened = list(_OPENED.iterdir())
    except OSError:
        return 1
    return sum(_leads_to(one) == path for one in opened)


def _leads_to(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # The descriptor that listed them is closed by now.
        return ""


class Writers:
    """The objects by which a file is written."""

    def __init__(self, path: str) -> None:
        self._layers = [weakref.ref(one) for one in _layers_of(path, times_open(path))]

    def position(self) -> int:
        """How far they have come; 0 when that is not known."""
        found = [one for one in (layer() for layer in self._layers) if one is not None]
        texts = [one for one in found if isinstance(one, io.TextIOWrapper)]
        buffers = _buffers(found)
        if len(buffers) != 1:  # Of two, each knows but its own part of the end.
            return 0
        try:
            for text in texts:
                _hand_down(text)
            return buffers[0].tell()
        except (OSError, RuntimeError, ValueError):  # closed, or in the middle of a write
            return 0


def _layers_of(path: str, times: int) -> list[Layer]:
    """Those of each time when it was opened; a text layer is no older than its buffer."""
    found: list[Layer] = []
    # It has just been opened, so mostly it is among the youngest; to go through all of them
    # takes long, and not knowing whether it is still open we would do it again and again.
    for generation in range(3 if _OPENED.exists() else 2):
        if len(_buffers(found)) >= times:
            break
        found += [one for one in gc.get_objects(generation) if _writes_to(one, path)]
    return found


def _buffers(layers: Iterable[Layer]) -> list[io.BufferedWriter]:
    return [one for one in layers if isinstance(one, io.BufferedWriter)]


def _writes_to(one: object, path: str) -> bool:
    # Of another class nobody knows what its methods do.
    if type(one) is not io.BufferedWriter and type(one) is not io.TextIOWrapper:
        return False
    try:
        return not one.readable() and os.path.samestat(os.fstat(one.fileno()), Path(path).stat())
    except (OSError, ValueError):
        return False


def _hand_down(text: Any) -> None:  # noqa: ANN401 -- its type does not know of the size
    if codecs.lookup(text.encoding).name in _WITHOUT_MARK:
        size = text._CHUNK_SIZE  # noqa: SLF001 -- of all text layers, and it may be set
        text._CHUNK_SIZE = 1  # noqa: SLF001 -- the same
        try:
            text.write("")
        finally:
            text._CHUNK_SIZE = size  # noqa: SLF001 -- the same
