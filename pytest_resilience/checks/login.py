"""Tokens: kept when they are refused, asked for too often, or sent to somebody else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import cast

from pytest_resilience.checks.credentials import is_login, logins, pairs, told
from pytest_resilience.checks.finding import Finding
from pytest_resilience.checks.observation import Call, Observation
from pytest_resilience.policy.policy import RetryPolicy
from pytest_resilience.records import Attempt, Trace
from pytest_resilience.secrets.value import Secret

__all__ = [
    "each_time",
    "forbidden",
    "keeps_token",
    "once",
    "refused",
    "renewed",
    "sent_elsewhere",
    "used",
]

ENOUGH = 2
"""A login, and one more because of a refused token."""

LIMIT = re.compile(rb'(?:expir|ttl|lease|max[-_]?age|uses)\w*"?[:=]\s*"?(\d{1,15})', re.IGNORECASE)
SHORT = 600
"""Seconds, or uses. Who is given a token for less may rightly take it for no good any more."""
GOODBYE = re.compile(r"(log|sign)[-_]?(out|off)|revoke", re.IGNORECASE)


def keeps_token(call: Call, policy: RetryPolicy) -> bool:
    """Whether a call used a token of an earlier call."""
    return bool(call.trace) and not logins(call.trace, policy)


def renewed(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Calls with a token that was refused, and the call after them; one of them logs in."""
    if not seen.facts["kept"] or not seen.calls[1].trace:
        return
    after = [attempt for call in seen.calls[1:] for attempt in call.trace]
    if not logins(after, policy):
        refused = {a.number: "token refused" for a in after if a.status in (401, 403)}
        sentence = f"its token was refused with {seen.facts['refusal']}, and it did not log in"
        yield Finding("stale-token-kept", sentence, seen.evidence(marks=refused))


