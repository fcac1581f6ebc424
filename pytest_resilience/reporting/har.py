"""What the servers of a test saw, in files that viewers of HTTP archives can show."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from pytest_resilience.reporting.custody import Custody, Watched

LONGEST = 120
"""Characters of a test's name in a file's, which may have 255 bytes."""


def write(report: pytest.TestReport, custody: Custody) -> None:
    """Write a file for each server of a failed test, or of any test at its end."""
    if not (report.failed or (custody.settings.har_all and report.when == "teardown")):
        return
    lines = [_written(watched, custody) for watched in custody.servers]
    if report.failed and lines:
        report.sections.append((f"HAR files ({report.when})", "\n".join(lines) + "\n"))


def _written(watched: Watched, custody: Custody) -> str:
    """Write one; where it is, or why not."""
    folder = custody.item.config.invocation_params.dir / custody.settings.har
    path = folder / _name(custody.mask(custody.item.nodeid), watched.label)
    text = json.dumps(_archive(watched, custody), indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{watched.label}: not written: {error}"
    return f"{watched.label}: {path}"


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
