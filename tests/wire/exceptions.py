"""What four clients make of each fault; ``python -m tests.wire.exceptions --write`` tells docs.

Every cell is found by asking: a server of its own, a client of its own, one or two
requests. Where a fault is silence the clients give up after `SHORT` seconds; everywhere
else they wait long enough for any machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import requests
import urllib3

from pytest_resilience import FOREVER, FakeServer, faults
from tests.wire.apps import app_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
BODY = b'{"answer": 42, "why": "because"}'
SHORT, LONG = 0.1, 30.0


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    """As a reader writes it."""
    plan: Callable[[FakeServer], object]
    silent: bool = False
    """Nothing more comes, so that the client's own timeout ends it."""
    again: bool = False
    """A second request, by the same client, is part of the story."""
    upload: bool = False
    """The request has a body larger than any buffer."""


def _fails(text: str, **how: Any) -> Callable[[FakeServer], object]:
    fault = eval(text, {"faults": faults})  # noqa: S307 -- the literals below
    return lambda server: server.fail(fault, **how)


def case(text: str, **more: Any) -> Case:
    """A fault as it is written, met once."""
    return Case(f"`{text.removeprefix('faults.')}`", _fails(text), **more)


CASES = (
    case("503"),
    case('faults.status(429, retry_after="soon")'),
    case('faults.redirect("/")'),
    Case('`redirect("/")` for ever', _fails('faults.redirect("/")', times=FOREVER)),
    case("faults.html_page()"),
    case("faults.html_page(status=200)"),
    case("faults.malformed_json()"),
    case("faults.huge_headers()"),
    case("faults.latency(0.02)"),
    case("faults.latency(60)", silent=True),
    case("faults.timeout()", silent=True),
    case("faults.timeout(close_after=0.02)"),
    case("faults.half_head()", silent=True),
    case("faults.stall()", silent=True),
    case("faults.stall(resume_after=0.02)"),
    case("faults.bandwidth(1)", silent=True),
    case("faults.bandwidth(1000)"),
    case("faults.limit_data()"),
    case("faults.cut_chunk()"),
    case("faults.cut_stream(0, within=0.5)"),
    case("faults.cut_stream(0, within=0.5, reset=True)"),
    case("faults.stall_stream(0, within=0.5)", silent=True),
    case("faults.end_stream(0, within=0.5)"),
    case("faults.slicer(1)"),
    case("faults.wrong_length(by=1)", silent=True),
    case("faults.wrong_length(by=-1)", again=True),
    case("faults.empty_reply()"),
    Case("`empty_reply()`, a POST", _fails("faults.empty_reply()")),
    case("faults.reset_peer()"),
    Case("`reset_peer()`, a POST", _fails("faults.reset_peer()")),
    case('faults.reset_peer("body")'),
    case("faults.garbage()"),
    case("faults.never_read()", silent=True),
    Case("`never_read()`, 32 MB to send", _fails("faults.never_read()"), silent=True, upload=True),
    case("faults.down(3600)", again=True),
    case("faults.reset_idle()", again=True),
    Case("`stale_connection()`", _fails("faults.stale_connection()"), again=True),
    Case(
        "`stale_connection()`, a POST",
        _fails("faults.stale_connection()", method="POST"),
        again=True,
    ),
)

Answer = tuple[int, bytes, Callable[[], object]]


def _requests(server: FakeServer, row: Case, timeout: float) -> Iterator[Callable[[], Answer]]:
    with requests.Session() as session:

        def ask() -> Answer:
            got = session.request(method(row), server.url, timeout=timeout, data=upload(row))
            return got.status_code, got.content, got.json

        yield ask


def _urllib3(server: FakeServer, row: Case, timeout: float) -> Iterator[Callable[[], Answer]]:
    with urllib3.PoolManager(retries=False, timeout=timeout) as pool:

        def ask() -> Answer:
            got = pool.request(method(row), server.url, body=upload(row))
            return got.status, got.data, got.json

        yield ask


def _httpx(server: FakeServer, row: Case, timeout: float) -> Iterator[Callable[[], Answer]]:
    with httpx.Client(timeout=timeout, trust_env=False) as client:

        def ask() -> Answer:
            got = client.request(method(row), server.url, content=upload(row))
            return got.status_code, got.content, got.json

        yield ask


