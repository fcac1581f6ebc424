"""What the fixture ``fake_server`` gives: a maker of servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from pytest_resilience.errors import (
    ResilienceError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.server.server import FakeServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from pytest_resilience.reporting.custody import Custody

Server = TypeVar("Server", bound=FakeServer)


class Factory:
    """Makes servers, and stops all of them in the end."""

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._servers: list[FakeServer] = []

    @overload
    def __call__(self, app: type[Server], **options: Any) -> Server: ...  # noqa: ANN401
    @overload
    def __call__(self, app: Server) -> Server: ...
    @overload
    def __call__(self, app: WSGIApplication | None = None, **options: Any) -> FakeServer: ...  # noqa: ANN401
    def __call__(self, app: Any = None, **options: Any) -> FakeServer:
        """A running server of this app, until the test ends.

        Args:
            app: A WSGI application, a class derived from ``Fake``, or a server that was
                made already and does not run. Without one, everything is answered with 200
                and the JSON ``{"ok": true}``.
            options: As ``FakeServer`` takes them.

        Raises:
            ResilienceError: It is none of these.
        """
        server = self._custody.start("fake_server", self._server(app, options))
        self._servers.append(server)
        return server

    def _server(self, app: Any, options: dict[str, Any]) -> FakeServer:  # noqa: ANN401
        if isinstance(app, FakeServer):
            if options:
                raise ResilienceError(
                    f"fake_server takes no options with {type(app).__name__}(...), "
                    "it is made already: give them to it"
                )
            return app
        if app is not None and not callable(app):
            raise ResilienceError(
                f"fake_server wants a WSGI application or a class derived from Fake, got {app!r}"
            )
        options = {**self._custody.options(), **options}
        if isinstance(app, type) and issubclass(app, FakeServer):
            return app(**options)
        return FakeServer(app, **options)

    def __repr__(self) -> str:
        return "<fake_server: call it with an app>"

    def close(self) -> None:
        """Stop all servers, the last one first; one that cannot be stopped keeps none running."""
        while self._servers:
            try:
                self._custody.stop(self._servers.pop())
            except BaseException:
                self.close()
                raise
