"""@google/genai on node, which knows nothing of virtual time: all rows at once, in real time."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_resilience import FOREVER
from pytest_resilience_gemini import Gemini, Reply, stream
from tests.fakes.gemini.sdks import cases
from tests.fakes.gemini.sdks.cases import MODEL, PROMPT, WORDS, Case

HERE = Path(__file__).parent / "node"
TIMEOUT = 5.0
"""What the client is told, in real seconds; longer than any answer takes."""
SLOWER = {"`stream.slow(20)`": stream.slow(20 * TIMEOUT / cases.TIMEOUT)}
"""Faults whose time is measured against a client's patience."""


def column(rows: Sequence[Case], *, retry: bool) -> list[str]:
    """The cells of a column, from top to bottom."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(_server(row)) for row in rows]
        asked = [
            {
                "url": server.url,
                "key": server.api_key,
                "model": MODEL,
                "prompt": PROMPT,
                "stream": row.stream,
                "timeout": int(TIMEOUT * 1000),
                "retry": retry,
            }
            for server, row in zip(servers, rows, strict=True)
        ]
        came = subprocess.run(
            ["node", "ask.mjs"],
            cwd=HERE,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        answers = json.loads(came.stdout)
        return [
            _cell(server, row, answer)
            for server, row, answer in zip(servers, rows, answers, strict=True)
        ]


def version() -> str:
    """Of the package that is installed."""
    package = HERE / "node_modules" / "@google" / "genai" / "package.json"
    return str(json.loads(package.read_text())["version"])


def _server(row: Case) -> Gemini:
    server = Gemini(seed=1)
    server.say(Reply(WORDS))
    if row.fault is not None:
        server.fail(SLOWER.get(row.name, row.fault), times=FOREVER)
    return server


def _cell(server: Gemini, row: Case, answer: dict[str, Any]) -> str:
    texts = "".join(text or "" for text in answer["texts"])
    said = []
    if "error" in answer:
        if texts:
            said += [f'"{texts.strip()}", then']
        said += [f"`{answer['error']}`"]
    elif texts == "".join(WORDS):
        said += ["answered"]
    elif row.stream:
        said += [f'"{texts.strip()}", and' if texts else "", "ends, no error"]
    else:
        said += ["returns undefined"]
    text = " ".join(part for part in said if part)
    attempts = len(server.trace)
    if attempts > 1:
        waits = ", ".join(f"{round(wait)}" for wait in server.trace.waits)
        text += f"; {attempts} attempts; waits {waits}"
    return text
