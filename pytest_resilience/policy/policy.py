"""`RetryPolicy`: what a client claims about its retries. What is not claimed is None."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_resilience.errors import tells_all as __tracebackhide__  # noqa: F401 -- pytest's
from pytest_resilience.policy import _check
from pytest_resilience.policy.backoff import Backoff, Jitter, Range
from pytest_resilience.policy.breaker import Breaker
from pytest_resilience.policy.logs import LogContract

__all__ = ["FAILURES", "RetryPolicy"]

FAILURES = ("connect", "refused", "read-timeout", "reset", "truncated", "bad-json", "stale")
"""Failures without a status: no connection in time, none at all, silence, a reset, a body that
breaks off, a body that is no JSON, and a kept connection that the server has closed."""

SAME = {"timeout": "read-timeout", "timeouts": "read-timeout", "json": "bad-json"}

TEXTS = {
    "unreadable_retry_after": (r"backoff|raise", "backoff or raise"),
    "idempotency_key": (r"[!#-'*+.^-z|~\dA-Z-]+", "the name of a header, such as Idempotency-Key"),
    "login": (r"[/*?\[].*", "a path, or a glob such as /auth/*"),
}
"""Claims that are texts: their pattern, and what is allowed in words."""

Exceptions: TypeAlias = "type[BaseException] | str | Sequence[type[BaseException] | str]"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What a client claims about its retries.

    ::

        RetryPolicy(attempts=4, backoff=Backoff(1), statuses=[429, "5xx"], timeout=10)

    What is None is not claimed. It is not judged, except where no correct client would do it.

    Args:
        attempts: How often is tried in all, the first one included; FOREVER for no limit.
        backoff: The waits between attempts: a `Backoff`, or the waits in a list.
        jitter: A `Jitter`, or its kind: none, full, equal, additive, proportional, decorrelated.
        deadline: Seconds that a whole call may take, retries and waits included.
        budget: Seconds that all waits of a call may take together.
        statuses: Which are retried, such as ``[429, 503]`` or ``[429, "5xx"]``; all others
            are not. A class of them may hold some of ``never_statuses``.
        never_statuses: Which are never retried.
        failures: Which failures without a status are retried: connect, refused,
            read-timeout, reset, truncated, bad-json, stale.
        never_failures: Which of them are never retried.
        retry_after: Whether an answer's Retry-After takes the place of the backoff. False is
            not held against a client that honours it all the same.
        retry_after_cap: The longest Retry-After that is waited for, in seconds.
        unreadable_retry_after: What one means that is no number and no date: ``"backoff"``
            for the usual wait, ``"raise"`` for no further attempt.
        timeout: Seconds without a byte after which an attempt is given up.
        connect_timeout: Seconds after which connecting is given up.
        total_timeout: Seconds that one attempt may take, however steadily bytes drip.
        methods: Which HTTP methods may be sent again.
        idempotency_key: The header that has the same value in all attempts of a call.
        raises: Which exceptions a caller gets when it has given up: classes, or their names,
            dotted or not. A request that was refused for good may end in others.
        validates: Whether an answer that is not what it should be is an error.
        resends: Whether the transport sends once more by itself, and at once, what met a
            closed connection, as aiohttp does. None allows it.
        never_blocks: Whether the event loop goes on while an async client waits.
        breaker: What its circuit breaker does.
        login: A glob of the paths at which it logs in.
        cache: Seconds for which answers are kept.
        logs: A log contract.
    """

    attempts: float | None = None
    backoff: Backoff | Sequence[float | Range] | None = None
    jitter: Jitter | str | None = None
    deadline: float | None = None
    budget: float | None = None
    statuses: Collection[int | str] | None = None
    never_statuses: Collection[int | str] | None = None
    failures: Collection[str] | None = None
    never_failures: Collection[str] | None = None
    retry_after: bool | None = None
    retry_after_cap: float | None = None
    unreadable_retry_after: str | None = None
    timeout: float | None = None
    connect_timeout: float | None = None
    total_timeout: float | None = None
    methods: Collection[str] | None = None
    idempotency_key: str | None = None
    raises: Exceptions | None = None
    validates: bool | None = None
    resends: bool | None = None
    never_blocks: bool | None = None
    breaker: Breaker | None = None
    login: str | None = None
    cache: float | None = None
    logs: LogContract | None = None

    def __post_init__(self) -> None:
        self._read_waits()
        self._read_retried()
        self._read_times()
        self._read_rest()
        self._refuse_contradictions()

    # Reading

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _read_waits(self) -> None:
        _check.attempts("attempts", self.attempts)
        if self.backoff is not None:
            self._set("backoff", _backoff(self.backoff))
        if isinstance(self.jitter, str):
            self._set("jitter", Jitter(self.jitter))
        elif self.jitter is not None and not isinstance(self.jitter, Jitter):
            _check.refuse("jitter", self.jitter, f"a Jitter, or one of {', '.join(Jitter.KINDS)}")

    def _read_retried(self) -> None:
        given, never = self.statuses, self.never_statuses
        for name in ("statuses", "never_statuses"):
            value = getattr(self, name)
            self._set(name, None if value is None else _statuses(name, value))
        if given is not None and self.statuses is not None and self.never_statuses is not None:
            # A class of statuses gives way to one that is named; two names contradict.
            named = {status for status in given if not isinstance(status, str)}
            left_out = frozenset(self.never_statuses) - named
            rest = frozenset(self.statuses) - left_out
            if self.statuses and not rest:
                wanted = "less than all that statuses says is retried"
                _check.refuse("never_statuses", never, wanted)
            self._set("statuses", rest)
        for name in ("failures", "never_failures"):
            given = getattr(self, name)
            self._set(name, None if given is None else _failures(name, given))

    def _read_times(self) -> None:
        for name in ("deadline", "timeout", "connect_timeout", "total_timeout", "cache"):
            _check.optional_seconds(name, getattr(self, name))
        for name in ("budget", "retry_after_cap"):
            if getattr(self, name) is not None:
                _check.seconds(name, getattr(self, name))

    def _read_rest(self) -> None:
        for name in ("retry_after", "validates", "resends", "never_blocks"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, bool):
                _check.refuse(name, value, "True, False, or None for what is not claimed")
        for name, (pattern, allowed) in TEXTS.items():
            if (value := getattr(self, name)) is not None:
                _check.text(name, value, pattern, allowed)
        if self.methods is not None:
            self._set("methods", _methods(self.methods))
        if self.breaker is not None and not isinstance(self.breaker, Breaker):
            _check.refuse("breaker", self.breaker, "a Breaker")
        if self.logs is not None and not isinstance(self.logs, LogContract):
            _check.refuse("logs", self.logs, "a LogContract")
        if self.raises is not None:
            self._set("raises", _exceptions(self.raises))

    def _refuse_contradictions(self) -> None:
        self._refuse_both()
        self._refuse_other_waits()
        self._refuse_vain_retries()
        if self.retry_after is not True:
            for name in ("retry_after_cap", "unreadable_retry_after"):
                if getattr(self, name) is not None:
                    _check.refuse(name, getattr(self, name), "retry_after=True beside it")
        for name in ("timeout", "connect_timeout"):
            if (value := getattr(self, name)) and self.total_timeout and value > self.total_timeout:
                wanted = f"at most total_timeout, which is {self.total_timeout!r}"
                _check.refuse(name, value, wanted)
        for name in ("timeout", "connect_timeout", "total_timeout"):
            if (value := getattr(self, name)) and self.deadline and value > self.deadline:
                wanted = f"at most deadline, which is {self.deadline!r}"
                _check.refuse(name, value, wanted)

    def _refuse_vain_retries(self) -> None:
        """More than one attempt, and nothing that leads to a second one."""
        times = [(name, getattr(self, name)) for name in ("deadline", "budget")]
        first = None if self.limit == 1 else self.wait_range(1)
        for name, value in times:
            if value is not None and first is not None and first[0] > value:
                wanted = f"at least {first[0]:g}, for so long is the first wait of backoff"
                _check.refuse(name, value, wanted)
        retried = (self.statuses, self.failures, self.retry_after or None)
        if self.limit not in (None, 1) and retried == (frozenset(), frozenset(), None):
            wanted = "1, for statuses and failures say that nothing is retried"
            _check.refuse("attempts", self.attempts, wanted)

    def _refuse_both(self) -> None:
        for name in ("statuses", "failures"):
            wanted, never = getattr(self, name), getattr(self, f"never_{name}")
            both = sorted((wanted or frozenset()) & (never or frozenset()))
            if both:
                _check.refuse(f"never_{name}", both, f"nothing that {name} says is retried")

    def _refuse_other_waits(self) -> None:
        backoff, attempts = self.backoff, self.attempts
        if isinstance(backoff, Backoff) and backoff.waits is not None:
            retries = len(backoff.waits)
            if attempts is None:
                self._set("attempts", retries + 1)
            elif attempts not in (_check.FOREVER, retries + 1):
                wanted = f"{retries + 1}, for backoff has {retries} waits"
                _check.refuse("attempts", attempts, wanted)
        if isinstance(self.jitter, Jitter) and self.jitter.is_random and backoff is None:
            _check.refuse("jitter", str(self.jitter), "a backoff beside it that it is on")

    # Written in other ways

    @classmethod
    def parse(cls, text: str) -> RetryPolicy:
        """A policy in one line.

        ::

            RetryPolicy.parse("4 attempts, waits 1 2 4, retry 429 5xx timeouts, timeout 10")

        Raises:
            PolicyError: A part of it cannot be read, or it contradicts itself.
        """
        from pytest_resilience.policy import line

        return cls(**line.claims_of(text))

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str] | Mapping[str, object]) -> RetryPolicy:
        """A policy from a TOML file, or from a mapping with the same keys.

        Args:
            source: A file with the policy in ``[tool.pytest-resilience.policy]``, in
                ``[policy]``, or all by itself; a folder, for the nearest pyproject.toml in
                it or above that has one; or what has been read already. The keys are the
                arguments of this class, or the policy is text for `parse`.

        Raises:
            PolicyError: It cannot be read, or contradicts itself.
        """
        from pytest_resilience.policy import table

        return table.made_of(source, cls)

    @classmethod
    def from_urllib3(cls, retry: object, **more: Any) -> RetryPolicy:  # noqa: ANN401 -- its own arguments
        """What a ``urllib3.Retry`` says; ``more`` is claimed beside it, or instead.

        Raises:
            PolicyError: A part of it cannot be read as a claim; it is named.
        """
        from pytest_resilience.policy import from_libraries

        return cls(**{**from_libraries.urllib3_claims(retry), **more})

    @classmethod
    def from_tenacity(cls, fn: object, **more: Any) -> RetryPolicy:  # noqa: ANN401 -- the same
        """What a function decorated by ``tenacity.retry`` says, or a ``Retrying``.

        Its attempts and waits are read; what its ``retry=`` predicate retries is yours to
        claim in ``more``.

        Raises:
            PolicyError: A part of it cannot be read as a claim; it is named.
        """
        from pytest_resilience.policy import from_libraries

        return cls(**{**from_libraries.tenacity_claims(fn), **more})

    @classmethod
    def from_stamina(cls, source: object, **more: Any) -> RetryPolicy:  # noqa: ANN401 -- the same
        """What a function decorated by ``stamina.retry`` says, a context, or a caller.

        Raises:
            PolicyError: A part of it cannot be read as a claim; it is named.
        """
        from pytest_resilience.policy import from_libraries

        return cls(**{**from_libraries.stamina_claims(source), **more})

    # What it says

    @property
    def limit(self) -> int | None:
        """How many attempts there are at most; None for no limit, or none that is claimed."""
        return None if self.attempts in (None, _check.FOREVER) else int(self.attempts)

    def retries_status(self, status: int) -> bool | None:
        """Whether it claims to retry this status; None when it does not say."""
        return _says(status, self.statuses, self.never_statuses)

    def retries_failure(self, failure: str) -> bool | None:
        """Whether it claims to retry this failure; None when it does not say."""
        return _says(failure, self.failures, self.never_failures)

    def wait_range(self, retry: int, before: float | None = None) -> Range | None:
        """How long the wait before a retry may be, in seconds; None when it does not say.

        Args:
            retry: 1 for the first retry.
            before: The wait before the one before, for decorrelated jitter.
        """
        if not isinstance(self.backoff, Backoff):
            return None
        wait = self.backoff.range(retry)
        if not isinstance(self.jitter, Jitter):
            return wait
        return self.jitter.range(wait, backoff=self.backoff, before=before)

    @property
    def expected(self) -> tuple[type[BaseException] | str, ...]:
        """The exceptions of `raises`; none when it does not say."""
        return self.raises if isinstance(self.raises, tuple) else ()

    @property
    def is_random(self) -> bool:
        """Whether two clients are claimed to wait differently."""
        return isinstance(self.jitter, Jitter) and self.jitter.is_random

    @property
    def is_exact(self) -> bool:
        """Whether each wait is claimed to the nanosecond."""
        return isinstance(self.backoff, Backoff) and self.backoff.is_exact and not self.is_random


