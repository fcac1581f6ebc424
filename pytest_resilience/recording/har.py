"""A trace as an HTTP archive (HAR 1.2), for the viewers that browsers and others have.

The format: https://github.com/ahmadnassri/har-spec/blob/master/versions/1.2.md. What it wants and
a trace does not know is unknown by its own words: sizes are -1, and of an answer there are its
status and its Retry-After field, no other fields and no content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

from pytest_resilience.answers import REASONS
from pytest_resilience.faults import _check
from pytest_resilience.records import Attempt, Outcome, Trace
from pytest_resilience.secrets.names import MASK, masked_value, tells
from pytest_resilience.server._shown import masked_query

__all__ = ["to_har"]

ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment at which a trace begins; an archive has no time that counts from nothing."""
DEEPEST = 20

Mask = Callable[[str], str]
Pairs = list[dict[str, str]]


def to_har(trace: Trace, url: str = "") -> dict[str, Any]:
    """The attempts of a trace as JSON data in the format HAR 1.2, with secrets masked.

    ::

        Path("outage.har").write_text(json.dumps(to_har(server.trace, server.url)))

    Times are those of the trace, virtual ones in virtual time; it begins on January 1st 1970.
    What a viewer shows as waiting is all the time between a request's head and the end of its
    answer. Names that begin with an underscore are ours: ``_attempt``, ``_fault``, ``_outcome``,
    ``_reused``, ``_sent``.

    Args:
        trace: The attempts.
        url: The address of the server; by default what each request calls its host, by http.

    Raises:
        PlanError: It is no trace.
    """
    if not isinstance(trace, Trace):
        _check.refuse("to_har(trace)", trace, "a Trace, such as server.trace")
    mask = _mask(trace)
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "pytest-resilience", "version": _version()},
            "pages": [],
            "entries": [_entry(attempt, url, mask) for attempt in trace],
            "comment": _about(trace),
        }
    }


def _mask(trace: Trace) -> Mask:
    """What takes the server's secrets out of a text, each text once."""
    everything = "\n".join(_raw(trace))
    if trace.masked(everything) == everything:
        return str
    known: dict[str, str] = {}

    def mask(text: str) -> str:
        if text not in known:
            known[text] = trace.masked(text)
        return known[text]

    return mask


def _raw(trace: Trace) -> Iterator[str]:
    for one in trace:
        parts = (one.head, one.body)
        yield "\n".join([one.target, *(part.decode("utf-8", "replace") for part in parts)])
        yield f"{one.method}\n{one.retry_after}\n{one.note}\n{one.fault}"


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("pytest-resilience")
    except metadata.PackageNotFoundError:  # pragma: no cover -- a checkout that nobody installed
        return ""


def _about(trace: Trace) -> str:
    forgotten = f"; the first {trace.forgotten} attempts are not kept" if trace.forgotten else ""
    return f"times count from the beginning of the trace{forgotten}"


def _entry(attempt: Attempt, url: str, mask: Mask) -> dict[str, Any]:
    ended = attempt.started_ns if attempt.ended_ns is None else attempt.ended_ns
    waited = (ended - attempt.started_ns) / 1_000_000
    moment = ORIGIN + timedelta(microseconds=attempt.started_ns // 1000)
    return {
        "startedDateTime": moment.isoformat(timespec="microseconds"),
        "time": waited,
        "request": _request(attempt, url, mask),
        "response": _response(attempt, mask),
        "cache": {},
        "timings": {"send": 0, "wait": waited, "receive": 0},
        "connection": str(attempt.connection),
        "comment": mask(attempt.note),
        "_attempt": attempt.number,
        "_fault": None if attempt.fault is None else mask(attempt.fault),
        "_outcome": attempt.outcome.value,
        "_reused": attempt.reused,
        "_sent": attempt.sent,
    }


# The request


def _request(attempt: Attempt, url: str, mask: Mask) -> dict[str, Any]:
    query = masked_query(attempt.query)
    base = url.rstrip("/") or f"http://{attempt.headers.get('host', '127.0.0.1')}"
    path = attempt.path if attempt.path.startswith("/") else f"/{attempt.path}"
    mark = "?" if "?" in attempt.target else ""
    request: dict[str, Any] = {
        "method": mask(attempt.method),
        "url": "".join(_in_url(part, mask) for part in (base, path, mark, query)),
        "httpVersion": "HTTP/1.1",
        "cookies": _cookies(attempt, mask),
        "headers": _pairs(
            (mask(name), mask(masked_value(name, value)))
            for name, value in attempt.headers.items_sent()
        ),
        "queryString": _pairs(
            (mask(name), mask(value)) for name, value in parse_qsl(query, keep_blank_values=True)
        ),
        "headersSize": -1,
        "bodySize": attempt.body_size,
    }
    if attempt.body:
        request["postData"] = _body(attempt, mask)
    return request


def _in_url(part: str, mask: Mask) -> str:
    """The names of what was masked have characters that no URL has."""
    masked = mask(part)
    return part if masked == part else quote(masked, safe="/:@!$&'()*+,;=~?%[]")


def _pairs(items: Iterator[tuple[str, str]]) -> Pairs:
    return [{"name": name, "value": value} for name, value in items]


def _cookies(attempt: Attempt, mask: Mask) -> Pairs:
    """Their names; what they are worth is a credential."""
    sent = ";".join(attempt.headers.all("cookie"))
    names = (one.partition("=")[0].strip() for one in sent.split(";"))
    return _pairs((mask(name), MASK) for name in names if name)


def _body(attempt: Attempt, mask: Mask) -> dict[str, str]:
    kind = mask(attempt.headers.get("content-type", ""))
    try:
        text = attempt.body.decode()
    except UnicodeDecodeError:
        return {"mimeType": kind, "text": "", "comment": f"{attempt.body_size} bytes, no text"}
    cut = attempt.body_size - len(attempt.body)
    comment = f"{cut} bytes more are not kept" if cut > 0 else ""
    return {"mimeType": kind, "text": mask(_masked_body(text)), "comment": comment}


def _masked_body(text: str) -> str:
    """Without what is a credential by its name, however short."""
    if text.lstrip()[:1] not in {"{", "["}:
        return masked_query(text) if "=" in text and "\n" not in text else text
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    masked = _masked_data(data)
    return text if masked == data else json.dumps(masked, ensure_ascii=False)


def _masked_data(data: Any, depth: int = 0) -> Any:  # noqa: ANN401 -- JSON
    if depth > DEEPEST:
        return MASK
    if isinstance(data, Mapping):
        return {
            name: MASK if isinstance(value, str) and tells(name) else _masked_data(value, depth + 1)
            for name, value in data.items()
        }
    return [_masked_data(one, depth + 1) for one in data] if isinstance(data, list) else data


# The answer


def _response(attempt: Attempt, mask: Mask) -> dict[str, Any]:
    status = attempt.status or 0
    fields = [] if attempt.retry_after is None else [("Retry-After", mask(attempt.retry_after))]
    pending = "pending" if attempt.outcome is Outcome.PENDING else ""
    return {
        "status": status,  # 0 where there is none, as browsers write it
        "statusText": REASONS.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(iter(fields)),
        "content": {"size": 0, "mimeType": "x-unknown", "comment": "not kept"},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "comment": pending,
    }
