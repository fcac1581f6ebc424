"""Two real clients go through outages on real sockets: ``make demo``.

Every attempt below is an HTTP request over TCP to a server on loopback, and every wait is
the client's own ``time.sleep`` or socket timeout. Only the time is virtual; with ``--real``
it is not, and you wait.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "gds_vault"), str(HERE / "tweet_generator")]

from gds_vault import VaultClient, VaultError  # noqa: E402
from gemini_errors import GeminiError  # noqa: E402
from logging_config import close_logging, setup_logging  # noqa: E402
from main import generate_tweet  # noqa: E402

from pytest_resilience import (  # noqa: E402
    Attempt,
    FakeServer,
    FaultLike,
    RealClock,
    VirtualClock,
    current_clock,
    faults,
)
from pytest_resilience_gemini import Gemini  # noqa: E402
from pytest_resilience_vault import Vault  # noqa: E402

PASSWORD = "s3cr3t-of-the-demo"  # noqa: S105 -- stored in a fake, looked for in the log
CLIENTS = ("gds_vault", "tweet_generator", "retry_handler", "main", "gemini_client")
WIDTH = 170
SHOWN_FIELDS = ("status_code", "attempt", "max_attempts", "delay_seconds", "final_attempt")

REAL = RealClock()


class LogTap(logging.Handler):
    """Keeps what the clients log, with the time at which they did."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[tuple[float, int, str]] = []
        self.everything: list[str] = []
        self.origin = 0.0
        self.server: FakeServer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record: all of it for the search for secrets, the clients' for the eye."""
        text = readable(record)
        self.everything.append(f"{text} {record.msg!r} {record.args!r}")
        if record.name.partition(".")[0] in CLIENTS and record.levelno >= logging.INFO:
            when = current_clock().monotonic() - self.origin
            attempts = len(self.server.trace) if self.server else 0
            self.lines.append((when, attempts, f"{record.levelname:<7} {text}"))


def readable(record: logging.LogRecord) -> str:
    """A line for a person: structlog's events arrive as dictionaries."""
    if not isinstance(record.msg, dict):
        return record.getMessage()
    fields = [f"{k}={record.msg[k]}" for k in SHOWN_FIELDS if k in record.msg]
    return "  ".join([str(record.msg["event"]), *fields])


class Demo:
    """Shows each act's timeline and keeps account of what it has proven."""

    def __init__(self, tap: LogTap, *, virtual: bool) -> None:
        self.tap = tap
        self.virtual = virtual
        self.proven: list[str] = []
        self.refuted: list[str] = []
        self.outcome = ""

    def claim(self, text: str, *, holds: bool) -> None:
        """Note whether something that we say is true."""
        (self.proven if holds else self.refuted).append(text)

    def about(self, waits: list[float], wanted: list[float]) -> bool:
        """Exactly so in virtual time; in real time a sleep may be late by a moment."""
        if self.virtual:
            return waits == wanted
        pairs = zip(waits, wanted, strict=False)
        return len(waits) == len(wanted) and all(0 <= w - x < 0.5 for w, x in pairs)

    @contextmanager
    def act(
        self, title: str, server: FakeServer, *planned: FaultLike, times: int = 1
    ) -> Iterator[None]:
        """One call through one outage, and its timeline."""
        server.new_trace()
        rule = server.fail(*planned, times=times)
        self.tap.lines.clear()
        self.tap.server = server
        clock = current_clock()
        self.tap.origin = clock.monotonic()
        print(f"\n  {title}")
        print(f"    planned: {rule}")
        self.outcome = ""
        started = REAL.monotonic()
        yield
        self._show(server)
        if self.outcome:
            print(f"    the caller got {self.outcome}")
        took = clock.monotonic() - self.tap.origin
        real = (REAL.monotonic() - started) * 1000
        print(f"    {took:g} s on the client's clock, {real:.0f} ms on yours")
        self.claim(f"{title}: every planned fault was met", holds=not server.plan.unmet)

    def failure_of(self, call: Callable[[], object], kind: type[Exception]) -> Exception | None:
        """What a call that must fail raised; it is shown below the timeline."""
        try:
            call()
        except kind as error:
            self.outcome = f"{type(error).__name__}: {error}"
            return error
        return None

    def _show(self, server: FakeServer) -> None:
        """Attempts, their ends and log lines in the order in which they happened."""
        events = [(when, after, 2, f"    {text}") for when, after, text in self.tap.lines]
        before: dict[str, Attempt] = {}
        for attempt in server.trace:
            events.append((attempt.at, attempt.number, 0, describe(attempt, before)))
            before[attempt.target] = attempt
            if attempt.ended is not None and attempt.ended > attempt.at:
                end = f"attempt {attempt.number}: {ending(attempt)}"
                events.append((attempt.ended, attempt.number, 1, end))
        for when, _, _, text in sorted(events):
            print(f"    t={when:6.3f}  {text if len(text) < WIDTH else text[: WIDTH - 3] + '...'}")


def describe(attempt: Attempt, before: dict[str, Attempt]) -> str:
    """An attempt as it begins, and the wait before it."""
    last = before.get(attempt.target)
    wait = attempt.at - last.ended if last is not None and last.ended is not None else None
    waited = f"  after a wait of {wait:g} s" if wait is not None else ""
    answer = f"-> {attempt.status}" if attempt.status else "-> no answer"
    more = f"  Retry-After: {attempt.retry_after}" if attempt.retry_after else ""
    fault = f"  [{attempt.fault}]" if attempt.fault else ""
    return (
        f"attempt {attempt.number}: {attempt.method} {attempt.path}  {answer}{more}{fault}{waited}"
    )


