"""What the servers of a test saw, in files that viewers of HTTP archives can show."""

from __future__ import annotations

import json
import re
import warnings
import zlib
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_resilience.reporting.custody import Custody, Watched

LONGEST = 120
"""Characters of a test's name in a file's, which may have 255 bytes."""


def write(report: pytest.TestReport, custody: Custody) -> None:
    """Write a file for each server of a failed test, or of any test at its end."""
    if not (report.failed or (custody.settings.har_all and report.when == "teardown")):
        return
    lines, unwritten = [], []
    for watched in custody.servers:
        try:
            lines.append(f"{watched.label}: {_written(watched, custody)}")
        except OSError as error:
            unwritten.append(f"{watched.label}: not written: {error}")
    if report.failed and custody.servers:
        text = "\n".join([*lines, *unwritten])
        report.sections.append((f"HAR files ({report.when})", f"{text}\n"))
    elif unwritten:
        _warn(f"HAR file of {custody.mask(custody.item.nodeid)}, {', '.join(unwritten)}")


def _warn(text: str) -> None:
    """In pytest's summary; a report that passes has no sections, and an error here no test."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(text, pytest.PytestWarning, stacklevel=1)


def _written(watched: Watched, custody: Custody) -> PurePath:
    """Write one; where it is."""
    folder = custody.item.config.invocation_params.dir / custody.settings.har
    path = folder / _name(custody.mask(custody.item.nodeid), watched.label)
    text = json.dumps(_archive(watched, custody), indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _archive(watched: Watched, custody: Custody) -> dict[str, Any]:
    from pytest_resilience.recording.har import to_har
    from pytest_resilience.records import Trace

    seen = watched.server.trace
    trace = Trace(seen, forgotten=seen.forgotten, seed=seen.seed, mask=custody.mask)
    archive = to_har(trace, watched.server.url)
    archive["log"]["_test"] = custody.mask(custody.item.nodeid)
    archive["log"]["_server"] = watched.label
    return archive


def _name(nodeid: str, label: str) -> str:
    """A file's name that no other test has, whatever stands in its parameters."""
    module, _, test = nodeid.partition("::")
    words = f"{PurePosixPath(module).name}-{test}"
    short = re.sub(r"[^A-Za-z0-9_.]+", "-", words)[:LONGEST].strip("-.")
    number = zlib.crc32(f"{nodeid} {label}".encode("utf-8", "replace"))
    return f"{short}-{label.replace(' ', '-')}-{number:08x}.har"
