"""The search for secrets in texts and bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pytest_resilience.secrets.needles import DIGITS, GRAM, HEX_RUN, RUN, Needle, needles
from pytest_resilience.secrets.packing import unpacked
from pytest_resilience.secrets.value import SHORTEST, Secret
from pytest_resilience.secrets.views import View, layers

BETWEEN = "\n\x01\n"
"""Stands between texts that are searched at once; in no secret, and in no run."""
PACKED = 1
"""How often what was packed is looked at for what is packed in it."""
Anchors = dict[bytes, list[tuple[Needle, int]]]
Found = Iterator[tuple[Needle, View, int, int]]
_ESCAPES = (
    (b"%", "URL-quoted"),
    (b"\\u", "unicode escapes"),
    (b"\\x", "repr"),
    (b"\\'", "repr"),
    (b"\\", "JSON escapes"),
    (b"&", "HTML entities"),
    (b"\x1b", "in colours"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One appearance of a secret."""

    label: str
    encoding: str
    """How it is written there: ``plain``, ``URL-quoted``, ``base64``, ``hex``, ..."""
    start: int
    """Its place in the text, in characters, or in bytes."""
    end: int
    whole: bool
    """Whether all of it is there, not just a part that is proof."""


class Search:
    """Finds secrets in texts and bytes, in any of their spellings.

    ::

        search = Search([Secret.of("a token", "hvs.CAESI...")])
        search.hits("token=hvs.CAESI...")

    Args:
        secrets: What to look for; those whose finding would prove nothing are left out.
        strict: Only what is proof. Otherwise everything of 6 characters and more, wherever
            it stands: right for masking, not for accusing.
    """

    def __init__(self, secrets: Iterable[Secret], *, strict: bool = True) -> None:
        chosen = {
            secret.value: secret
            for secret in secrets
            if (secret.proof if strict else len(secret.value) >= SHORTEST)
        }
        self._secrets = list(chosen.values())
        self._apart = any(sign in secret.value for secret in self._secrets for sign in "\\%&")
        self._strict = strict
        self._grams: Anchors = {}
        self._digits: Anchors = {}
        self._anywhere: list[Needle] = []
        self._squeezed: list[Needle] = []
        self._few_digits: list[Needle] = []
        for secret in self._secrets:
            found = needles(secret)
            _anchor(self._grams, found.in_runs, GRAM)
            _anchor(self._digits, found.digits, DIGITS)
            self._anywhere += found.anywhere
            self._squeezed += found.squeezed
            self._few_digits += found.few_digits

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def anything_in(self, texts: Iterable[str]) -> bool:
        """Whether any of these texts shows a secret; quick when none does."""
        return bool(self._secrets) and self._shows(_bytes(BETWEEN.join(texts)))

    def hits(self, content: str | bytes) -> list[Hit]:
        """Every appearance of a secret, in the order of their places."""
        data = _bytes(content) if isinstance(content, str) else content
        if not self._secrets or not self._shows(data):
            return []
        found: list[Hit] = []
        for view in layers(data, placed=True, apart=self._apart):
            for needle, form, start, end in self._in_view(view):
                place = form.span(start, end)
                encoding = _encoding(needle, data[slice(*place)])
                _add(
                    found,
                    Hit(needle.label, encoding, *place, whole=end - start >= len(needle.text)),
                )
            for needle, how, form, start, end in self._in_packed(view, PACKED):
                first, last = form.span(start, end)
                hit = Hit(needle.label, how, first, last, whole=True)
                # What is found whole by itself has a better place than what it is in.
                if not any(
                    one.whole and one.label == hit.label and one.start < last and first < one.end
                    for one in found
                ):
                    _add(found, hit)
        found.sort(key=lambda hit: (hit.start, hit.end))
        return [_in_characters(hit, data) for hit in found] if isinstance(content, str) else found

    def mask(self, text: str, name: Callable[[str], str] = "<{}>".format) -> str:
        """The text with the name of each secret in its place."""
        pieces: list[str] = []
        done = 0
        for label, start, end in _merged(self.hits(text)):
            pieces += [text[done:start], name(label)]
            done = end
        return "".join([*pieces, text[done:]])

    def _shows(self, data: bytes) -> bool:
        return any(
            next(self._in_view(view), None) or next(self._in_packed(view, PACKED), None)
            for view in layers(data, placed=False, apart=self._apart)
        )

    # One view of a text

    def _in_view(self, view: View) -> Found:
        yield from _in_runs(view, RUN, self._grams, GRAM)
        digits = view.digits()
        yield from _in_runs(digits, HEX_RUN, self._digits, DIGITS)
        yield from self._whole(self._few_digits, digits)
        yield from self._whole(self._anywhere, view)
        yield from self._whole(self._squeezed, view.squeezed())

    def _whole(self, wanted: Iterable[Needle], view: View) -> Found:
        data = view.data
        for needle in wanted:
            start = data.find(needle.text)
            while start >= 0:
                end = start + len(needle.text)
                if not (needle.apart and self._strict) or _is_apart(data, start, end):
                    yield needle, view, start, end
                start = data.find(needle.text, end)

    def _in_packed(self, view: View, deep: int) -> Iterator[tuple[Needle, str, View, int, int]]:
        for how, inside, form, start, end in unpacked(view):
            for layer in layers(inside, placed=False, apart=self._apart):
                for needle, *_ in self._in_view(layer):
                    yield needle, how, form, start, end
                if deep:
                    for needle, *_ in self._in_packed(layer, deep - 1):
                        yield needle, how, form, start, end


