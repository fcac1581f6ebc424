"""A while in which nobody keeps what is logged.

Who keeps the record of an error keeps its traceback, with all that its frames have open. pytest
keeps every record of a test, so that a client which logs its errors seems to leave connections
open where none of its own objects holds any.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

from pytest_resilience.logs import _hub


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Let the standard library's logging say nothing in this block, and nobody here listen."""
    before = logging.root.manager.disable
    logging.disable(sys.maxsize)
    try:
        with _hub.deaf():
            yield
    finally:
        logging.disable(before)