def _aiohttp(server: FakeServer, row: Case, timeout: float) -> Iterator[Callable[[], Answer]]:
    async def open_session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout))

    with asyncio.Runner() as runner:
        session = runner.run(open_session())

        async def one() -> Answer:
            await asyncio.sleep(0.01)  # A loop that runs hears of a reset meanwhile.
            body = upload(row)
            sent = None if body is None else io.BytesIO(body)  # Bytes of this size it warns about.
            async with session.request(method(row), server.url, data=sent) as got:
                return got.status, await got.read(), lambda: runner.run(got.json())

        yield lambda: runner.run(one())
        runner.run(session.close())
        if row.upload:  # Its transport still wants to send; a reset ends that.
            server.stop()
            runner.run(asyncio.sleep(0.05))


CLIENTS = {"requests": _requests, "urllib3": _urllib3, "httpx": _httpx, "aiohttp": _aiohttp}


def method(row: Case) -> str:
    """The method of a row's requests."""
    return "POST" if row.upload or "POST" in row.name else "GET"


def upload(row: Case) -> bytes | None:
    """The body of a row's requests."""
    return bytes(32 * 1024 * 1024) if row.upload else None


def outcome(client: str, row: Case, patience: float) -> str:
    """What one client makes of one fault, in words for the table."""
    with FakeServer(app_of(BODY), blocking=False, seed=1) as server:
        row.plan(server)
        said = []
        for ask in CLIENTS[client](server, row, patience if row.silent else LONG):
            said.append(_tried(ask))
            if row.again:
                _wait_for_resets(server)
                said.append("then " + _tried(ask))
    return "<br>".join(said)


def _tried(ask: Callable[[], Answer]) -> str:
    try:
        status, body, parse = ask()
    except Exception as error:  # noqa: BLE001 -- whichever it is, it is what we want to know
        return _named(error)
    if body == BODY:
        return f"{status}, body as sent"
    if status != 200:
        return f"{status}, no exception"
    try:
        parse()
    except Exception as error:  # noqa: BLE001 -- the same
        return f"{status}, `.json()`: {_named(error)}"
    return f"{status}, another body"


def _named(error: BaseException) -> str:
    names = [f"`{type(error).__module__}.{type(error).__qualname__}`"]
    while (inner := _inner(error)) is not None:
        kind = type(inner)
        names.append(f"`{kind.__module__.partition('.')[0]}.{kind.__qualname__}`")
        error = inner
    return " from ".join(names).replace("builtins.", "")


def _inner(error: BaseException) -> Exception | None:
    """The error that this one wraps: as an argument, as its reason, or as its cause."""
    candidates: Iterable[object] = (*error.args, getattr(error, "reason", None), error.__cause__)
    return next((c for c in candidates if isinstance(c, Exception)), None)


def _wait_for_resets(server: FakeServer) -> None:
    """Until the client's kernel knows what the server has done to the connection."""
    if server.trace.faults[-1] not in ("reset_idle", "down 3600 s"):
        return
    end = time.monotonic() + LONG
    while any(_established(server.port)) and time.monotonic() < end:
        time.sleep(0.001)


def _established(port: int) -> Iterator[str]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_ = line.split()
        if remote.endswith(f":{port:04X}") and state == "01":
            yield line


def line(row: Case, patience: float = SHORT) -> str:
    """One row of the table, asked for just now.

    Args:
        row: Which.
        patience: Seconds after which clients give up where nothing more comes.
    """
    asked = itertools.repeat(row), itertools.repeat(patience)
    with ThreadPoolExecutor(len(CLIENTS)) as side_by_side:
        return _line([row.name, *side_by_side.map(outcome, CLIENTS, *asked)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """The table, as Markdown."""
    head = _line(["fault", *CLIENTS]), _line(["---"] * (1 + len(CLIENTS)))
    return "".join(f"{text}\n" for text in (*head, *map(line, CASES)))


def committed() -> str:
    """The table as the docs have it."""
    return PAGE.read_text().partition(BEGIN + "\n\n")[2].partition("\n" + END)[0]


def main() -> int:
    """Print the table, or write it into the docs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write it into {PAGE.name}")
    made = table()
    if not parser.parse_args().write:
        print(made)  # noqa: T201 -- asked for
        return 0
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n{END}{rest.partition(END)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