def _backoff(given: object) -> Backoff:
    if isinstance(given, Backoff):
        return given
    if not isinstance(given, tuple | list):
        _check.refuse("backoff", given, "a Backoff, or a list of waits")
    return Backoff.of(*given)


def _says(
    thing: object, wanted: Collection[object] | None, never: Collection[object] | None
) -> bool | None:
    if wanted is not None:
        return thing in wanted
    return False if never is not None and thing in never else None


def _statuses(field: str, given: object) -> frozenset[int]:
    allowed = 'statuses from 100 to 599, or classes of them such as "5xx"'
    if isinstance(given, str | int) or not isinstance(given, Iterable):
        _check.refuse(field, given, f"a list of {allowed}")
    found: set[int] = set()
    for status in given:
        if isinstance(status, str) and re.fullmatch(r"[1-5]xx", status):
            start = int(status[0]) * 100
            found.update(range(start, start + 100))
        elif isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599:
            found.add(int(status))
        else:
            _check.refuse(field, status, allowed)
    return frozenset(found)


def _failures(field: str, given: object) -> frozenset[str]:
    allowed = ", ".join(FAILURES)
    if isinstance(given, str) or not isinstance(given, Iterable):
        _check.refuse(field, given, f"a list of {allowed}")
    found = set()
    for failure in given:
        name = str(failure).lower().replace("_", "-").replace(" ", "-")
        name = SAME.get(name, name)
        if name not in FAILURES:
            _check.refuse(field, failure, allowed)
        found.add(name)
    return frozenset(found)


def _methods(given: object) -> frozenset[str]:
    allowed = 'a list of methods such as ["GET", "PUT"]'
    if isinstance(given, str) or not isinstance(given, Iterable):
        _check.refuse("methods", given, allowed)
    found = set()
    for method in given:
        if not isinstance(method, str) or not method.isalpha():
            _check.refuse("methods", method, allowed)
        found.add(method.upper())
    return frozenset(found)


def _exceptions(given: object) -> tuple[type[BaseException] | str, ...]:
    several = given if isinstance(given, tuple | list) else (given,)
    for one in several:
        is_class = isinstance(one, type) and issubclass(one, BaseException)
        if not is_class:
            allowed = "an exception, or its dotted name, or several"
            _check.text("raises", one, r"[^\W\d]\w*(\.([^\W\d]\w*|<locals>))*", allowed)
    if not several:
        _check.refuse("raises", given, "at least one exception, or None for what is not claimed")
    return tuple(several)
