"""Each retry has its line, and the line says what happened."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from pytest_resilience.checks import _log_words as words
from pytest_resilience.checks.finding import Finding
from pytest_resilience.logs.line import Line
from pytest_resilience.policy.logs import ANYWHERE, LogContract
from pytest_resilience.records import Attempt, Trace
from pytest_resilience.schedule import wait

SECOND = 1_000_000_000
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")

Pair = tuple[Attempt, Attempt]


def is_retry(contract: LogContract, line: Line) -> bool:
    """Whether this is the line of a retry, and can be told from others."""
    return bool(contract.retry) and found_in(line, contract.retry) is not None


def found_in(line: Line, pattern: str | None) -> re.Match[str] | None:
    """Where a pattern is found; a text that a server has broken in two is still one text."""
    return re.search(pattern or "", line.text, re.DOTALL)


def check(
    said: Sequence[Line], trace: Trace, contract: LogContract, pairs: Sequence[Pair]
) -> Iterator[Finding]:
    """What is wrong with the lines of the retries.

    Args:
        said: The client's own lines.
        trace: The attempts, to be shown. The server has to have seen all of them: an attempt
            that was refused a connection has a line, and no place here.
        contract: What is claimed.
        pairs: Each failed attempt with the one that repeats it, in order.
    """
    if contract.retry is None:
        return
    if contract.retry:
        told = [line for line in said if is_retry(contract, line)]
    else:  # Any line of the level will do.
        told = [line for line in said if line.level == contract.retry_level]
    of_each = _matched(told, pairs)
    for place, (pair, lines) in enumerate(zip(pairs, of_each, strict=True)):
        which = f"retry {place + 1} (attempt {pair[1].number})"
        if not lines:
            what = f"{which} was not logged, wanted {_wanted(contract)}"
            yield Finding("retry-not-logged", what, words.evidence(trace, said))
        elif wrong := _wrong(lines, place, pairs, contract):
            proof = words.evidence(trace, said, lines)
            yield Finding("retry-logged-wrong", f"{which} {wrong}", proof)
    spare = [
        line
        for line in told
        if line.level == contract.retry_level and not any(line in lines for lines in of_each)
    ]
    if spare and contract.retry and any(attempt.failed for attempt in trace):
        what = f"{words.quoted(spare[0])} was logged, and no retry came of it"
        yield Finding("retry-logged-wrong", what, words.evidence(trace, said, spare))


def _matched(told: Sequence[Line], pairs: Sequence[Pair]) -> list[list[Line]]:
    """The lines of each retry: by the attempt they are about, or else by their order.

    A line may be said before the wait, and is then about the attempt that failed, or after
    it, and is then about the one that comes; a client does either, and always the same.
    """
    ways = [_about([failed.number for failed, _ in pairs], told)]
    ways.append(_about([retry.number for _, retry in pairs], told))
    if any(line.attempt is None for line in told):
        ways.append([[line] for line in told[: len(pairs)]] + [[]] * (len(pairs) - len(told)))
    return max(ways, key=lambda way: sum(map(bool, way)))


def _about(numbers: Sequence[int], told: Sequence[Line]) -> list[list[Line]]:
    return [[line for line in told if line.attempt == number] for number in numbers]


def _wrong(
    lines: Sequence[Line], place: int, pairs: Sequence[Pair], contract: LogContract
) -> str | None:
    """What is wrong with the lines of this retry, in words."""
    # Another level may have something to say of it, too.
    lines = [line for line in lines if line.level == contract.retry_level] or lines
    if contract.retry and len(lines) > 1:
        return f"was logged {len(lines)} times, wanted once"
    wrong = [_wrong_line(line, place, pairs, contract) for line in lines]
    return None if None in wrong else wrong[0]


def _wrong_line(line: Line, place: int, pairs: Sequence[Pair], contract: LogContract) -> str | None:
    if line.level != contract.retry_level:
        return f"was logged at {line.level_name}, wanted {_name(contract.retry_level)}"
    if contract.attempt == contract.delay == ANYWHERE:
        return _wrong_numbers(line, place, pairs, contract)
    return _wrong_attempt(line, place, pairs, contract) or _wrong_delay(
        line, place, pairs, contract
    )


def _wrong_numbers(
    line: Line, place: int, pairs: Sequence[Pair], contract: LogContract
) -> str | None:
    """Both numbers stand anywhere, and one cannot be both."""
    allowed = _allowed(place, pairs, contract)
    real = Decimal(wait(*pairs[place])) / SECOND
    found = numbers(line, ANYWHERE, contract)
    counted = {at for at, said in enumerate(found) if said.number in allowed}
    right = {at for at, said in enumerate(found) if said.least <= real <= said.most}
    if counted and right and len(counted | right) > 1:
        return None
    said = " and ".join(str(one.number) for one in found) or "no number"
    return f"was logged with {said}, wanted attempt {_or(allowed)} and delay {float(real):.3f}"


def _wrong_attempt(
    line: Line, place: int, pairs: Sequence[Pair], contract: LogContract
) -> str | None:
    if contract.attempt is None:
        return None
    allowed = _allowed(place, pairs, contract)
    found = numbers(line, contract.attempt, contract)
    if any(said.number in allowed for said in found):
        return None
    return f"was logged {_without(found, 'attempt')}, wanted {_or(allowed)}"


def _or(numbers: set[Decimal]) -> str:
    return " or ".join(str(number) for number in sorted(numbers))


def _allowed(place: int, pairs: Sequence[Pair], contract: LogContract) -> set[Decimal]:
    """A client counts the attempts of its call, or those of each request in it."""
    plus = 1 if contract.counts == "failed" else 2
    same = [pair for pair in pairs[:place] if _request(pair) == _request(pairs[place])]
    return {Decimal(place + plus), Decimal(len(same) + plus)}


def _wrong_delay(
    line: Line, place: int, pairs: Sequence[Pair], contract: LogContract
) -> str | None:
    if contract.delay is None:
        return None
    real = Decimal(wait(*pairs[place])) / SECOND
    found = numbers(line, contract.delay, contract)
    if any(said.least <= real <= said.most for said in found):
        return None
    return f"was logged {_without(found, 'delay')}, and came after {float(real):.3f} s"


def _without(found: Sequence[Said], what: str) -> str:
    if len(found) == 1:
        return f"with {what} {found[0].number}"
    return f"without its {what}"


def _request(pair: Pair) -> tuple[str, str]:
    return pair[0].method, pair[0].target


def _wanted(contract: LogContract) -> str:
    name = "" if contract.logger is None else f" of {contract.logger}"
    pattern = f" that matches {contract.retry!r}" if contract.retry else ""
    return f"{_name(contract.retry_level)}{name}{pattern}"


def _name(level: int | str) -> str:
    return str(logging.getLevelName(level))


# Numbers in lines


class Said(NamedTuple):
    """A number in a line, and from where to where what is meant by it may be."""

    number: Decimal
    least: Decimal
    most: Decimal


def numbers(line: Line, place: str, contract: LogContract) -> list[Said]:
    """The numbers that stand at this place of a line.

    What is printed with digits may be half of the last one off; what is printed without any
    may have been rounded, or cut.
    """
    return [found for value in _values(line, place, contract) if (found := _number(value))]


def _values(line: Line, place: str, contract: LogContract) -> list[object]:
    if place == ANYWHERE:
        return [*NUMBER.findall(line.text), *line.fields.values()]
    if place in contract.groups:
        match = found_in(line, contract.retry)
        return [match.group(place)] if match else []
    return [line.fields[place]] if place in line.fields else []


def _number(value: object) -> Said | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        return None  # An infinity is no number of seconds.
    if exponent < 0:
        half = Decimal(5).scaleb(exponent - 1)
        return Said(number, number - half, number + half)
    if isinstance(value, str):
        return Said(number, number - Decimal("0.5"), number + Decimal("0.999999999"))
    return Said(number, number, number)