def _anchor(anchors: Anchors, found: Iterable[Needle], size: int) -> None:
    """Make needles known by pieces of them."""
    for needle in found:
        text = needle.text
        for place in needle.anchors(size):
            anchors.setdefault(text[place : place + size], []).append((needle, place))


def _in_runs(view: View, runs: re.Pattern[bytes], anchors: Anchors, size: int) -> Found:
    if not anchors:
        return
    # A log repeats itself: each of its words is looked at once.
    showing = {
        run: found for run in set(runs.findall(view.data)) if (found := _in_run(run, anchors, size))
    }
    if not showing:
        return
    for match in runs.finditer(view.data):
        for needle, start, end in showing.get(match[0], ()):
            yield needle, view, match.start() + start, match.start() + end


def _in_run(run: bytes, anchors: Anchors, size: int) -> list[tuple[Needle, int, int]]:
    found: list[tuple[Needle, int, int]] = []
    for i in [i for i in range(len(run) - size + 1) if run[i : i + size] in anchors]:
        for needle, place in anchors[run[i : i + size]]:
            start, end = _around(run, i, needle.text, place, size)
            if end - start >= needle.need:
                start -= len(needle.before) * run[:start].endswith(needle.before)
                found.append((needle, start, end))
    return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _around(run: bytes, at: int, text: bytes, place: int, size: int) -> tuple[int, int]:
    """How far a run goes on as a text does, from places that agree."""
    start, end = at, at + size
    before, after = place, place + size
    while before > 0 and start > 0 and run[start - 1] == text[before - 1]:
        start, before = start - 1, before - 1
    while after < len(text) and end < len(run) and run[end] == text[after]:
        end, after = end + 1, after + 1
    return start, end


def _is_apart(data: bytes, start: int, end: int) -> bool:
    return not (data[max(0, start - 1) : start].isalnum() or data[end : end + 1].isalnum())


def _encoding(needle: Needle, written: bytes) -> str:
    """What to call the way in which a needle is written."""
    if needle.encoding != "plain" or needle.text in written:
        return needle.encoding
    names = [name for escape, name in _ESCAPES if escape in written]
    return names[0] if names else needle.encoding


def _add(found: list[Hit], hit: Hit) -> None:
    """Keep a hit; what overlaps with one of the same secret is one with it."""
    for other in [one for one in found if one.label == hit.label]:
        if other.start < hit.end and hit.start < other.end:
            found.remove(other)
            longer = hit if hit.end - hit.start > other.end - other.start else other
            start, end = min(hit.start, other.start), max(hit.end, other.end)
            hit = Hit(hit.label, longer.encoding, start, end, hit.whole or other.whole)
    found.append(hit)


def _merged(hits: Iterable[Hit]) -> Iterator[tuple[str, int, int]]:
    """Places that hold secrets, those that overlap as one, named after the longest."""
    current: tuple[str, int, int] | None = None
    longest = 0
    for hit in hits:
        if current is None or hit.start >= current[2]:
            if current is not None:
                yield current
            current, longest = (hit.label, hit.start, hit.end), hit.end - hit.start
            continue
        label = hit.label if hit.end - hit.start > longest else current[0]
        longest = max(longest, hit.end - hit.start)
        current = (label, current[1], max(current[2], hit.end))
    if current is not None:
        yield current


def _in_characters(hit: Hit, data: bytes) -> Hit:
    start, end = (len(data[:i].decode("utf-8", "replace")) for i in (hit.start, hit.end))
    return Hit(hit.label, hit.encoding, start, end, hit.whole)
