"""A trace as an HTTP archive has what the format wants, and no secret."""

import base64
import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from pytest_resilience import FakeServer, PlanError, VirtualClock, faults, to_har
from pytest_resilience.records import Attempt, Trace

# The required members and their types, from the schema of HAR 1.2:
# https://github.com/ahmadnassri/har-schema/tree/master/lib
WANTED: dict[str, dict[str, type | tuple[type, ...]]] = {
    "log": {"version": str, "creator": dict, "entries": list},
    "creator": {"name": str, "version": str},
    "entry": {
        "startedDateTime": str,
        "time": (int, float),
        "request": dict,
        "response": dict,
        "cache": dict,
        "timings": dict,
    },
    "request": {
        "method": str,
        "url": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "queryString": list,
        "headersSize": int,
        "bodySize": int,
    },
    "response": {
        "status": int,
        "statusText": str,
        "httpVersion": str,
        "cookies": list,
        "headers": list,
        "content": dict,
        "redirectURL": str,
        "headersSize": int,
        "bodySize": int,
    },
    "content": {"size": int, "mimeType": str},
    "timings": {"send": (int, float), "wait": (int, float), "receive": (int, float)},
    "postData": {"mimeType": str, "text": str},
    "pair": {"name": str, "value": str},
}
OPTIONAL = {
    "log": {"pages", "comment"},
    "entry": {"connection", "comment"},
    "request": {"postData"},
    "response": {"comment"},
    "content": {"comment"},
    "postData": {"comment"},
}


def check(kind: str, data: dict[str, Any]) -> None:
    """Hold a part of an archive to the format."""
    for name, wanted in WANTED[kind].items():
        assert isinstance(data[name], wanted), (kind, name)
    unknown = {name for name in data if not name.startswith("_")} - set(WANTED[kind])
    assert unknown <= OPTIONAL.get(kind, set())


def check_archive(archive: dict[str, Any]) -> list[dict[str, Any]]:
    """Hold all of it to the format; gives the entries."""
    log = json.loads(json.dumps(archive))["log"]
    check("log", log)
    check("creator", log["creator"])
    assert log["version"] == "1.2"
    for entry in log["entries"]:
        check("entry", entry)
        for part in ("request", "response", "timings"):
            check(part, entry[part])
        check("content", entry["response"]["content"])
        request, timings = entry["request"], entry["timings"]
        for pair in [*request["headers"], *request["cookies"], *request["queryString"]]:
            check("pair", pair)
        if "postData" in request:
            check("postData", request["postData"])
        assert sum(timings.values()) == entry["time"] >= 0
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert urlsplit(request["url"]).scheme in {"http", "https"}
        assert not set(request["url"]) & set('<>" ')
    return list(log["entries"])


def test_an_outage_is_an_archive() -> None:
    """Times are virtual, a fault has its name, and what was never answered has status 0."""
    with VirtualClock() as clock, FakeServer() as server:
        server.fail(faults.status(429, retry_after=5), faults.timeout())
        requests.get(f"{server.url}/a?x=1&y", timeout=30)
        clock.advance(5)
        with pytest.raises(requests.Timeout):
            requests.post(f"{server.url}/b", data=b"\xff\x00", timeout=30)

        archive = to_har(server.trace, server.url)
        first, second = check_archive(archive)

        assert first["startedDateTime"] == "1970-01-01T00:00:00.000000+00:00"
        assert first["request"]["url"] == f"{server.url}/a?x=1&y"
        assert first["request"]["queryString"] == [
            {"name": "x", "value": "1"},
            {"name": "y", "value": ""},
        ]
        assert first["response"]["headers"] == [{"name": "Retry-After", "value": "5"}]
        assert (first["response"]["status"], first["_attempt"], first["_outcome"]) == (
            429,
            1,
            "answered",
        )
        assert second["startedDateTime"] == "1970-01-01T00:00:05.000000+00:00"
        assert second["request"]["postData"]["comment"] == "2 bytes, no text"
        assert (second["response"]["status"], second["response"]["statusText"]) == (0, "")
        assert second["_fault"] == "timeout"


def posted(target: str, head: bytes, body: bytes) -> Attempt:
    """A POST that hangs."""
    return Attempt(
        number=1,
        started_ns=0,
        connection=1,
        reused=False,
        method="POST",
        target=target,
        head=head,
        body=body,
        body_size=len(body),
    )


TOKEN = "hvs.CAESIJk3vQx7Lw9ZpR2mT5nB8cY1dF4gH6aS0eU"


