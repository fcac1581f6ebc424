"""`FakeServer`: any WSGI application on a real socket, with faults and a trace."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pytest_resilience import engine
from pytest_resilience.answers import REASONS, Answer
from pytest_resilience.clock import Clock, current_clock
from pytest_resilience.errors import (
    PlanError,
    ServerError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.faults import Fault, _check
from pytest_resilience.plan import FaultLike, Plan, Rule
from pytest_resilience.records import Attempt, Trace
from pytest_resilience.secrets.value import Secret
from pytest_resilience.server import _options
from pytest_resilience.server._errors import Errors
from pytest_resilience.server._security import Security
from pytest_resilience.server.credentials import Known
from pytest_resilience.server.journal import Journal
from pytest_resilience.server.listener import Listener

if TYPE_CHECKING:
    from ssl import SSLContext

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from pytest_resilience.engine._loop import Loop

MIB = 1024 * 1024
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what a user may have said


def says_ok(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The application of a server that was given none."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"ok": true}']


@lru_cache(maxsize=64)  # A value, and the same few are answered in test after test.
def _error_answer(status: int) -> Answer:
    text = f'{{"message": "{REASONS.get(status, "Unknown")}", "status": {status}}}\n'
    return Answer(status, (("Content-Type", "application/json"),), (text.encode(),))


class FakeServer:
    """A real HTTP server on loopback that serves a WSGI application and fails on demand.

    ::

        with FakeServer(app) as server:
            server.fail(503, times=2)
            requests.get(server.url)

    Args:
        app: Any WSGI application. Without one, every request is answered with 200 and the
            JSON ``{"ok": true}``: enough for a client whose retries matter, not its data.
        host: An address of this machine; ``"::1"`` for IPv6.
        port: 0 for a free one.
        blocking: Run the application in worker threads. False runs it on the server's own
            thread, which is faster; it must then never wait for anything.
        clock: The clock of delays and windows; the clock in force when it is None.
        max_body: Largest request body in bytes; a larger one is answered with 413.
        max_head: Largest request head in bytes; a larger one is answered with 431.
        keep_body: How many bytes of each request's body the trace keeps.
        keep: How many attempts the trace keeps, the newest; None for all.
        seed: Of everything random in the plan; drawn when it is None.
        secrets: Values that the client must not show, by the names that reports call them;
            see `secret`.
        tls: Speak HTTPS: True with a certificate made for this machine, which clients trust
            by `ca_file` (the extra ``tls``), or with a context of your own.

    Raises:
        ServerError: On start, when the port is busy or the address is not ours.
        ResilienceError: ``tls=True`` without the package that makes certificates.
    """

    def __init__(
        self,
        app: WSGIApplication | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        blocking: bool = True,
        clock: Clock | None = None,
        max_body: int = 32 * MIB,
        max_head: int = 64 * 1024,
        keep_body: int = 64 * 1024,
        keep: int | None = None,
        seed: int | None = None,
        secrets: Mapping[str, str] | None = None,
        tls: bool | SSLContext = False,
    ) -> None:
        _options.check(app, host, blocking=blocking, clock=clock, secrets=secrets, tls=tls)
        self._app = app
        self._host = host
        self._port = _check.whole("port", port, 0, 65_535)
        self._own_clock = clock
        self.blocking = blocking and app is not None  # says_ok waits for nothing
        self.max_body = _check.whole("max_body", max_body)
        self.max_head = _check.whole("max_head", max_head, 256)
        self.keep_body = _check.whole("keep_body", keep_body)
        self.journal = Journal(
            None if keep is None else min(_check.whole("keep", keep, 1), sys.maxsize)
        )
        self.plan = Plan(None if seed is None else _check.whole("seed", seed))
        self.control: WSGIApplication | None = None
        """Serves what lies under ``/_resilience/``, unseen by trace and plan."""
        self.errors: list[BaseException] = Errors()
        """What the application, or a predicate of the plan, raised while serving: the first 100."""
        self.renewed: Callable[[], object] | None = None
        """Called when it has started, or started over, or a state was set by way of `control`.

        Its `environment` may be another then.
        """
        self._security = Security(tls)
        self._listener: Listener | None = None
        self._loop: Loop | None = None
        self._known = Known(self, secrets or {})

    # Life

    def start(self) -> Self:
        """Listen. The server answers when this returns.

        Raises:
            ServerError: The port is busy, the address is not ours, or it runs already.
        """
        if self.running:
            raise ServerError(f"{type(self).__name__} runs already, at {self.url}")
        if self._loop is not None:
            self.stop()  # What a blocked thread has left.
        loop = engine.acquire()
        try:
            self._security.begin(self._host)
            before = self._listener
            self._listener = Listener(loop, self, self._host, self._port)
            if before is not None and self.journal:
                self._listener.carry_on(before)
            else:
                self._listener.restart_time()
            self._listener.open()
        except BaseException:
            self._security.end()
            engine.release(loop)
            raise
        self._loop = loop
        self._tell_renewed()
        return self

    def _tell_renewed(self) -> None:
        if self.renewed is not None:
            self.renewed()

    def stop(self) -> None:
        """Close every connection and stop listening; nothing happens when it does not run.

        The trace stays readable.
        """
        loop, self._loop = self._loop, None
        if loop is None or self._listener is None:
            return
        ending: list[Thread] = []
        try:
            ending = loop.between(self._listener.stop)
        finally:
            self._security.end()
            engine.release(loop)
        for thread in ending:
            thread.join()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def reset(self) -> None:
        """The application's state as new; a plain server knows of none."""

    def start_over(self) -> None:
        """Everything as new: an empty trace and plan, and the server is up."""
        self._known.keep()
        self._renew()
        self.new_trace()
        self._tell_renewed()

    def new_trace(self) -> None:
        """An empty trace and plan, and the server is up; what the service stores stays."""
        self.plan.clear()
        self.errors.clear()
        if self._loop is not None and self._listener is not None:
            self._loop.settle()
            self._loop.between(self._listener.begin_anew)
        self.journal.clear()

    def _renew(self) -> None:
        """The state as new; a service whose handlers hold a lock takes it just for this."""
        self.reset()

    # TLS

    @property
    def tls_context(self) -> SSLContext | None:
        """What it speaks TLS with while it runs; None when it speaks plain HTTP."""
        return self._security.context

    @property
    def ca_file(self) -> str:
        """Path of the certificate (PEM) that makes a client trust it, while it runs.

        For ``requests.get(url, verify=server.ca_file)``, ``SSL_CERT_FILE`` and their like.

        Raises:
            ServerError: It was not made with ``tls=True``, or does not run.
        """
        file = self._security.ca_file
        if file is None:
            raise ServerError(
                f"{type(self).__name__} has no ca_file: make it with tls=True, and start it"
            )
        return file

    # Where it is

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._started().address[0]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._started().address[1]

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, without a slash at the end; ``https`` with TLS.

        Of one that listens on every address, the one by which this machine reaches it.
        """
        host = self.host
        host = LOOPBACK.get(host, host)
        host = f"[{host}]" if ":" in host else host
        return f"{self._started().scheme}://{host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The usual environment variables that point a client here; none for a plain server."""
        return {}

    def _started(self) -> Listener:
        if self._listener is None:
            name = type(self).__name__
            raise ServerError(f"{name} has no address yet: use it in a with block, or start() it")
        return self._listener

    @property
    def started_once(self) -> bool:
        """Whether it has an address."""
        return self._listener is not None

    @property
    def running(self) -> bool:
        """Whether it is started, not stopped, and not blocked by a handler of its own.

        It may be `down` all the same.
        """
        return self._loop is not None and not self._loop.given_up

    @property
    def clock(self) -> Clock:
        """The clock of its delays, windows and times."""
        return current_clock() if self._own_clock is None else self._own_clock

    @property
    def now_ns(self) -> int:
        """Nanoseconds since its trace began, as the times of its attempts count."""
        return self._started().now()

    # Down and up

    def down(self, seconds: float | None = None) -> None:
        """Refuse connections from now on; those that are open are reset.

        Args:
            seconds: How long, on the server's clock; until `up` when it is None.
        """
        length = None if seconds is None else _check.seconds("down(seconds)", seconds)
        self._run(lambda: self._started().down(length))

    def up(self) -> None:
        """Listen again, on the same port."""
        self._run(lambda: self._started().up())

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """Down for the length of a with block."""
        self.down()
        try:
            yield
        finally:
            self.up()

    def _run(self, function: Callable[[], object]) -> None:
        if self._loop is None:
            raise ServerError(f"{type(self).__name__} is not running: start() it first")
        self._loop.between(function)

    # The plan

    def fail(
        self,
        *faults: FaultLike,
        times: float | None = None,
        method: str | None = None,
        path: str | None = None,
        header: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        when: Callable[[Attempt], bool] | None = None,
        probability: float | None = None,
        seed: int | None = None,
        between: tuple[float, float] | None = None,
        after: int = 0,
    ) -> Rule:
        """Let coming attempts meet a fault.

        ::

            server.fail(503, times=3)                      # three 503s, then answers
            server.fail(503, 429, faults.reset_peer())     # one after the other
            server.fail(faults.timeout(), path="/v1/*", times=FOREVER)
            server.fail(500, probability=0.3, seed=42)
            server.fail(503, between=(10, 60))             # an outage window

        Rules are asked in the order in which they were written; the first that matches
        and is not used up decides. When all are used up the server answers normally, and
        the trace says so.

        Args:
            faults: A status, a value of ``faults``, OK, or the name of one of the
                service's presets. Several are met in turn, one an attempt.
            times: How often that sequence is gone through: 1 if not said, or for ever
                with ``probability`` or ``between``; ``FOREVER`` says it.
            method: Only requests with this method.
            path: Only paths that this glob matches: ``"/v1/auth/*"``.
            header: Only requests whose headers match these globs.
            body: Only requests whose body has this in it.
            when: Only attempts for which this is true. It runs on the server's thread.
            probability: How likely a matching attempt meets it, 0 to 1.
            seed: Of that probability; otherwise the server's seed, which a failing test
                prints.
            between: Only from the first to the second of these seconds since the start
                of the trace.
            after: How many matching requests are left alone first.

        Returns:
            The rule, whose ``met`` counts the attempts that met it.

        Raises:
            PlanError: A value cannot be meant; it names the field and what is allowed.
        """
        return self.plan.add(
            *(self._named(fault) if isinstance(fault, str) else fault for fault in faults),
            times=times,
            method=method,
            path=path,
            header=header,
            body=body,
            when=when,
            probability=probability,
            seed=seed,
            between=between,
            after=after,
        )

    def _named(self, name: str) -> Fault:
        """A fault by its name: one of the service's presets, or one that needs no argument."""
        from pytest_resilience.faults import spec

        presets = self.named_faults
        if name in presets:
            return presets[name]
        plain = spec.without_arguments()
        if name in plain:
            return plain[name]()
        if name in spec.catalogue():
            raise PlanError(f"{name!r} needs arguments: faults.{name}(...) in place of its name")
        raise PlanError(spec.unknown(name, sorted([*presets, *plain])))

    @property
    def named_faults(self) -> Mapping[str, Fault]:
        """Faults of this service that `fail` takes by name; none for a plain server."""
        return {}

    # The record

    @property
    def trace(self) -> Trace:
        """The attempts so far. Everything that has reached this machine's kernel is in it."""
        if self._loop is not None:
            self._loop.settle()
            self._started().notice_who_has_gone()
        return self.journal.trace(self.plan.seed, self.masked)

    # Secrets

    def secret(self, value: str, label: str = "secret") -> str:
        """Let no client show this value; returns it.

        ::

            server.secret("hunter2", label="the password")

        A test that uses this server in pytest then fails if the value gets into a log, an
        exception or whatever docs/secrets.md lists.

        Args:
            value: At least 4 characters.
            label: What reports call it.

        Raises:
            PlanError: It is too short to be looked for.
        """
        return self._known.add(value, label)

    def canary(self, label: str = "canary") -> str:
        """A new secret that nothing else contains, so that finding it anywhere is proof.

        ::

            vault.put("secret/myapp", {"password": vault.canary("the password")})
        """
        return self._known.mint(label)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that clients must not show.

        What the user has named, what is in its variables and what it stores, and the
        credentials in requests and answers so far.
        """
        return self._known.secrets()

    @property
    def stored_secrets(self) -> Mapping[str, Any]:
        """What the service keeps secret; to override in a fake.

        A text beside a name, or each text of a list there, is a secret, from four characters
        on: ``{"door code": "1234-x"}``. Of a JSON object, which has a path for its name, what
        is called a password, looks random or is in a URL is one: ``{"shop/db": {"password":
        ..., "host": ...}}``.
        """
        return {}

    def masked(self, text: str) -> str:
        """The text with the name of each secret in its place, however it is written."""
        return self._known.masked(text)

    # The service's side of Listener

    @property
    def wsgi_app(self) -> WSGIApplication:
        """The application that is served."""
        return says_ok if self._app is None else self._app

    def error_answer(self, status: int, attempt: Attempt) -> Answer:
        """The answer of a status fault: a short JSON body, unless a service has its own."""
        return _error_answer(status)

    def renew_locks(self) -> None:
        """Have new ones: a thread that is held up, or is not in this child, holds them for ever."""
        self.journal.renew_lock()
        self.plan.renew_lock()

    def state(self) -> Any:  # noqa: ANN401 -- JSON
        """What the service has stored, as JSON data; nothing for a plain server."""
        return {}

    def set_state(self, state: Any) -> None:  # noqa: ANN401 -- JSON
        """Store this instead."""
        if state:
            raise ServerError(f"{type(self).__name__} keeps no state that could be set")

    def __repr__(self) -> str:
        where = f"at {self.url}" if self.running else "not running"
        return f"<{type(self).__name__} {where}>"
