"""What can go wrong with an attempt. Values: build one and hand it to ``server.fail``.

Names are Toxiproxy's where it has one. What each client library makes of each fault is
in the docs, in a table that a test generates.
"""

from __future__ import annotations

from pytest_resilience.faults._script import Context, Fault, Script
from pytest_resilience.faults.answer import (
    HtmlPage as html_page,
    HttpDate as http_date,
    MalformedJson as malformed_json,
    Redirect as redirect,
    Status as status,
)
from pytest_resilience.faults.compose import Ok, Together as together
from pytest_resilience.faults.connection import (
    Down as down,
    EmptyReply as empty_reply,
    NeverRead as never_read,
    ResetIdle as reset_idle,
    ResetPeer as reset_peer,
    StaleConnection as stale_connection,
)
from pytest_resilience.faults.length import (
    CutChunk as cut_chunk,
    LimitData as limit_data,
    WrongLength as wrong_length,
)
from pytest_resilience.faults.noise import Garbage as garbage, HugeHeaders as huge_headers
from pytest_resilience.faults.stream import (
    CutStream as cut_stream,
    EndStream as end_stream,
    Slicer as slicer,
    StallStream as stall_stream,
)
from pytest_resilience.faults.timing import (
    Bandwidth as bandwidth,
    HalfHead as half_head,
    Latency as latency,
    Lognormal as lognormal,
    Stall as stall,
    Timeout as timeout,
    Uniform as uniform,
)

OK = Ok()
"""No fault: in a sequence, this attempt is answered as usual."""

__all__ = [
    "OK",
    "Context",
    "Fault",
    "Script",
    "bandwidth",
    "cut_chunk",
    "cut_stream",
    "down",
    "empty_reply",
    "end_stream",
    "garbage",
    "half_head",
    "html_page",
    "http_date",
    "huge_headers",
    "latency",
    "limit_data",
    "lognormal",
    "malformed_json",
    "never_read",
    "redirect",
    "reset_idle",
    "reset_peer",
    "slicer",
    "stale_connection",
    "stall",
    "stall_stream",
    "status",
    "timeout",
    "together",
    "uniform",
    "wrong_length",
]
