"""``pytest-resilience compare``: where a fake answers otherwise than a recorded server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pytest_resilience.cli._target import server_for
from pytest_resilience.recording.compare import compare_recording

DIFFERENT = 1


def compare(
    recording: str,
    target: str,
    *,
    headers: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
    as_json: bool = False,
) -> int:
    """Compare, print what differs, and return the exit code: 1 when something does.

    Raises:
        ResilienceError: The file or the fake is not there, or is none.
    """
    comparison = compare_recording(recording, server_for(target), headers=headers, values=values)
    print(json.dumps(comparison.to_dict(), indent=2) if as_json else str(comparison))
    return DIFFERENT if comparison.differences else 0
