"""Secrets in what was said: messages, arguments, fields, renderings, exceptions, files, URLs.

`look` takes places, each a text with the words for where it stands, and gives a `Leak` for
each secret in each of them. What carries a secret because it must, the header of a request,
the body of a login, an answer, is no place. Neither is a line that was put right before
anybody could read it: where handlers render a message, what they made of it counts; where
nobody has rendered it, the filters and formatters that would have, are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_resilience.logs._own_files import LOG_FILE
from pytest_resilience.logs._redaction import Way, would_be_shown
from pytest_resilience.logs._texts import chain, in_words, prints_too_much, text_of, texts_of
from pytest_resilience.logs.line import Line
from pytest_resilience.records import Trace
from pytest_resilience.secrets.search import Hit, Search
from pytest_resilience.secrets.value import Secret

__all__ = ["Leak", "Place", "in_attempts", "in_exception", "in_files", "in_line", "look"]

MOST_FILES = 200
MOST_BYTES = 1024 * 1024
"""Of each end of a file."""
AROUND = 40
"""Characters that an excerpt has before and behind the secret."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a secret must not be."""

    what: str
    """In words: ``the message``."""
    text: str | bytes
    of: str = ""
    """Of what: ``a WARNING by client``."""
    line: Line | None = None
    """The line that it belongs to, when it might be put right before it is rendered."""
    field: str = ""
    """Its name, when it is a field of that line."""
    way: Way | None = None
    """The way that the line's records took when it was said."""
    offset: int = 0
    """Where it begins in a file."""

    @property
    def where(self) -> str:
        """Both together."""
        return f"{self.what} of {self.of}" if self.of else self.what


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that was shown. Its value is not in here."""

    secret: str
    """Its label."""
    where: str
    encoding: str
    start: int
    end: int
    """Its place in that text, in characters, or in bytes of a file."""
    whole: bool
    excerpt: str
    """What stands around it, with all secrets masked."""

    @property
    def sentence(self) -> str:
        """What was found; it stands alone."""
        what = self.secret if self.whole else f"a part of {self.secret}"
        place = f"{self.encoding}, characters {self.start + 1}-{self.end}"
        return f"{what} has leaked into {self.where} ({place}): {self.excerpt}"


def look(places: Iterable[Place], secrets: Iterable[Secret]) -> list[Leak]:
    """The secrets that these places show; one finding for each secret and kind of place."""
    every = list(places)
    known = tuple(secrets)
    search = Search(known)
    texts = [place.text for place in every if isinstance(place.text, str)]
    if not search or not (search.anything_in(texts) or len(texts) < len(every)):
        return []
    found: dict[tuple[str, str], Leak] = {}
    for place in every:
        hits = search.hits(place.text)
        if hits and not (place.line and _was_put_right(place, place.line, search)):
            for hit in hits:
                # The arguments of a message that shows it show it again.
                key = hit.label, place.of or place.what
                if key not in found:
                    found[key] = _leak(hit, place, known)
    return list(found.values())


def _leak(hit: Hit, place: Place, secrets: tuple[Secret, ...]) -> Leak:
    text = place.text if isinstance(place.text, str) else place.text.decode("utf-8", "replace")
    start = (
        hit.start
        if isinstance(place.text, str)
        else len(place.text[: hit.start].decode("utf-8", "replace"))
    )
    end = hit.end if isinstance(place.text, str) else start + hit.end - hit.start
    # Masked as one text, and cut only then: what is cut is not recognized any more.
    head, tail = text[max(0, start - 500) : start], text[end : end + 500]
    masked = Search(secrets, strict=False)
    before, after = masked.mask(head)[-AROUND:], masked.mask(tail)[:AROUND]
    excerpt = repr(f"{before}<{hit.label}>{after}")
    first, last = hit.start + place.offset, hit.end + place.offset
    return Leak(hit.label, place.where, hit.encoding, first, last, hit.whole, excerpt)


def _was_put_right(place: Place, line: Line, search: Search) -> bool:
    """Whether no reader gets to see what a line was made with."""
    if line.rendered and not line.by_default:
        if search.anything_in(line.rendered):
            return True  # The rendering is a place of its own.
        # A field that no format asks for is not put right, it is waiting for another format.
        return not place.field or any(place.field in text for text in line.rendered)
    return not would_be_shown(line, place.field, place.way, search)


# Lines


def in_line(line: Line, way: Way | None = None) -> Iterator[Place]:
    """All that was handed over with a line, and all that was made of it.

    Args:
        line: The line.
        way: The way that its records took when it was said; None for the one they take now.
    """
    by = f" by {line.logger}" if line.logger else ""
    level = line.level_name
    who = f"{'an' if level[:1] in 'AEIOU' else 'a'} {level}{by}" if level else f"a line{by}"
    if line.source in {"stdout", "stderr"}:
        if not line.diverted:  # Otherwise it was said to whoever has put the stream there.
            yield Place(line.source, line.text)
        return
    if line.source == "file":
        yield Place(f"the file {Path(line.path).name}", line.text)
        return
    if line.source == "warnings":
        yield Place(f"a warning ({line.fields.get('category', 'Warning')})", line.text)
        return
    yield Place("the message", line.text, who, line, way=way)
    arguments = [text for text in texts_of(line.args, formatted=True) if text not in line.text]
    if arguments:
        yield Place("the arguments", " ".join(arguments), who, line, way=way)
    for name, value in line.fields.items():
        if name != "event" and (texts := " ".join(texts_of(value))):
            yield Place(f"the field {name}", texts, who, line, name, way)
    for text in line.rendered:
        yield Place("the rendering", text, who)
    if line.traceback:
        yield Place("the traceback", line.traceback, who, line, way=way)


# Exceptions


def in_exception(error: BaseException) -> Iterator[Place]:
    """The text and the repr of an exception, its notes, causes and parts."""
    name = type(error).__name__
    for one in chain(error):
        of = name if one is error else f"{type(one).__name__}, which led to {name}"
        yield Place("the text", text_of(one), of)
        if not prints_too_much(one):
            yield Place("the repr", in_words(one), of)
        notes = getattr(one, "__notes__", ())
        for note in notes if isinstance(notes, list | tuple) else ():
            yield Place("a note", text_of(note), of)


# Requests and files


def in_attempts(trace: Trace) -> Iterator[Place]:
    """The queries of requests: every proxy and every server logs them."""
    for attempt in trace:
        if attempt.query:
            yield Place(f"the URL of attempt {attempt.number}", attempt.query)


def in_files(folder: Path) -> Iterator[Place]:
    """The log files below a folder, and the names of all files there, within bounds.

    Of contents only those that are logs by their name: a file that a test gives its client, or
    a client writes because it should, may well hold a secret.
    """
    looked_at = 0
    for path in folder.rglob("*"):
        looked_at += 1
        if looked_at > MOST_FILES:
            return
        yield Place("the name of a file", path.name)
        if LOG_FILE.search(path.name) and path.is_file():
            try:
                contents = _both_ends(path)
            except OSError:
                continue
            for start, content in contents:
                yield Place(f"the file {path.name}", content, offset=start)


def _both_ends(path: Path) -> list[tuple[int, bytes]]:
    """What is read of a file, and where it begins there."""
    with path.open("rb") as file:
        found = [(0, file.read(MOST_BYTES))]
        if (size := path.stat().st_size) > MOST_BYTES:
            start = max(MOST_BYTES // 2, size - MOST_BYTES)
            file.seek(start)
            found.append((start, file.read(MOST_BYTES)))
    return found
