"""Which attempts a rule is about."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.faults import _check
from pytest_resilience.records import Attempt

_SENT = re.compile(r"[!-~]+")
"""What the path of a request consists of; with anything else a glob would match none."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which attempts a rule is about; None matches any."""

    method: str | None = None
    path: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    when: Callable[[Attempt], bool] | None = None

    def __call__(self, attempt: Attempt) -> bool:
        """Whether this attempt is one of them."""
        if self.method is not None and attempt.method != self.method:
            return False
        if self.path is not None and not fnmatchcase(attempt.path, self.path):
            return False
        if self.header and not self._headers_match(attempt):
            return False
        if self.body is not None and self.body not in attempt.body:
            return False
        return self.when is None or bool(self.when(attempt))

    def _headers_match(self, attempt: Attempt) -> bool:
        headers = attempt.headers
        return all(
            any(fnmatchcase(value, glob) for value in headers.all(name))
            for name, glob in self.header.items()
        )

    @property
    def anything(self) -> bool:
        """Whether it matches every attempt there can be."""
        return self == ANYTHING

    def __str__(self) -> str:
        words = [self.method or "", self.path or ""]
        words += [f"{name}: {glob}" for name, glob in self.header.items()]
        words.append("" if self.body is None else f"body with {self.body!r}")
        words.append("" if self.when is None else "when " + _name_of(self.when))
        return " ".join(word for word in words if word)


def _name_of(function: Callable[..., object]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)


ANYTHING = Match()


def checked_match(
    method: object, path: object, header: object, body: object, when: object
) -> Match:
    if method is path is header is body is when is None:
        return ANYTHING
    if method is not None and (not isinstance(method, str) or not _check.TOKEN.fullmatch(method)):
        _check.refuse("method", method, 'a method such as "GET"')
    if path is not None and (not isinstance(path, str) or not path.startswith(("/", "*"))):
        _check.refuse("path", path, 'a path or a glob that starts with "/" or "*"')
    if isinstance(path, str) and "?" in path:
        _check.refuse("path", path, "a path without a query; use when= to look at the query")
    if isinstance(path, str) and not _SENT.fullmatch(path):
        _check.refuse("path", path, 'a path as it is sent, percent-encoded: "/gr%C3%BCn"')
    if when is not None and not _takes_an_attempt(when):
        _check.refuse("when", when, "a plain function of an Attempt that returns True or False")
    return Match(
        method=method.upper() if isinstance(method, str) else None,
        path=path if isinstance(path, str) else None,
        header=_checked_header(header),
        body=None if body is None else _checked_body(body),
        when=when if callable(when) else None,
    )


def _takes_an_attempt(when: object) -> bool:
    """Whether it can be called with one argument, as far as can be seen."""
    if not callable(when) or inspect.iscoroutinefunction(when):
        return False
    try:
        inspect.signature(when).bind(None)
    except TypeError:
        return False
    except ValueError:  # It is written in C: nothing can be seen.
        pass
    return True


def _checked_body(body: object) -> bytes:
    wanted = "text or bytes to look for in the request's body"
    if not isinstance(body, str | bytes) or not body:
        _check.refuse("body", body, wanted)
    try:
        return body.encode() if isinstance(body, str) else body
    except UnicodeEncodeError:
        _check.refuse("body", body, f"{wanted}, as UTF-8")


def _checked_header(header: object) -> dict[str, str]:
    if header is None:
        return {}
    wanted = 'a mapping of header names to globs, such as {"Accept": "*json*"}'
    if not isinstance(header, Mapping):
        _check.refuse("header", header, wanted)
    for name, glob in header.items():
        if (
            not isinstance(name, str)
            or not isinstance(glob, str)
            or not _check.TOKEN.fullmatch(name)
        ):
            _check.refuse("header", header, wanted)
        _check.field_text(f"header[{name!r}]", glob)
    return dict(header)
