"""An accepted connection while it answers: asks plan and application, and has it written.

What it answers is one attempt, whose record it keeps: what was said of the head, how many bytes
went out, and how it ended.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_resilience.answers import Answer
from pytest_resilience.clock import Clock
from pytest_resilience.engine._poller import WRITE
from pytest_resilience.errors import shown
from pytest_resilience.faults._script import Script, deliver
from pytest_resilience.plan import NOTHING, Decision
from pytest_resilience.records import Outcome
from pytest_resilience.server import _answering as answering, wire, wsgi
from pytest_resilience.server._held import Held, State
from pytest_resilience.server._stream import Stream
from pytest_resilience.server.journal import Entry

if TYPE_CHECKING:
    from pytest_resilience.server.listener import Listener


class Replying(Held):
    """The server's end of a connection, from a request that is complete to its answer's end."""

    __slots__ = (
        "_entry",
        "_keeps_alive",
        "_request",
        "_retry_after",
        "_status",
        "_stream",
        "_writer",
    )

    def __init__(
        self, listener: Listener, sock: socket.socket, client: tuple[str, int], number: int
    ) -> None:
        self._request: wsgi.Request | None = None
        self._entry: Entry | None = None
        self._keeps_alive = True
        """Whether another request may follow the one that is answered."""
        self._writer: wire.Writer | None = None
        self._stream: Stream | None = None
        self._status: int | None = None
        self._retry_after: str | None = None
        super().__init__(listener, sock, client, number)

    def _respond(self, body: bytes, *, keeps_alive: bool) -> None:
        """The request is here in full: ask the plan and the application, and say what they say."""
        request, entry = self._request, self._entry
        assert request is not None
        assert entry is not None
        request.body = body
        self._keeps_alive = keeps_alive
        if body:
            entry.change(body=body[: self.listener.keep_body], body_size=len(body))
        if self.listener.is_control(request.target):
            answer = self.listener.application.call_control(wsgi.environ(request, blocking=False))
            self._answer(answer, NOTHING)
            return
        decision = self.listener.application.decide(entry, body)
        if self.state is State.CLOSED:
            return  # A predicate of the plan has stopped its own server.
        if decision is not NOTHING:
            entry.change(fault=decision.label, note=decision.note)
        if not getattr(decision.fault, "processed", True):
            self._bend(answering.unasked(request, self.listener, keep_alive=keeps_alive), decision)
            return
        env = wsgi.environ(request, blocking=self.listener.blocking)
        if not self.listener.blocking:
            self._answer(self.listener.application.call(env, entry), decision)
            return
        self.state = State.WAITING
        self.listener.application.call_in_worker(self, env, entry, decision)

    def answer_later(self, entry: Entry, answer: Answer, decision: Decision) -> None:
        """The worker has the answer; on the loop's thread."""
        if self.waits_for(entry):
            try:
                self._answer(answer, decision)
            except BaseException as error:
                self._break_off(error)
                raise

    def _answer(self, answer: Answer, decision: Decision) -> None:
        if self.state is State.CLOSED:
            return  # The application has stopped its own server.
        script = self._script(answer)
        if decision is NOTHING:
            self._say(script)
        else:
            self._bend(script, decision)

    def _bend(self, script: Script, decision: Decision) -> None:
        assert self._entry is not None
        try:
            script = answering.bent(script, decision, self._entry.attempt, self.listener)
        except BaseException as error:  # noqa: BLE001 -- a user's own fault, pytest.fail() too
            self.failed(error)
            script = self._script(answering.FAILED)
        self._say(script)

    def _say(self, script: Script) -> None:
        try:
            writer = wire.Writer(self, deliver(script))
        except BaseException as error:  # noqa: BLE001 -- the same, in its first step
            self.failed(error)
            answer = answering.dated(answering.FAILED, self.listener)
            script = replace(script, answer=answer, lead=(), steps=None, tail=())
            writer = wire.Writer(self, deliver(script))
        self._status = script.answer.status
        self._retry_after = script.answer.header("Retry-After")
        assert self._entry is not None
        self._entry.answered(script.answer)
        self._write(writer)

    def _break_off(self, error: BaseException) -> None:
        """Something has gone wrong that nobody has foreseen: no client is to wait for the rest."""
        if self._entry is not None:
            self._entry.change(note=f"the answer could not be made: {shown(error)}")
            self._entry.end(Outcome.CUT, self.listener.now())
        self.reset()

    def failed(self, error: BaseException) -> None:
        """The answer, or a step of it, cannot be made."""
        assert self._entry is not None
        self.listener.errors.append(error)
        self._entry.change(note=f"the answer could not be made: {shown(error)}")

    def _script(self, answer: Answer) -> Script:
        assert self._request is not None
        assert self._entry is not None
        # Nobody can find the next answer behind a body that is shorter or longer than it says.
        wrong = answering.misannounced(answer, self._request)
        if wrong:
            self._entry.change(note=wrong)
        keep_alive = self._keeps_alive and not wrong
        return answering.script(answer, self._request, self.listener, keep_alive=keep_alive)

    def _write(self, writer: wire.Writer) -> None:
        self.state = State.WRITING
        self._writer = writer
        writer.run()

    def waits_for(self, entry: Entry) -> bool:
        """Whether this attempt still waits for its answer. On any thread."""
        return self.state is State.WAITING and self._entry is entry

    def stream(self, entry: Entry, answer: Answer, stream: Stream, decision: Decision) -> None:
        """The worker has the head of a lazy answer, and pieces are on their way."""
        if not self.waits_for(entry):
            stream.abandon()
            return
        script = self._script(answer)
        if decision.label is not None:
            script = replace(script, live=True)
            try:
                script = answering.bent(script, decision, entry.attempt, self.listener)
            except BaseException as error:  # noqa: BLE001 -- a user's own fault, pytest.fail() too
                stream.abandon()
                self.failed(error)
                self._say(self._script(answering.FAILED))
                return
        self._stream = stream
        stream.frame(script)
        self._status, self._retry_after = answer.status, answer.header("Retry-After")
        self._write(wire.Writer(self, stream))

    def stream_on(self, stream: Stream) -> None:
        """More of a lazy answer has come."""
        if self._stream is stream and self._writer is not None:
            self._writer.feed()

    # The owner's side of wire.Writer

    @property
    def clock(self) -> Clock:
        """The clock in force."""
        return self.listener.clock

    def want_write(self, *, wanted: bool) -> None:
        """Watch for room in the socket's buffer."""
        self._watch(self._events | WRITE if wanted else self._events & ~WRITE)

    def progress(self, sent: int, *, head_sent: bool) -> None:
        """Record how far the answer has come."""
        assert self._entry is not None
        # Its end may have been recorded before a last write that was not taken whole.
        pending = {"outcome": Outcome.PENDING, "ended_ns": None}
        self._entry.change(sent=sent, **pending, **self._said(head_sent=head_sent))

    def ended(self, outcome: Outcome, sent: int, *, head_sent: bool) -> None:
        """Record the end of the attempt."""
        entry = self._entry
        assert entry is not None
        if entry.pending:
            now = self.listener.now()
            said = self._said(head_sent=head_sent)
            entry.change(outcome=outcome, ended_ns=now, sent=sent, **said)

    def _said(self, *, head_sent: bool) -> dict[str, object]:
        """What of the answer's head the client has been told."""
        if not head_sent:  # Its end may have been recorded before a write that was not taken.
            return {"status": None, "retry_after": None}
        return {"status": self._status, "retry_after": self._retry_after}

    def answered(self, idle_reset: float | None) -> None:
        """The connection may carry another request."""
        self._entry = self._request = self._writer = self._stream = None
        self.state = State.READING

    def lost(self) -> None:
        """The client has closed or reset the connection."""
        if self._entry is not None:
            self._entry.end(Outcome.GONE, self.listener.now())
        self._stop()
        self._say_goodbye()  # It may wait for ours, when it has said its own (RFC 8446 6.1).
        self._close_socket()

    def go_down(self, seconds: float) -> None:
        """The fault takes the whole server down."""
        self.listener.down(seconds)

    def _stop(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None
        if self._stream is not None:
            self._stream.abandon()
            self._stream = None
