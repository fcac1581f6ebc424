"""What `serve` keeps in mind for its lines, and where they go."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable
from typing import Any

import pytest

from pytest_resilience import Attempt, Outcome, Plan
from pytest_resilience.cli._lines import LOOKS, MOST_ROWS, MOST_TARGETS, Lines, Open, Output, Waits

SECOND = 1_000_000_000


def attempt(number: int, at: int, *, target: str = "/", status: int | None = 503) -> Attempt:
    """One that began at a second and ended half a second later."""
    return Attempt(
        number,
        at * SECOND,
        connection=number,
        reused=False,
        method="GET",
        target=target,
        head=b"",
        status=status,
        ended_ns=at * SECOND + SECOND // 2,
        outcome=Outcome.ANSWERED,
    )


def open_at_first(ended: Attempt) -> Attempt:
    """The attempt while it hung."""
    return dataclasses.replace(ended, outcome=Outcome.PENDING, status=None, ended_ns=None)


def before(waits: Waits, retry: Attempt) -> float | None:
    """The wait that the line of this attempt would tell of."""
    entry = Open(retry)
    entry.repeats = waits.repeated(retry)
    return entry.wait


def test_a_wait_runs_from_the_end_of_a_failure_to_its_repetition() -> None:
    """As in the trace: the oldest failure that has not been repeated comes first."""
    waits = Waits()
    for number in (1, 2):
        waits.remember(attempt(number, number))

    assert before(waits, attempt(3, 5)) == 3.5
    assert before(waits, attempt(4, 5)) == 2.5
    assert before(waits, attempt(5, 5)) is None


def test_an_answered_attempt_and_another_target_are_not_repeated() -> None:
    """Only a failure is repeated, and only by the same method and target."""
    waits = Waits()
    waits.remember(attempt(1, 1, status=200))
    waits.remember(attempt(2, 2, target="/other"))

    assert before(waits, attempt(3, 5)) is None


def test_a_newer_state_replaces_the_older_one() -> None:
    """An attempt that was shown while it hung ends later."""
    waits = Waits()
    waits.remember(attempt(1, 1))
    waits.remember(attempt(1, 3))

    assert before(waits, attempt(2, 5)) == 1.5
    assert before(waits, attempt(3, 5)) is None


def test_what_was_open_is_repeated_by_nobody_once_it_is_answered() -> None:
    """Only while it was open it was taken for a failure."""
    waits = Waits()
    waits.remember(open_at_first(attempt(1, 1)))
    waits.remember(attempt(1, 1, status=200))

    assert before(waits, attempt(2, 5)) is None


def test_what_was_repeated_while_it_was_open_is_not_repeated_again() -> None:
    """Whatever it ends with: as in the trace."""
    waits = Waits()
    waits.remember(open_at_first(attempt(1, 1)))

    assert before(waits, attempt(2, 1, status=200)) == 0.0
    waits.remember(attempt(1, 1))
    assert before(waits, attempt(3, 5)) is None


def test_an_older_number_is_never_a_repetition() -> None:
    """Lines come in the order of the ends, so a later attempt may be known before."""
    waits = Waits()
    waits.remember(attempt(2, 1))

    assert before(waits, attempt(1, 5)) is None


def test_what_was_never_read_repeats_what_came_before_and_is_repeated_by_what_follows() -> None:
    """As in the trace."""
    unread = dataclasses.replace(attempt(2, 2, target=""), method="", fault="never_read")
    waits = Waits()
    waits.remember(attempt(1, 1))

    assert before(waits, unread) == 0.5
    waits.remember(unread)
    assert before(waits, attempt(3, 4)) == 1.5
    assert before(waits, attempt(4, 5)) is None
    waits.remember(dataclasses.replace(unread, number=5))
    assert before(waits, attempt(9, 6)) is None


def test_memory_is_bounded() -> None:
    """A server that runs for days forgets the oldest targets and failures."""
    waits = Waits()
    for number in range(1, MOST_TARGETS + 2):
        waits.remember(attempt(number, 1, target=f"/{number}"))
    for number in range(1, MOST_TARGETS + 2):
        waits.remember(attempt(number, number, target="/same"))

    assert before(waits, attempt(5_000, 1, target="/1")) is None
    assert before(waits, attempt(5_000, 2_000, target="/same")) == 1_997.5


def test_a_second_word_about_an_end_is_no_second_line() -> None:
    """The last bytes of an answer may go out after its end was recorded."""
    pending = dataclasses.replace(attempt(1, 0), outcome=Outcome.PENDING, status=None)
    ended = attempt(1, 0, status=200)

    assert written(pending, pending, ended, ended) == [
        "  1  t=0.000  GET /  200",
        "",
        "1 attempt: 200 x1",
    ]


def written(
    *news: Attempt, mask: Callable[[str], str] = str, plan: Plan | None = None
) -> list[str]:
    """What is written of these."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader:
        with os.fdopen(writing, "w") as writer:
            lines = Lines(Output(writer), quiet=False, mask=mask)
            for item in news:
                lines.put(item)
            lines.start()
            lines.stop(plan or Plan(seed=1))
            lines._thread.join()
        return reader.read().splitlines()


