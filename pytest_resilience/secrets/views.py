"""Texts with their escapes undone, and where each byte of them came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_resilience.secrets import escapes
from pytest_resilience.secrets.needles import HEX_SEPARATORS, SEPARATORS

ROUNDS = 3
"""JSON within JSON within a URL is as deep as it goes."""


@dataclass(frozen=True, slots=True)
class View:
    """A form of a text; without places where nobody needs them."""

    data: bytes
    starts: list[int] | None = None
    """Where each byte begins in the text."""
    ends: list[int] | None = None

    @classmethod
    def of(cls, data: bytes, *, placed: bool) -> View:
        """The text itself."""
        if not placed:
            return cls(data)
        return cls(data, list(range(len(data))), list(range(1, len(data) + 1)))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text of a piece of the view."""
        assert self.starts is not None
        assert self.ends is not None
        return self.starts[start], self.ends[end - 1]

    def _kept(self, data: bytes, kept: list[tuple[int, int]]) -> View:
        """A view of this view, of which each byte is known by its first and last here."""
        spans = [self.span(first, last + 1) for first, last in kept]
        return View(data, [start for start, _ in spans], [end for _, end in spans])

    def unescaped(self, escape: re.Pattern[bytes], meant: escapes.Meaning) -> View:
        """With one layer of these escapes undone."""
        if self.starts is None:
            return View(escape.sub(meant, self.data))
        pieces: list[bytes] = []
        kept: list[tuple[int, int]] = []
        done = 0
        for match in escape.finditer(self.data):
            bytes_meant = meant(match)
            pieces += [self.data[done : match.start()], bytes_meant]
            kept += [(i, i) for i in range(done, match.start())]
            kept += [(match.start(), match.end() - 1)] * len(bytes_meant)
            done = match.end()
        pieces.append(self.data[done:])
        kept += [(i, i) for i in range(done, len(self.data))]
        return self._kept(b"".join(pieces), kept)

    def without(self, unwanted: bytes) -> View:
        """Without some bytes."""
        data = self.data.translate(None, unwanted)
        if self.starts is None:
            return View(data)
        kept = [(i, i) for i, byte in enumerate(self.data) if byte not in unwanted]
        return self._kept(data, kept)

    def squeezed(self) -> View:
        """Without what may stand between the pieces of a secret that was split."""
        return self.without(SEPARATORS)

    def digits(self) -> View:
        """In lower case, without what may stand between the digits of a dump."""
        data = self.data.lower().replace(b"0x", b"  ").replace(b"u+", b"  ")
        low = View(data, self.starts, self.ends)
        return low.without(HEX_SEPARATORS)


def layers(data: bytes, *, placed: bool, apart: bool = False) -> Iterator[View]:
    """The text as it is, and with its escapes undone, layer by layer.

    Args:
        data: The text.
        placed: Whether places in it will be asked for.
        apart: Undo the escapes of a URL, of JSON and of HTML each by themselves as well: a
            secret that looks like an escape of the one may have been escaped by the other.
    """
    seen = {data}
    layer = [View.of(data, placed=placed)]
    yield layer[0]
    for _ in range(ROUNDS):
        inner: list[View] = []
        for view in layer:
            for form in _inside(view, apart=apart):
                if form.data not in seen:
                    seen.add(form.data)
                    inner.append(form)
                    yield form
        layer = inner


def _inside(view: View, *, apart: bool) -> Iterator[View]:
    for escape, meant in escapes.of(view.data, apart=apart):
        yield view.unescaped(escape, meant)
