"""The secrets of a server: what a client that talks to it knows and must not show."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_resilience.answers import Answer
from pytest_resilience.errors import (
    PlanError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.faults import _check
from pytest_resilience.records import Attempt
from pytest_resilience.secrets.names import is_public, tells
from pytest_resilience.secrets.value import SHORTEST_NAMED, Secret, looks_random
from pytest_resilience.server.journal import LARGEST

if TYPE_CHECKING:
    from pytest_resilience.server.server import FakeServer

ATTEMPTS = 200
"""How many attempts are read for credentials, the newest."""
FORMER = 50
"""How many secrets of services before the last one are kept, the newest: of that one all are."""
DEEPEST = 8
STORED = "a mapping: of names to texts or lists of them, of paths to JSON objects"
CONNECTION = re.compile(
    r"""(?:^|[;&?,\s])([A-Za-z][\w .-]{0,30}?)\s*=\s*(?:"([^"]+)"|'([^']+)'|([^;&,\s"']+))"""
)
SCHEMES = frozenset({"bearer", "token", "apikey", "key"})

Pair = tuple[str, str]


class Known:
    """What the user has named, and what is seen of the service."""

    def __init__(self, server: FakeServer, named: Mapping[str, str]) -> None:
        self._server = server
        self._named: list[Secret] = []
        self._former: tuple[Secret, ...] = ()
        self._failed = False
        for label, value in named.items():
            self.add(value, label)

    def add(self, value: str, label: str) -> str:
        """The user says that this is one."""
        _check_label(label)
        if not isinstance(value, str):  # And its value is not shown, whatever it is.
            _check.refuse("secret(value)", type(value), "a text")
        if len(value) < SHORTEST_NAMED:
            wanted = f"at least {SHORTEST_NAMED} characters, or it would be found everywhere"
            raise PlanError(f"the secret {label!r} is too short: wanted are {wanted}")
        self._named.append(Secret.of(label, value, named=True))
        return value

    def mint(self, label: str) -> str:
        """A new one."""
        _check_label(label)
        value = f"canary-{secrets.token_hex(16)}"
        self._named.append(Secret.of(label, value, minted=True, named=True))
        return value

    def keep(self) -> None:
        """The service starts over; what was secret still is."""
        found = self._seen()
        most = max(FORMER, len(found))
        for secret in self._former:
            found.setdefault(secret.value, secret)
        self._former = tuple(found.values())[:most]

    def secrets(self) -> tuple[Secret, ...]:
        """All of them, each once; the first name counts."""
        found = {secret.value: secret for secret in self._named}
        for secret in (*self._seen().values(), *self._former):
            found.setdefault(secret.value, secret)
        return tuple(found.values())

    def masked(self, text: str) -> str:
        """The text without any."""
        from pytest_resilience.secrets.search import Search

        return Search(self.secrets(), strict=False).mask(text)

    def _seen(self) -> dict[str, Secret]:
        server = self._server
        try:
            found = _of_service(server)
        except Exception as error:  # noqa: BLE001 -- a service's own code; a report must not fail by it
            found = {}
            if not self._failed:
                self._failed = True
                server.errors.append(error)
        attempts, answers = server.journal.exchanged(ATTEMPTS)
        for label, value in chain(sent(attempts), _answered(answers)):
            if value not in found:
                found[value] = Secret.of(label, value)
        return found


def _of_service(server: FakeServer) -> dict[str, Secret]:
    """What is in its variables and what it stores; what it names itself counts before all."""
    stored = server.stored_secrets
    if not isinstance(stored, Mapping):
        _check.refuse("stored_secrets", type(stored), STORED)
    found = {value: Secret.of(name, value, named=True) for name, value in _named(stored)}
    others = ((name, value) for name, value in _its_variables(server) if tells(name))
    kept = (pair for path, data in stored.items() for pair in _of_store(data, path))
    for label, value in chain(others, kept):
        if value not in found:
            found[value] = Secret.of(label, value)
    return found


def variables(server: FakeServer) -> Mapping[str, str]:
    """What a server says points clients at it.

    Raises:
        PlanError: It says something else; a value is not shown, it may be a secret.
    """
    said: object = server.environment
    place = f"{type(server).__name__}.environment"
    if not isinstance(said, Mapping):
        wanted = "a property that is a mapping of names to texts"
        raise PlanError(f"{place} is of type {type(said).__name__}: wanted {wanted}")
    for name, value in said.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            kind = type(value).__name__
            raise PlanError(f"{place}[{name!r}] is of type {kind}: wanted texts, say str(port)")
    return said