def ending(attempt: Attempt) -> str:
    """How an attempt that took time ended."""
    assert attempt.ended is not None
    words = {"gone": "the client gave up", "cut": "cut by the server", "answered": "answered"}
    return f"{words[attempt.outcome.value]} after {attempt.ended - attempt.at:g} s"


def vault_acts(demo: Demo, vault: Vault) -> None:
    """The Vault client: 4 attempts an operation, waits of 1, 2 and 4 s."""
    vault.put("secret/myapp", {"password": PASSWORD})
    client = VaultClient()

    with demo.act("Vault answers 503 three times while the client logs in", vault, 503, times=3):
        client.authenticate()
    waits = vault.trace.waits
    demo.claim(
        "the Vault client waited 1, 2 and 4 s between its attempts, and logged in",
        holds=demo.about(waits, [1, 2, 4]),
    )

    ordeal = (faults.status(429, retry_after=3), faults.timeout(), faults.reset_peer())
    title = "a 429 whose Retry-After the client's document overrules, a hanging connection, a reset"
    with demo.act(title, vault, *ordeal):
        secret = client.get_secret("secret/data/myapp")
    demo.claim(
        "it got the secret through a 429, a hang of 10 s and a reset",
        holds=secret == {"password": PASSWORD},
    )
    demo.claim(
        "again with waits of 1, 2 and 4 s, the timeout not counted",
        holds=demo.about(vault.trace.to("GET", "/v1/secret/*").waits, [1, 2, 4]),
    )

    client.clear_cache()
    with demo.act("Vault stays down: four 503s", vault, 503, times=4):
        error = demo.failure_of(lambda: client.get_secret("secret/data/myapp"), VaultError)
    demo.claim(
        "it gave up after 4 attempts with a VaultError that has its cause",
        holds=len(vault.trace) == 4 and error is not None and bool(error.__cause__),
    )

    with demo.act("a 403 is not an outage", vault, "permission_denied"):
        demo.failure_of(lambda: client.get_secret("secret/data/other"), VaultError)
    demo.claim(
        "it did not repeat a request that was forbidden",
        holds=len(vault.trace) == 1,
    )


def gemini_acts(demo: Demo, gemini: Gemini) -> None:
    """The tweet generator: 3 attempts, waits of 1 and 2 s, no retry of a 429."""
    gemini.say("Retries are a promise. Keep it in tests.")

    with demo.act("Gemini is overloaded twice", gemini, "overloaded", times=2):
        tweet = generate_tweet("retries")
    demo.claim(
        "the tweet generator waited 1 and 2 s, and wrote its tweet",
        holds=demo.about(gemini.trace.waits, [1, 2]) and "promise" in tweet,
    )

    broken = (faults.timeout(), faults.reset_peer("body"))
    with demo.act("a hanging connection, then a reset within the answer", gemini, *broken):
        generate_tweet("timeouts")
    demo.claim(
        "it rode out a hang of 30 s and a reset, with waits of 1 and 2 s",
        holds=demo.about(gemini.trace.waits, [1, 2]),
    )

    limited = faults.status(429, retry_after=5)
    with demo.act("a 429 with Retry-After, not to be retried by its document", gemini, limited):
        error = demo.failure_of(lambda: generate_tweet("quotas"), GeminiError)
    demo.claim(
        "it made one attempt at a 429, and said why it failed",
        holds=len(gemini.trace) == 1 and "429" in str(error),
    )


def look_for_secrets(demo: Demo, secrets: dict[str, str]) -> None:
    """Nothing that was logged, at DEBUG and by any library, may show a secret."""
    heap = "\n".join(demo.tap.everything)
    leaked = [name for name, secret in secrets.items() if secret in heap]
    demo.claim(
        f"{', '.join(secrets)}: none is in any of the {len(demo.tap.everything)} log records"
        + (f" (leaked: {', '.join(leaked)})" if leaked else ""),
        holds=not leaked,
    )


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """The environment that points the clients at the fakes."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def main() -> int:
    """Run every act; 0 when all that is claimed held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", action="store_true", help="wait for real: about a minute")
    virtual = not parser.parse_args().real
    tap = LogTap()
    demo = Demo(tap, virtual=virtual)
    with tempfile.TemporaryDirectory() as folder, Vault() as vault, Gemini() as gemini:
        setup_logging("DEBUG", Path(folder, "tweets.log"))
        quiet_console()
        logging.getLogger().addHandler(tap)
        environment = {**vault.environment, **gemini.environment}
        with variables(environment), VirtualClock() if virtual else nullcontext():
            print("The Vault client (examples/gds_vault)")
            vault_acts(demo, vault)
            print("\nThe tweet generator (examples/tweet_generator)")
            gemini_acts(demo, gemini)
        secrets = {
            "the role's secret_id": vault.secret_id,
            "the root token": vault.root_token,
            "the Vault password": PASSWORD,
            "the Gemini key": gemini.api_key,
        }
        look_for_secrets(demo, secrets)
        close_logging()
    return verdict(demo)


def quiet_console() -> None:
    """The timeline shows the log; its lines need not come twice."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)


def verdict(demo: Demo) -> int:
    """Say what was proven, and what was not."""
    print("\nProven:")
    for text in demo.proven:
        print(f"  + {text}")
    for text in demo.refuted:
        print(f"  - NOT TRUE: {text}")
    return 1 if demo.refuted else 0


if __name__ == "__main__":
    sys.exit(main())
