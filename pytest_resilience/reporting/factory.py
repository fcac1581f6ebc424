"""What ``fake_server`` and ``fake_server_session`` give: makers of servers."""

from __future__ import annotations

import contextlib
import weakref
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pytest_resilience.errors import (
    ResilienceError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.server.server import FakeServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from pytest_resilience.plan import Plan, Rule
    from pytest_resilience.reporting.custody import Custody
    from pytest_resilience.reporting.desk import Desk

Server = TypeVar("Server", bound=FakeServer)

_left: weakref.WeakKeyDictionary[Plan, list[Rule]] = weakref.WeakKeyDictionary()
"""What tests have planned on servers that they were not the makers of, and that may come again."""


class Maker(ABC):
    """Makes servers, and stops all of them in the end."""

    name: str
    """Of the fixture."""

    @overload
    def __call__(self, app: type[Server], **options: Any) -> Server: ...  # noqa: ANN401
    @overload
    def __call__(self, app: Server) -> Server: ...
    @overload
    def __call__(self, app: WSGIApplication | None = None, **options: Any) -> FakeServer: ...  # noqa: ANN401
    def __call__(self, app: Any = None, **options: Any) -> FakeServer:
        """A running server of this app, until the fixture ends.

        Args:
            app: A WSGI application, a class derived from ``Fake``, or a server that was
                made already and does not run. Without one, everything is answered with 200
                and the JSON ``{"ok": true}``.
            options: As ``FakeServer`` takes them.

        Raises:
            ResilienceError: It is none of these.
        """
        return self._start(self._server(app, options))

    def _server(self, app: Any, options: dict[str, Any]) -> FakeServer:  # noqa: ANN401
        if isinstance(app, FakeServer):
            if options:
                raise ResilienceError(
                    f"{self.name} takes no options with {type(app).__name__}(...), "
                    "it is made already: give them to it"
                )
            self._take(app)
            return app
        if app is not None and not callable(app):
            raise ResilienceError(
                f"{self.name} wants a WSGI application or a class derived from Fake, got {app!r}"
            )
        options = {**self._options(), **options}
        if isinstance(app, type) and issubclass(app, FakeServer):
            return app(**options)
        return FakeServer(app, **options)

    def _take(self, server: FakeServer) -> None:
        """It was made already: let nothing be in it that a test before has left."""
        left = _left.pop(server.plan, None)
        if left is not None:
            server.plan.forget(left)
            server.errors.clear()
            server.journal.clear()

    def __repr__(self) -> str:
        return f"<{self.name}: call it with an app>"

    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """What the settings say of the next server."""

    @abstractmethod
    def _start(self, server: FakeServer) -> FakeServer:
        """The server, up."""

    @abstractmethod
    def close(self) -> None:
        """Stop all servers, the last one first; one that cannot be stopped keeps none running."""


class Factory(Maker):
    """Makes servers for one test."""

    name = "fake_server"
    _closed = False

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._servers: list[FakeServer] = []
        self._taken: dict[Plan, tuple[Rule, ...]] = {}

    def _options(self) -> dict[str, Any]:
        return self._custody.options()

    def _take(self, server: FakeServer) -> None:
        super()._take(server)
        self._taken.setdefault(server.plan, server.plan.rules)

    def _start(self, server: FakeServer) -> FakeServer:
        if self._closed:
            raise ResilienceError(
                "fake_server has ended with its test, nobody would stop or judge this server: "
                "let each test ask for the fixture, or for fake_server_session"
            )
        self._servers.append(self._custody.start(self.name, server))
        return server

    def close(self) -> None:
        """As of all."""
        self._closed = True
        while self._taken:
            plan, before = self._taken.popitem()
            _left[plan] = [rule for rule in plan.rules if rule not in before]
        while self._servers:
            try:
                self._custody.stop(self._servers.pop())
            except BaseException:
                self.close()
                raise


class SharedFactory(Maker):
    """Makes servers for all tests that come."""

    name = "fake_server_session"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._servers = contextlib.ExitStack()
        self._made = 0

    def _options(self) -> dict[str, Any]:
        options = self._desk.current_custody().shared_options()
        # Each has a random stream of its own, as those of a test do.
        options["seed"] += self._made
        self._made += 1
        return options

    def _start(self, server: FakeServer) -> FakeServer:
        custody = self._desk.current_custody()
        return self._servers.enter_context(custody.sharing(self.name, server))

    def close(self) -> None:
        """As of all."""
        self._servers.close()