@pytest.mark.parametrize(
    ("target", "head", "body"),
    [
        (f"/?key={TOKEN}", "", ""),
        (f"/?q={TOKEN}", "", ""),
        (f"/lookup/{TOKEN}?x=1", "", ""),
        ("/", f"X-Vault-Token: {TOKEN}", ""),
        ("/", f"X-Custom: {TOKEN}", ""),
        ("/", f"X-{TOKEN}: 1", ""),
        ("/", f"Cookie: a={TOKEN}; b=2", ""),
        ("/", f"Cookie: {TOKEN}=1", ""),
        ("/", f"Content-Type: text/{TOKEN}", "text"),
        ("/", f"Authorization: Basic {base64.b64encode(f'u:{TOKEN}'.encode()).decode()}", ""),
        ("/", "Content-Type: application/json", json.dumps({"a": [{"b": TOKEN}]})),
        ("/", "", f"password={TOKEN}&x=1"),
        ("/", "", f"text of {TOKEN}"),
        (f"http://elsewhere/{TOKEN}", "Host: elsewhere", ""),
    ],
)
def test_no_secret_is_in_it(target: str, head: str, body: str) -> None:
    """Wherever it stands: by the name of what carries it, and by the value."""
    with FakeServer(secrets={"the token": TOKEN}) as server:
        attempt = posted(target, head.encode(), body.encode())
        for trace in (
            Trace([attempt], mask=server.masked),
            Trace([attempt, attempt], mask=server.masked),
        ):
            text = json.dumps(to_har(trace))

            check_archive(to_har(trace))
            assert TOKEN[9:] not in text
            assert base64.b64encode(f"u:{TOKEN}".encode()).decode() not in text


@pytest.mark.parametrize("odd", [{"method": TOKEN[9:]}, {"retry_after": TOKEN}])
def test_nor_where_nobody_would_look(odd: dict[str, str]) -> None:
    """By itself; what is masked is looked up in all that an attempt has."""
    with FakeServer(secrets={"the token": TOKEN}) as server:
        trace = Trace([replace(posted("/", b"", b""), **odd)], mask=server.masked)  # type: ignore[arg-type]

    assert TOKEN[9:] not in json.dumps(to_har(trace))


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"password": "ab", "user": "me"}', '{"password": "***", "user": "me"}'),
        ('{"a": [{"secret_id": "x"}, 1]}', '{"a": [{"secret_id": "***"}, 1]}'),
        ('[{"token": "t"}]', '[{"token": "***"}]'),
        ("{no json", "{no json"),
        ('{"user":"me"}', '{"user":"me"}'),
        ("client_secret=x&a=1", "client_secret=***&a=1"),
        ("a=1\nb=2", "a=1\nb=2"),
        ("[" * 30 + "]" * 30, "[" * 21 + '"***"' + "]" * 21),
    ],
)
def test_a_body_is_masked_by_names(body: str, shown: str) -> None:
    """Though the server knows of no secret: short ones are found by their names alone."""
    attempt = posted("/", b"", body.encode())
    (entry,) = check_archive(to_har(Trace([attempt])))

    assert entry["request"]["postData"]["text"] == shown


def test_what_is_not_known_is_not_claimed() -> None:
    """Attempts that are forgotten or pending, bodies that are cut, targets that are no path."""
    attempt = Attempt(
        number=3,
        started_ns=1_500_000,
        connection=2,
        reused=True,
        method="OPTIONS",
        target="*",
        head=b"Host: api:80",
        body=b"ab",
        body_size=10,
    )
    archive = to_har(Trace([attempt], forgotten=2))
    (entry,) = check_archive(archive)

    assert archive["log"]["comment"].endswith("; the first 2 attempts are not kept")
    assert entry["startedDateTime"] == "1970-01-01T00:00:00.001500+00:00"
    assert entry["request"]["url"] == "http://api:80/*"
    assert entry["request"]["postData"]["comment"] == "8 bytes more are not kept"
    assert entry["response"]["comment"] == "pending"
    assert (entry["connection"], entry["_reused"], entry["time"]) == ("2", True, 0.0)


@pytest.mark.parametrize("given", [None, "x", FakeServer(), []])
def test_what_is_no_trace_is_refused(given: Any) -> None:
    """A server has one, and is none."""
    with pytest.raises(PlanError, match=r"^to_har\(trace\)=.* wanted a Trace, such as server.tr"):
        to_har(given)
