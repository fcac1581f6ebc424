"""What can go wrong with an attempt. Values: build one and hand it to ``server.fail``.

Names are Toxiproxy's where it has one. What each client library makes of each fault is
in the docs, in a table that a test generates.
"""

from __future__ import annotations

from pytest_resilience.faults._script import Context, Fault, Script
from pytest_resilience.faults.answer import HtmlPage as html_page
from pytest_resilience.faults.answer import HttpDate as http_date
from pytest_resilience.faults.answer import MalformedJson as malformed_json
from pytest_resilience.faults.answer import Redirect as redirect
from pytest_resilience.faults.answer import Status as status
from pytest_resilience.faults.compose import Ok, Together as together
from pytest_resilience.faults.connection import Down as down
from pytest_resilience.faults.connection import EmptyReply as empty_reply
from pytest_resilience.faults.connection import NeverRead as never_read
from pytest_resilience.faults.connection import ResetIdle as reset_idle
from pytest_resilience.faults.connection import ResetPeer as reset_peer
from pytest_resilience.faults.connection import StaleConnection as stale_connection
from pytest_resilience.faults.length import CutChunk as cut_chunk
from pytest_resilience.faults.length import LimitData as limit_data
from pytest_resilience.faults.length import WrongLength as wrong_length
from pytest_resilience.faults.noise import Garbage as garbage
from pytest_resilience.faults.noise import HugeHeaders as huge_headers
from pytest_resilience.faults.timing import Bandwidth as bandwidth
from pytest_resilience.faults.timing import HalfHead as half_head
from pytest_resilience.faults.timing import Latency as latency
from pytest_resilience.faults.timing import Lognormal as lognormal
from pytest_resilience.faults.timing import Stall as stall
from pytest_resilience.faults.timing import Timeout as timeout
from pytest_resilience.faults.timing import Uniform as uniform

OK = Ok()
"""No fault: in a sequence, this attempt is answered as usual."""

__all__ = [
    "OK",
    "Context",
    "Fault",
    "Script",
    "bandwidth",
    "cut_chunk",
    "down",
    "empty_reply",
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
    "stale_connection",
    "stall",
    "status",
    "timeout",
    "together",
    "uniform",
    "wrong_length",
]