def used(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Who logs in again goes on with what he is given."""
    answers = cast("list[bytes]", seen.facts["answers"])
    first, *later = seen.calls
    old = _shown(first.trace, policy)
    # A server that gives the same token to everybody tells nothing.
    if not old or b"" in answers or len(set(answers)) < len(answers):
        return
    if _given(old, answers):
        return
    again = any(_goes_on_with(old, call, policy) for call in later)
    if again or all(_shown(call.trace, policy) == old for call in later):
        after = [attempt for call in later for attempt in call.trace]
        marks = {
            a.number: "the old token"
            for a in after
            if not is_login(a, policy) and _shown([a], policy) == old
        }
        sentence = "it logged in again, and went on with the token that had been refused"
        yield Finding("stale-token-kept", sentence, seen.evidence(marks=marks))


def _goes_on_with(old: set[tuple[str, str]], call: Call, policy: RetryPolicy) -> bool:
    """Whether what it asks behind a login, in the same call, still shows what was refused."""
    made = logins(call.trace, policy)
    after = [attempt for attempt in call.trace if made and attempt.number > made[-1].number]
    return bool(after) and _shown(after, policy) == old


def _given(credentials: set[tuple[str, str]], answers: Sequence[bytes]) -> bool:
    """Whether one of them was in an answer to a login."""
    return any(
        value.split()[-1].encode() in answer for _, value in credentials for answer in answers
    )


def _shown(trace: Sequence[Attempt], policy: RetryPolicy) -> set[tuple[str, str]]:
    """The credentials of all requests but logins."""
    return {pair for a in trace if not is_login(a, policy) for pair in pairs(a) if pair[1].strip()}


def once(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Callers who share a token that is of no use any more log in as often as one of them."""
    crowd = seen.call.trace
    made, alone = logins(crowd, policy), seen.number("alone")
    if not seen.facts["shared"] or not 0 < alone < len(made):
        return
    before = {pair for call in seen.calls if call.trace != crowd for pair in _of(call, policy)}
    if not _of(seen.call, policy) - before:
        return  # A server that gives the same token to everybody: nobody can see that it is new.
    callers = sum(call.trace == crowd for call in seen.calls)
    sentence = f"{callers} callers who share a token logged in {len(made)} times for a new one"
    marks = {attempt.number: f"login {place + 1}" for place, attempt in enumerate(made)}
    yield Finding("login-storm", sentence, seen.evidence(crowd, marks=marks))


def _of(call: Call, policy: RetryPolicy) -> set[tuple[str, str]]:
    return _shown(call.trace, policy)


def each_time(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Two calls in a row: who keeps its connections lives on, and could keep its token.

    One that is made anew for each call has to log in each time.
    """
    answers = cast("list[bytes]", seen.facts["answers"])
    short = any(0 < int(told) < SHORT for answer in answers for told in LIMIT.findall(answer))
    if short or any(a.status is None or a.status >= 400 or _ends(a) for a in seen.trace):
        return
    made = logins(seen.trace, policy)
    for first, second in itertools.pairwise(made):
        before = [a for a in seen.trace if a.number < second.number]
        between = _shown([a for a in before if a.number > first.number], policy)
        after = [a for a in seen.trace if a.number > second.number]
        lives = {a.connection for a in before} & {a.connection for a in (second, *after)}
        new = _shown(after, policy) - between if between else set()
        if lives and _asks(first) == _asks(second) and _given(new, answers):
            marks = {first.number: "login", second.number: "login again"}
            sentence = "it logged in again while its token was good, over a connection that it kept"
            yield Finding("login-storm", sentence, seen.evidence(marks=marks))
            return


def _asks(attempt: Attempt) -> tuple[object, ...]:
    """What it says to log in."""
    return attempt.method, attempt.target, attempt.body, pairs(attempt)


def _ends(attempt: Attempt) -> bool:
    """Whether it gives its token back."""
    return attempt.method == "DELETE" or bool(GOODBYE.search(attempt.path))


def refused(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Every token is refused: one more login may help, ten do not."""
    made = logins(seen.call.trace, policy)
    good = [attempt for attempt in made if not attempt.failed]
    allowed = ENOUGH if good else policy.limit or ENOUGH
    if len(made) > allowed:
        sentence = f"it logged in {len(made)} times in one call while its tokens were refused"
        marks = {attempt.number: f"login {place + 1}" for place, attempt in enumerate(made)}
        yield Finding("login-storm", sentence, seen.evidence(marks=marks))


def forbidden(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """A 403 says that this user may not do this, and a new token is the same user's."""
    usual = len(logins(seen.calls[0].trace, policy))
    made = logins(seen.call.trace, policy)
    if len(made) > usual:
        sentence = "it logged in again after a 403"
        marks = {attempt.number: "login" for attempt in made}
        yield Finding("login-on-403", sentence, seen.evidence(marks=marks))


def sent_elsewhere(seen: Observation, policy: RetryPolicy) -> Iterator[Finding]:
    """Nothing that was secret at the origin arrives at the server it redirected to."""
    elsewhere = cast("Trace", seen.facts["elsewhere"])
    names = [name for name in _leaked(seen.trace, elsewhere) if name != seen.facts["allowed"]]
    named = cast("Sequence[Secret]", seen.facts["named"])
    names += sorted({label for attempt in elsewhere for label in told(attempt, named)})
    if names:
        what = ", ".join(names)
        sentence = f"a redirect to another origin was followed with {what}"
        table = elsewhere.table().splitlines()
        yield Finding(
            "credentials-sent-elsewhere", sentence, (*seen.evidence(), "the other origin:", *table)
        )


def _leaked(here: Sequence[Attempt], there: Sequence[Attempt]) -> list[str]:
    """The names of what both servers were told."""
    told = {pair for attempt in here for pair in pairs(attempt)}
    also = {pair for attempt in there for pair in pairs(attempt)}
    return sorted({name for name, _ in told & also})