def test_lines_are_whole_and_show_control_characters() -> None:
    """What a client sends cannot move a terminal's cursor."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as writer:
        Output(writer).line("a\x1b[2Jb\nc\u00e9\udc80")

        assert os.read(reader.fileno(), 100) == b"a\\x1b[2Jb\\nc\xc3\xa9\\udc80\n"


def test_without_a_stream_nothing_is_written() -> None:
    """No stdout, or one in memory, is no reason to fail."""
    Output(None).line("nobody")
    Output(io.StringIO()).line("nobody")


def test_only_what_hangs_for_a_while_is_shown_before_its_end() -> None:
    """An attempt that has just begun is left alone until it is due."""
    read, write = os.pipe()
    writer = os.fdopen(write, "w")
    lines = Lines(Output(writer), quiet=False)
    for number in (1, 2):
        ended = attempt(number, number, status=None)
        lines._begin(open_at_first(ended))
    lines._open[1].due = 0.0

    lines._show_hanging()
    writer.close()

    assert [entry.shown for entry in lines._open.values()] == [True, False]
    os.close(read)


@pytest.mark.parametrize(
    ("first", "told"), [(200, ""), (503, "  after a wait of 0.000 s")], ids=["answered", "failed"]
)
def test_what_was_open_and_then_answered_has_not_been_repeated(first: int, told: str) -> None:
    """Two like requests at once, and another: the end of the second says what the trace says."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader:
        with os.fdopen(writing, "w") as writer:
            lines = Lines(Output(writer), quiet=False)
            ended = [attempt(1, 0, status=first), attempt(2, 0, status=200)]
            ended.append(attempt(3, 0, status=200, target="/other"))
            for one in ended:
                lines._begin(open_at_first(one))
                lines._open[one.connection].due = 0.0
            lines._show_hanging()
            for one in ended:
                lines._take(one)
            lines._write_rows()
        shown = reader.read().splitlines()

    assert shown[3:] == [
        f"  1  t=0.000  GET /  {first}",
        f"  2  t=0.000  GET /  200{told}",
        "  3  t=0.000  GET /other  200",
    ]


def test_secrets_are_looked_for_in_all_lines_that_come_together() -> None:
    """In the whole of each line; line by line only when there are any."""
    asked: list[str] = []

    def mask(text: str) -> str:
        asked.append(text)
        return text.replace("s3cr3t", "<a password>")

    def news(*targets: str, **changes: Any) -> list[Attempt]:
        ended = [attempt(n, n, target=target) for n, target in enumerate(targets, 1)]
        ended = [dataclasses.replace(one, **changes) for one in ended]
        begun = [dataclasses.replace(one, outcome=Outcome.PENDING) for one in ended]
        return [one for pair in zip(begun, ended, strict=True) for one in pair]

    assert written(*news("/a", "/s3cr3t"), mask=mask)[:2] == [
        "  1  t=1.000  GET /a  503",
        "  2  t=2.000  GET /<a password>  503",
    ]
    assert len(asked) == 3

    assert len(written(*news("/a", "/b", "/c"), mask=mask)) == 5
    assert len(asked) == 4

    assert written(*news("/", note="raised 's3cr3t'"), mask=mask)[0].endswith(
        "(raised '<a password>')"
    )


def test_many_lines_are_not_kept_back() -> None:
    """Under load that never ends, lines are written all the same."""
    begun = dataclasses.replace(attempt(1, 0), outcome=Outcome.PENDING)
    sizes: list[int] = []

    def mask(text: str) -> str:
        sizes.append(text.count("\n") + 1)
        return text

    lines = written(*[begun, attempt(1, 0)] * (MOST_ROWS + 1), mask=mask)

    assert len(lines) == MOST_ROWS + 3
    assert sizes == [MOST_ROWS, 1]


class SlowThread:
    """Writes a line whenever it is waited for, and three in all."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.waited = 0

    def is_alive(self) -> bool:
        """It never ends."""
        return True

    def join(self, timeout: float) -> None:
        """Wait."""
        self.waited += 1
        self.lines._written += self.waited <= 3


def test_the_end_waits_for_as_long_as_lines_are_taken() -> None:
    """Many lines with secrets take long; a reader who takes none more is not waited for."""
    lines = Lines(Output(None), quiet=False)
    thread = SlowThread(lines)
    lines._thread = thread  # type: ignore[assignment]  # one that takes no time

    lines.stop(Plan(seed=0))

    assert thread.waited == 3 + LOOKS


def test_a_secret_in_a_rule_is_masked_in_the_summary() -> None:
    """It may be the header or the path that the rule is for."""
    plan = Plan(seed=0)
    plan.add(503, path="/lookup/hvs.0123456789")

    lines = written(plan=plan, mask=lambda text: text.replace("hvs.0123456789", "<a token>"))

    assert lines[-1] == "unmet: status 503 on /lookup/<a token>: met 0 of 1 times"
