"""`Fake`: the base class of a service that imitates an API."""

from __future__ import annotations

import difflib
import json
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from pytest_resilience.answers import REASONS, Answer
from pytest_resilience.errors import (
    PlanError,
    shown,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.faults import Context, Fault, Script, _check
from pytest_resilience.records import Attempt
from pytest_resilience.server import _routes
from pytest_resilience.server._routes import route
from pytest_resilience.server.server import FakeServer
from pytest_resilience.server.wsgi import UNMATCHED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.routing import Map

__all__ = ["Fake", "route"]

# werkzeug writes "404 NOT FOUND", which clients show: requests in the text of its HTTPError.
# No service that is worth an imitation does that.
SHOUTED = {f"{code} {phrase.upper()}": f"{code} {phrase}" for code, phrase in REASONS.items()}


class Fake(FakeServer):
    """A service that imitates an API. Write a method a route, and `reset`.

    ::

        class GitHub(Fake):
            def reset(self) -> None:
                self.issues = {}

            @route("GET", "/repos/<owner>/<repo>/issues/<int:number>")
            def get_issue(self, request, owner, repo, number):
                return self.issues.get((owner, repo, number)) or (404, {"message": "Not Found"})

        with GitHub() as github:
            github.fail(503, times=2)

    A handler gets the `werkzeug.Request` and the arguments of its path. It returns JSON
    data, ``(status, data)``, ``(status, data, headers)`` or a `werkzeug.Response`. It runs
    on the server's own thread under `lock`, so it must not wait; methods that a test calls
    take ``with self.lock`` themselves.

    Takes the keyword arguments of `FakeServer`, except ``app`` and ``blocking``.
    """

    _url_map: ClassVar[Map]

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 -- options of FakeServer
        super().__init_subclass__(**kwargs)
        cls._url_map = _routes.url_map(cls, NAMES)

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 -- options of FakeServer
        super().__init__(blocking=False, **options)
        self.lock = threading.RLock()
        """Held while a handler runs. Do not read `trace` while you hold it: the trace waits for
        the server's thread, and that thread may be waiting for this lock."""
        self.random = random.Random(self.plan.seed)
        """For what must come out the same with the same seed."""
        own = [vars(self)[name] for name in KEPT]
        with self.lock:
            self.reset()
        self._refuse_hiding(own)

    def _refuse_hiding(self, own: list[object]) -> None:
        """What every fake has is not a place for the state of one."""
        said = vars(self)
        hidden = [name for name, had in zip(KEPT, own, strict=True) if said[name] is not had]
        hidden += sorted(said.keys() & (NAMES - {*SET}))
        if hidden:
            place = f"{type(self).__name__} sets self.{hidden[0]}"
            raise PlanError(f"{place}, and hides what every fake has: give it another name")

    def renew_locks(self) -> None:
        """`lock` as well."""
        super().renew_locks()
        self.lock = threading.RLock()

    def _renew(self) -> None:
        # Not around all of start_over: that waits for the loop, whose handlers wait for the lock.
        with self.lock:
            self.random.seed(self.plan.seed)
            self.reset()

    # To override

    def reset(self) -> None:
        """The service's state as new. Called on creation, and by `start_over`."""

    def answer(self, status: int, data: Any, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401 -- JSON, or a Response
        """How a handler's data becomes a response; JSON unless overridden."""
        response = Response(json.dumps(data), status, content_type="application/json")
        for name, value in (headers or {}).items():
            response.headers[name] = value
        return response

    def error(self, status: int, message: str | None = None) -> Any:  # noqa: ANN401 -- JSON, or a Response
        """The service's own error for this status, as a handler would return it."""
        return status, {"error": message or REASONS.get(status, "Unknown"), "status": status}

    def error_for(self, attempt: Attempt, status: int) -> Any:  # noqa: ANN401 -- JSON or a Response
        """The same for a request that is known: its path, or the form it asked for, may matter."""
        return self.error(status)

    @property
    def presets(self) -> Mapping[str, Callable[[], Any]]:
        """Errors by name, for ``fail("overloaded")``: functions that return what a handler would.

        ::

            return {"overloaded": lambda: (503, {"error": "slow down"}, {"Retry-After": "7"})}
        """
        return {}

    def unmatched(self, request: Request, nearest: list[str]) -> Any:  # noqa: ANN401 -- JSON, or a Response
        """The answer to a request that no route matched."""
        return self.error(404)

    def wrong_method(self, request: Request, allowed: Iterable[str]) -> Any:  # noqa: ANN401 -- JSON, or a Response
        """The answer when the path exists, and the method does not."""
        return self.error(405)

    # The WSGI application

    @property
    def wsgi_app(self) -> WSGIApplication:
        """The fake itself, as a WSGI application."""
        return self._serve

    def _serve(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        with self.lock:
            response = self.handle(request)
        if response.status in SHOUTED:
            response.status = SHOUTED[response.status]
        return response(environ, start_response)

    def handle(self, request: Request) -> Response:
        """Answer one request; a fake may put checks of its own around this."""
        urls = self._url_map.bind_to_environ(request.environ)
        try:
            endpoint, arguments = urls.match()
        except MethodNotAllowed as error:
            return self._not_allowed(request, error)
        except HTTPException:
            nearest = self.nearest_routes(request)
            request.environ[UNMATCHED] = _words(nearest)
            return self.respond(self.unmatched(request, nearest))
        try:
            returned = getattr(self, endpoint)(request, **arguments)
            if isinstance(returned, tuple) and not _can_be_meant(returned):
                _refuse(f"{type(self).__name__}.{endpoint}", returned)
            return self.respond(returned)
        except MethodNotAllowed as error:  # abort(405): a handler that takes too many in
            return self._not_allowed(request, error)
        except HTTPException as error:  # werkzeug's abort(404), or a body that is no JSON
            status = error.code or 500
            return self._respond_with_error(status, self.error(status))

    def is_routed(self, request: Request) -> bool:
        """Whether a route answers this request, for a fake that knows other paths besides."""
        urls = self._url_map
        # Most such fakes have none, and binding takes a fifth of a small answer's time.
        return any(urls.iter_rules()) and urls.bind_to_environ(request.environ).test()

    def _not_allowed(self, request: Request, error: MethodNotAllowed) -> Response:
        request.environ[UNMATCHED] = _words(self.nearest_routes(request))
        allowed = error.valid_methods or ()
        response = self.respond(self.wrong_method(request, allowed))
        if response.status_code == 405:  # RFC 9110 section 15.5.6 wants it to say so.
            response.headers.setdefault("Allow", ", ".join(sorted(allowed)))
        return response

    def respond(self, returned: Any) -> Response:  # noqa: ANN401 -- JSON, or a Response
        """A response of what a handler has returned."""
        if isinstance(returned, Response):
            return returned
        if isinstance(returned, tuple) and returned and isinstance(returned[0], int):
            status, data, *headers = returned
            return self.answer(status, data, headers[0] if headers else None)
        return self.answer(200, returned)

    def nearest_routes(self, request: Request) -> list[str]:
        """Up to three routes that resemble this request, the nearest first."""
        routes = sorted(
            f"{method} {rule.rule}"
            for rule in self._url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        )
        asked = f"{request.method} {request.path}"
        return difflib.get_close_matches(asked, routes, n=3, cutoff=0.3) or routes[:3]

    # Faults with the service's own bodies

    def error_answer(self, status: int, attempt: Attempt) -> Answer:
        """The service's own error for a status fault."""
        with self.lock:
            return as_answer(self._respond_with_error(status, self.error_for(attempt, status)))

    def _respond_with_error(self, status: int, said: Any) -> Response:  # noqa: ANN401 -- JSON, or a Response
        plain = not isinstance(said, Response | tuple)
        return self.respond((status, said) if plain else said)

    @property
    def named_faults(self) -> Mapping[str, Fault]:
        """The presets, as faults."""
        return {name: self._preset(name, make) for name, make in self.presets.items()}

    def _preset(self, name: str, make: object) -> Preset:
        if not callable(make):
            place = f"{type(self).__name__}.presets[{name!r}]"
            wanted = "a function that returns what a handler would: lambda: self.error(503)"
            _check.refuse(place, make, wanted)
        return Preset(name, self, make)


KEPT: Final = ("plan", "journal", "errors", "lock")
"""Attributes without which nothing works."""
BOUNDS: Final = ("max_body", "max_head", "keep_body")
SET: Final = (*KEPT, "random", "control", "renewed", "blocking", *BOUNDS)
"""Attributes of each instance."""
NAMES: Final = frozenset({*dir(Fake), *SET})


class Preset:
    """A named error of a service, as a fault."""

    processed = False
    replaces_answer = True

    def __init__(self, name: str, fake: Fake, make: Callable[[], Any]) -> None:
        self.label = name
        self._fake = fake
        self._make = make

    def apply(self, script: Script, context: Context) -> Script:
        """Put the named error in place of the real answer."""
        with self._fake.lock:
            answer = as_answer(self._fake.respond(self._make()))
        return script.saying(answer)

    def __repr__(self) -> str:
        return f"<preset {self.label}>"


def _can_be_meant(returned: tuple[Any, ...]) -> bool:
    match returned:
        case (int(), _):
            return True
        case (int(), _, headers):  # werkzeug's and the standard library's are no Mapping.
            return headers is None or hasattr(headers, "items")
        case (int(), *_):
            return False
        case (Mapping() | Response(), int(status), *_):  # Flask has the status behind the data.
            return not 100 <= status <= 599
        case _:
            return True


def _refuse(handler: str, returned: object) -> NoReturn:
    wanted = "JSON data, (status, data), (status, data, headers) or a Response"
    raise PlanError(f"{handler} returned {shown(returned)}: wanted {wanted}")


def as_answer(response: Response) -> Answer:
    """A werkzeug response as a value."""
    body = tuple(response.iter_encoded())
    headers = tuple(response.headers.to_wsgi_list())
    reason = SHOUTED.get(response.status, response.status).partition(" ")[2]
    return Answer(response.status_code, headers, body, reason)


def _words(nearest: list[str]) -> str:
    routes = ", ".join(nearest)
    return f"the nearest routes are: {routes}" if nearest else "the fake has no routes"
