"""What a client said of its retries and failures, against what it claims to say."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from pytest_resilience.checks import _log_retries, _log_shape, _log_words as words
from pytest_resilience.checks.finding import Finding
from pytest_resilience.logs.line import Line
from pytest_resilience.policy.logs import LogContract
from pytest_resilience.records import Attempt, Trace
from pytest_resilience.schedule import retries as retries_of

__all__ = ["judge", "lines_of"]

SAY = ("logging", "structlog")
LIBRARIES = ("aiohttp", "asyncio", "hpack", "httpcore", "httpx", "requests", "trio", "urllib3")
"""Their own lines are no promise of the client's, unless it names one of them."""


def judge(
    lines: Iterable[Line],
    trace: Trace,
    contract: LogContract,
    *,
    succeeded: bool | None = None,
    retries: Sequence[tuple[Attempt, Attempt]] | None = None,
) -> list[Finding]:
    """How the log of one call breaks the contract.

    Args:
        lines: What was said during the call, joined to the attempts of its trace.
        trace: The attempts of the call.
        contract: What is claimed.
        succeeded: Whether the call succeeded; when it is None, what depends on it is not
            judged.
        retries: Each failed attempt with the one that repeats it; found in the trace
            when it is None.
    """
    said = lines_of(contract, lines)
    pairs = retries_of(trace) if retries is None else retries
    return [
        *_log_retries.check(said, trace, contract, pairs),
        *_noise(said, trace, contract, succeeded=succeeded),
        *_errors(said, trace, contract, succeeded=succeeded),
        *_log_shape.check(said, trace, contract),
    ]


def lines_of(contract: LogContract, lines: Iterable[Line]) -> tuple[Line, ...]:
    """Those lines that the client itself has said."""
    return tuple(line for line in lines if line.source in SAY and _is_own(contract, line))


def _is_own(contract: LogContract, line: Line) -> bool:
    if contract.logger is None:
        return line.logger.partition(".")[0] not in LIBRARIES
    if not line.logger:
        return line.source == "structlog"  # Its loggers need no names.
    return f"{line.logger}.".startswith(f"{contract.logger}.")


def _noise(
    said: Sequence[Line], trace: Trace, contract: LogContract, *, succeeded: bool | None
) -> Iterator[Finding]:
    if not succeeded or any(attempt.failed for attempt in trace):
        return
    noise = [line for line in said if _is_noise(line, contract)]
    if noise:
        what = f"{words.quoted(noise[0])} was logged, though nothing was retried"
        yield Finding("noise-without-retry", what, words.evidence(trace, said, noise))


def _is_noise(line: Line, contract: LogContract) -> bool:
    if _log_retries.is_retry(contract, line):
        return True
    if contract.quiet is None or line.level is None or line.level < int(contract.quiet):
        return False
    # An error on success has a code of its own.
    return contract.failure_level is None or line.level < int(contract.failure_level)


def _errors(
    said: Sequence[Line], trace: Trace, contract: LogContract, *, succeeded: bool | None
) -> Iterator[Finding]:
    if contract.failure_level is None or succeeded is None:
        return
    level = int(contract.failure_level)
    errors = [line for line in said if line.level is not None and line.level >= level]
    proof = words.evidence(trace, said, errors)
    if succeeded:
        if errors:
            what = f"the call succeeded, and {words.quoted(errors[0])} was logged"
            yield Finding("error-logged-on-success", what, proof)
    elif contract.failure is None:
        return  # That a failure is logged is not claimed.
    elif not any(_log_retries.found_in(line, contract.failure) for line in errors):
        pattern = f" that matches {contract.failure!r}" if contract.failure else ""
        what = f"the call failed, and no {logging.getLevelName(level)}{pattern} was logged"
        yield Finding("failure-not-logged", what, proof)
    elif len(errors) > 1:
        what = f"the call failed once, and was logged {len(errors)} times as an error"
        yield Finding("failure-not-logged", what, proof)
