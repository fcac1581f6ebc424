"""Sends recorded requests to a fake, with the fake's own values in place of the real server's."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pytest_resilience.recording import bodies
from pytest_resilience.recording.bodies import Body
from pytest_resilience.recording.masking import HOST, NAME, SERVER
from pytest_resilience.recording.tape import Exchange, Message
from pytest_resilience.secrets.names import tells
from pytest_resilience.server.credentials import variables
from pytest_resilience.server.server import FakeServer

__all__ = ["Replay", "accepted_in", "names_in"]

PATIENCE = 30.0
FORM = "application/x-www-form-urlencoded"
LONG = 8
"""So long, with a digit or mixed letters, a text is not in two places by accident."""
_MIXED = re.compile(r"[0-9]|[a-z][A-Z]")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_OF_IDS = (int, str)
_ID = re.compile(r"(?i:(?:^|[_-])(?:i?id|number))$|[a-z](?:Id|ID)$")


class Replay:
    """One connection to a fake, and what is known of its values.

    Args:
        fake: A server that runs.
        accepted: Names that stood in a request which the real server did not refuse.
        values: The fake's value for a name in the recording, where nothing tells it.
    """

    def __init__(
        self, fake: FakeServer, accepted: frozenset[str], values: Mapping[str, str] | None = None
    ) -> None:
        self._fake = fake
        self._environment = dict(variables(fake))
        self._values = {f"{{{{{name}}}}}": value for name, value in (values or {}).items()}
        self._values |= {f"{{{{{name}}}}}": value for name, value in self._environment.items()}
        self._values |= {SERVER: fake.url, HOST: f"{fake.host}:{fake.port}"}
        self._accepted = accepted
        self._ids: dict[object, str | int] = {}
        self._stand_ins: dict[str, str] = {}
        self._connection = http.client.HTTPConnection(fake.host, fake.port, timeout=PATIENCE)
        self.unknown: dict[str, int] = {}
        """Names for which the fake has no value, and the first exchange that needed it."""

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def answer(self, exchange: Exchange) -> Message:
        """What the fake answers to a recorded request."""
        for name, like in exchange.brought.items():
            self._bring(name, like, in_body=_only_in_body(name, exchange.request))
        request = exchange.request
        body, target = self._body(request, exchange.number), self._target(exchange)
        headers = {name: self._text(value, exchange.number) for name, value in request.headers}
        try:
            self._connection.request(request.method, target, body, headers)
            response = self._connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Message(body=Body("text", f"{type(error).__name__}: {error}"))
        fields = tuple(response.getheaders())
        kind = response.getheader("Content-Type", "")
        answer = Message(fields, bodies.read(said, kind), status=response.status)
        self._learn(exchange.answer, answer)
        return answer

    # From the recording to the fake

    def _bring(self, name: str, like: str, *, in_body: bool) -> None:
        if name in self._values:
            return
        if name not in self._accepted:  # A wrong password has to stay wrong.
            self._stand_ins[name] = like
            return
        variable = self._variable(name, whole=in_body)
        if variable is None and not in_body:
            secrets = {value for key, value in self._environment.items() if tells(key)}
            variable = next(iter(secrets)) if len(secrets) == 1 else None
        if variable is None:
            self._stand_ins[name] = like
        else:
            self._values[name] = variable

    def _variable(self, name: str, *, whole: bool) -> str | None:
        """The value of the one variable of the fake's whose name is the most like this one."""
        wanted = _words(name.strip("{}").partition(".")[0])
        alike = {key: len(wanted & _words(key)) for key in self._environment}
        least = len(wanted) if whole else 1
        most = max(alike.values(), default=0)
        best = {self._environment[key] for key, count in alike.items() if count == most}
        return best.pop() if most >= least and len(best) == 1 else None

    def _text(self, text: str, number: int, *, in_url: bool = False) -> str:
        def value(found: re.Match[str]) -> str:
            said = self._value(found[0], number)
            return quote(said, safe="") if in_url else said

        return NAME.sub(value, text)

    def _value(self, name: str, number: int) -> str:
        if name in self._values:
            return self._values[name]
        if name in self._stand_ins:
            return self._stand_ins[name]
        self.unknown.setdefault(name, number)
        return name.strip("{}")

    def _target(self, exchange: Exchange) -> str:
        path, mark, query = exchange.request.target.partition("?")
        parts = [self._id(part) for part in path.split("/")]
        pairs = [pair.partition("=") for pair in query.split("&")]
        query = "&".join(f"{name}{is_}{self._id(said)}" for name, is_, said in pairs)
        return self._text("/".join(parts) + mark + query, exchange.number, in_url=True)

    def _id(self, text: str) -> str:
        """A piece of a path: the fake's own id where it is one of the real server's."""
        if text.isdecimal() and int(text) in self._ids:
            return str(self._ids[int(text)])
        return str(self._ids.get(text, text))

    def _body(self, request: Message, number: int) -> bytes | None:
        body = request.body
        match body.kind:
            case "JSON":
                return json.dumps(self._data(body.data, "", number)).encode()
            case "text":
                in_form = (request.header("Content-Type") or "").lower().startswith(FORM)
                return self._text(body.data, number, in_url=in_form).encode()
            case "bytes":
                return bytes(body.data)
        return None

    def _data(self, data: Any, name: str, number: int) -> Any:  # noqa: ANN401 -- JSON
        if isinstance(data, dict):
            return {
                self._text(key, number): self._data(value, key, number)
                for key, value in data.items()
            }
        if isinstance(data, list):
            return [self._data(value, name, number) for value in data]
        if _is_id(name, data) and data in self._ids:
            return self._ids[data]
        return self._text(data, number) if isinstance(data, str) else data

    # From the fake to the recording

    def _learn(self, real: Message, fake: Message) -> None:
        for name, value in real.headers:
            theirs = [said for key, said in fake.headers if key.lower() == name.lower()]
            # Of a cookie what follows its value is the server's to choose.
            wanted = value.partition(";")[0] if name.lower() == "set-cookie" else value
            for said in theirs:
                if self._bind(wanted, said):
                    break
        self._learn_data(real.body.data, fake.body.data, "")

    def _learn_data(self, real: Any, fake: Any, name: str) -> None:  # noqa: ANN401 -- JSON
        if isinstance(real, dict) and isinstance(fake, dict):
            for key, value in real.items():
                ours = NAME.sub(lambda found: self._values.get(found[0], found[0]), key)
                if ours in fake:
                    self._learn_data(value, fake[ours], key)
        elif isinstance(real, list) and isinstance(fake, list):
            for one, other in zip(real, fake, strict=False):
                self._learn_data(one, other, name)
        elif isinstance(real, str) and isinstance(fake, str):
            self._bind(real, fake)
            self._learn_id(real, fake, name)
        elif type(real) in _OF_IDS and type(fake) in _OF_IDS:
            self._learn_id(real, fake, name)

    def _learn_id(self, real: str | int, fake: str | int, name: str) -> None:
        if real != fake and _is_id(name, real) and not NAME.search(str(real)):
            self._ids.setdefault(real, fake)

    def _bind(self, real: str, fake: str) -> bool:
        """Read the fake's values off a text, at the places that have names in the real one.

        Whether the two are alike.
        """
        names = NAME.findall(real)
        if names == [real]:
            self._values.setdefault(real, fake)
            return True
        pieces = [re.escape(piece) for piece in NAME.split(real)]
        match = re.match(r"([^;,\s]+)".join(pieces), fake)
        for name, value in zip(names, match.groups() if match else (), strict=False):
            self._values.setdefault(name, value)
        return match is not None


def accepted_in(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """The names in requests that the real server did not refuse."""
    return frozenset(
        name
        for exchange in exchanges
        if exchange.answer.status < 400
        for name in NAME.findall(json.dumps(exchange.request.to_dict()))
    )


def names_in(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """All names that stand for something, without their braces."""
    return frozenset(
        name.strip("{}")
        for exchange in exchanges
        for message in (exchange.request, exchange.answer)
        for name in NAME.findall(json.dumps(message.to_dict()))
    )


def _is_id(name: str, value: object) -> bool:
    """Whether a value may stand for something of its server's: by its name, or as it looks."""
    if isinstance(value, str) and len(value) >= LONG and _MIXED.search(value):
        return " " not in value
    kind = isinstance(value, str | int) and not isinstance(value, bool)
    return kind and _ID.search(name) is not None


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def _only_in_body(name: str, request: Message) -> bool:
    return name not in request.target and not any(name in value for _, value in request.headers)
