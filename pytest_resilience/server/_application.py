"""The application behind a server, and the plan: asked what an attempt is answered with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from pytest_resilience.answers import Answer
from pytest_resilience.errors import shown
from pytest_resilience.plan import Decision
from pytest_resilience.records import SECOND
from pytest_resilience.server import wsgi
from pytest_resilience.server._stream import Stream
from pytest_resilience.server._workers import Workers
from pytest_resilience.server.wsgi import Abandoned

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from pytest_resilience.engine._loop import Loop
    from pytest_resilience.records import Attempt
    from pytest_resilience.server._replying import Replying
    from pytest_resilience.server.journal import Entry
    from pytest_resilience.server.listener import Service


class Application:
    """Called on the loop's thread, or in workers; whatever it raises becomes an answer."""

    def __init__(self, loop: Loop, service: Service) -> None:
        self._loop = loop
        self._service = service
        self._workers: Workers | None = None

    def stop(self) -> list[Thread]:
        """End the workers; returns threads that are ending now."""
        return [] if self._workers is None else self._workers.stop()

    def forget_in_child(self) -> None:
        """A forked child has no workers."""
        self._workers = None

    def decide(self, entry: Entry, body: bytes) -> Decision:
        """What the plan says of this attempt; a failing predicate of the user's is kept."""

        def attempt() -> Attempt:
            value = entry.attempt
            # The plan looks into all, the trace keeps a part.
            return replace(value, body=body) if len(body) > len(value.body) else value

        try:
            return self._service.plan.decide(attempt, entry.started_ns / SECOND)
        except BaseException as error:  # noqa: BLE001 -- the user's own predicate, pytest.fail() too
            self._service.errors.append(error)
            return Decision(note=f"a predicate of the plan failed: {shown(error)}")

    def error(self, status: int, attempt: Attempt) -> Answer:
        """The service's own error answer, or a plain one when that fails."""
        try:
            answer: object = self._service.error_answer(status, attempt)
        except BaseException as error:  # noqa: BLE001 -- the service's own code, sys.exit() too
            self._service.errors.append(error)
        else:
            if isinstance(answer, Answer):
                return answer
            told = f"error_answer returned {shown(answer)}, wanted an Answer"
            self._service.errors.append(TypeError(told))
        return Answer(status, (("Content-Type", "text/plain"),), (b"",))

    def call_control(self, env: WSGIEnvironment) -> Answer:
        """Have the control application answer, on this thread."""
        assert self._service.control is not None
        try:
            return wsgi.call(self._service.control, env)
        except BaseException as error:  # noqa: BLE001 -- answered, and kept for whoever runs the server
            self._service.errors.append(error)
            return Answer(
                500, (("Content-Type", "text/plain"),), (shown(error).encode("utf-8", "replace"),)
            )

    def call(self, env: WSGIEnvironment, entry: Entry) -> Answer:
        """Have the application answer, on this thread."""
        try:
            answer = wsgi.call(self._service.wsgi_app, env)
        except BaseException as error:  # noqa: BLE001 -- the application's own code, sys.exit() too
            answer = self._failed(error, entry)
        self._note_unmatched(env, entry)
        return answer

    def _failed(self, error: BaseException, entry: Entry, where: str = "") -> Answer:
        self._service.errors.append(error)
        entry.change(note=f"the application raised {shown(error)}{where}")
        return self.error(500, entry.attempt)

    @staticmethod
    def _note_unmatched(env: WSGIEnvironment, entry: Entry) -> None:
        nearest = env.get(wsgi.UNMATCHED)
        if nearest is not None:
            entry.change(unmatched=True, note=f"no route matched; {nearest}")

    def call_in_worker(
        self, connection: Replying, env: WSGIEnvironment, entry: Entry, decision: Decision
    ) -> None:
        """Have the application answer on a thread of its own."""
        if self._workers is None:
            self._workers = Workers()
        self._workers.run(lambda free: self._work(connection, env, entry, decision, free))

    def _work(
        self,
        connection: Replying,
        env: WSGIEnvironment,
        entry: Entry,
        decision: Decision,
        free: Callable[[], None],
    ) -> None:
        try:
            reply = wsgi.Reply(self._service.wsgi_app, env)
            if reply.lazy and _may_go_out_meanwhile(decision, env):
                answer = self._work_lazily(connection, env, entry, reply, decision)
            else:
                answer = reply.whole(lambda: connection.waits_for(entry))
            if answer is None:
                return
        except Abandoned:
            return
        except BaseException as error:  # noqa: BLE001 -- the application's own code
            failure = error
            free()
            self._loop.call_soon_threadsafe(
                lambda: connection.answer_later(entry, self._failed(failure, entry), decision)
            )
            return

        def deliver() -> None:
            self._note_unmatched(env, entry)
            connection.answer_later(entry, answer, decision)

        free()
        self._loop.call_soon_threadsafe(deliver)

    def _work_lazily(
        self,
        connection: Replying,
        env: WSGIEnvironment,
        entry: Entry,
        reply: wsgi.Reply,
        decision: Decision,
    ) -> Answer | None:
        """The answer, if it turns out to have a length; otherwise it is on its way."""
        with closing(reply.pieces()) as pieces:
            # Status and fields are named by now, even by a generator.
            first = next((piece for piece in pieces if piece or reply.named), b"")
            if not reply.lazy:
                return reply.answer((first, *pieces))
            answer = reply.answer(())
            if answer.bodiless and decision.label is not None:
                return answer  # A fault that wants a body makes one up.
            reply.sent = True
            stream = Stream(
                lambda s: self._loop.call_soon_threadsafe(lambda: connection.stream_on(s))
            )

            def begin() -> None:
                self._note_unmatched(env, entry)
                connection.stream(entry, answer, stream, decision)

            self._loop.call_soon_threadsafe(begin)
            try:
                stream.push(first)
                for piece in pieces:
                    stream.push(piece)
            except Abandoned:
                return None
            except BaseException as error:  # noqa: BLE001 -- the application's own code
                failure = error
                where = " in the middle of its answer"
                self._loop.call_soon_threadsafe(lambda: self._failed(failure, entry, where))
                stream.end(broken=True)
            else:
                stream.end()
        return None


def _may_go_out_meanwhile(decision: Decision, env: WSGIEnvironment) -> bool:
    """Whether an answer goes out while it is made, with a fault or without."""
    if decision.label is None:
        return True
    # HTTP/1.0 knows no chunks: a fault needs the length of all to say that something is missing.
    return getattr(decision.fault, "live", False) and env["SERVER_PROTOCOL"] == "HTTP/1.1"