def _its_variables(server: FakeServer) -> Iterable[Pair]:
    return variables(server).items() if server.started_once else ()


def _named(stored: Mapping[str, Any]) -> Iterator[Pair]:
    """The texts beside their names, which a service says are secrets, whatever they look like."""
    for name, data in stored.items():
        if not isinstance(data, str | dict | list | None):
            _check.refuse(f"stored_secrets[{name!r}]", type(data), STORED)
        for value in data if isinstance(data, list) else [data]:
            # One that is not set yet, or so short that it would be found everywhere, is none.
            if isinstance(value, str) and len(value) >= SHORTEST_NAMED:
                yield str(name), value


def _check_label(label: object) -> None:
    if not isinstance(label, str) or not label.strip():
        _check.refuse("label", label, "a text: what reports call it")


def sent(attempts: Iterable[Attempt]) -> Iterator[Pair]:
    """The credentials in headers and bodies of requests."""
    heads: set[bytes] = set()
    for attempt in attempts:
        if attempt.head not in heads:
            heads.add(attempt.head)
            for name, value in attempt.headers.items_sent():
                yield from _of_header(name, value)
        if attempt.body and len(attempt.body) <= LARGEST:
            yield from _of_body(attempt.body, "a request")


def _of_header(name: str, value: str) -> Iterator[Pair]:
    if name.lower() in {"authorization", "proxy-authorization"}:
        scheme, blank, rest = value.partition(" ")
        if scheme.lower() == "basic":
            yield from _of_basic(name, rest)
        elif not blank or scheme.lower() in SCHEMES:
            yield f"{name} of a request", (rest or value).strip()
    elif tells(name):
        yield f"{name} of a request", value


def _of_basic(name: str, encoded: str) -> Iterator[Pair]:
    try:
        user_and_password = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    yield f"password in {name} of a request", user_and_password.partition(":")[2]


def _of_body(body: bytes, where: str) -> Iterator[Pair]:
    data = _json(body)
    if data is not None:
        yield from _of_json(data, where)
    elif b"=" in body and b"\n" not in body and body.isascii():
        for name, value in parse_qsl(body.decode()):
            if tells(name):
                yield f"{name} in {where}", value


def _answered(answers: Iterable[Answer]) -> Iterator[Pair]:
    bodies: set[bytes] = set()
    for answer in answers:
        if (body := answer.whole) in bodies:
            continue
        bodies.add(body)
        data = _json(body)
        if data is not None:
            yield from _of_json(data, "an answer")


def _json(body: bytes) -> Any:  # noqa: ANN401 -- JSON
    """The data of a JSON object; None for all else."""
    if body.lstrip()[:1] != b"{":
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _of_json(data: Any, where: str, depth: int = 0) -> Iterator[Pair]:  # noqa: ANN401 -- JSON
    """Texts whose own name tells."""
    if isinstance(data, dict):
        for name, value in data.items():
            if isinstance(value, str) and tells(name):
                yield f"{name} in {where}", value
    if depth < DEEPEST:
        for value in data.values() if isinstance(data, dict) else data:
            if isinstance(value, dict | list):
                yield from _of_json(value, where, depth + 1)


def _of_store(data: Any, where: str, name: str = "") -> Iterator[Pair]:  # noqa: ANN401 -- JSON
    """Of what is kept secret, all that does not look harmless: hosts and users are no secrets."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _of_store(value, where, key)
    elif isinstance(data, list):
        for value in data:
            yield from _of_store(value, where, name)
    elif isinstance(data, str):
        label = f"{name} of {where}" if name else where
        passwords = [*_of_url(data), *_of_connection(data)]
        if not passwords and (tells(name) or (looks_random(data) and not is_public(name))):
            passwords = [data]
        yield from ((label, password) for password in passwords)


def _of_url(value: str) -> Iterator[str]:
    """The password in it, as whoever connects by it knows it."""
    if "://" in value:
        with contextlib.suppress(ValueError):
            yield from filter(None, [unquote(urlsplit(value).password or "")])


def _of_connection(value: str) -> Iterator[str]:
    """``Server=db;Uid=me;Pwd=...`` and its like, the query of a URL as well."""
    if "=" in value:
        for name, quoted, single, plain in CONNECTION.findall(value):
            if tells(name):
                yield quoted or single or (unquote(plain) if "://" in value else plain)
