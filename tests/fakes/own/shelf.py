"""A fake that keeps every promise, and one that breaks each of them."""

from __future__ import annotations

import os
import random
import secrets
import socket
import threading
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from werkzeug import Request, Response

from pytest_resilience import Fake, FakeServer, route


class Shelf(Fake):
    """Books, and an error of each kind; it mints, draws, and tells the time."""

    def reset(self) -> None:
        """No books, and a new key."""
        self.key = secrets.token_urlsafe(24)
        self.books: list[dict[str, Any]] = []
        self.turns = 0

    @property
    def environment(self) -> dict[str, str]:
        """Where it is."""
        return {"SHELF_URL": self.url, "SHELF_API_KEY": self.key, "SHELF_DOCS": "https://x.test"}

    def error(self, status: int, message: str | None = None) -> Any:
        """As the service words it."""
        return status, {"message": message or "no", "hint": None}

    @property
    def presets(self) -> Any:
        """One with more to tell, one that is no error, one that is a page."""
        return {
            "banned": lambda: (403, {"message": "banned", "hint": None, "until": 1.5}),
            "empty": lambda: {"books": []},
            "gateway": lambda: Response("<p>", 502, content_type="text/html"),
        }

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """All of them."""
        return {"books": self.books, "now": self.clock.time(), "drawn": random.random()}

    @route("POST", "/books")
    def add(self, request: Request) -> Any:
        """One more."""
        self.books.append({"id": len(self.books) + 1, "code": secrets.token_hex(4)})
        return 201, self.books[-1]

    @route("GET", "/books/<int:number>/<any(plain, fancy):form>/<float:size>/<uuid:id>")
    def one(self, request: Request, number: int, form: str, size: float, id: str) -> Any:  # noqa: A002
        """One of them."""
        return self.error(404)

    @route("GET", "/turns")
    def turn(self, request: Request) -> Any:
        """Twice, and then no more."""
        self.turns += 1
        return {} if self.turns <= 2 else self.error(409)

    @route("GET", "/stream")
    def stream(self, request: Request) -> Response:
        """Of no known length, and bytes."""
        return Response(iter([b"\xff", b"b"]), content_type="application/octet-stream")

    def state(self) -> Any:
        """The books."""
        return {"books": self.books, "note": f"it is {self.clock.time()}"}

    def set_state(self, state: Any) -> None:
        """Other books."""
        self.books = [dict(book) for book in state["books"]]


class Store(Fake):
    """Files that somebody has put there; that one is JSON is nobody's business."""

    @route("GET", "/file")
    def file(self, request: Request) -> Response:
        """One of them."""
        return Response(b'{"a": 1}', content_type="application/octet-stream")

    @route("GET", "/bucket/file")
    def object(self, request: Request) -> Response:
        """One of them, as S3 has it."""
        return Response(b'{"a": 1}', content_type="binary/octet-stream")


class Plain(FakeServer):
    """A server of an application that may wait."""

    def __init__(self, **options: Any) -> None:
        super().__init__(lambda environ, start: self.slowly(start), **options)

    def slowly(self, start: Any) -> list[bytes]:
        """It has a thread for that."""
        time.sleep(0.001)
        start("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]


class NoOptions(Shelf):
    """cannot-be-made."""

    def __init__(self) -> None:
        super().__init__()


class Hangs(Shelf):
    """no-answer: it breaks off."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Announces more than it has."""
        return Response(iter([b"{}"]), headers={"Content-Length": "20", "Connection": "close"})


class Raises(Shelf):
    """handler-raised."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Has none."""
        return self.books[7]


class KeepsAThread(Shelf):
    """left-behind: a thread."""

    def start(self) -> Any:
        """Start something, too."""
        self.done = threading.Event()
        threading.Thread(target=self.wait, args=(self.done,), name="forgotten", daemon=True).start()
        return super().start()

    @staticmethod
    def wait(done: threading.Event) -> None:
        """Until somebody says so."""
        done.wait(5)


class EndsItsThread(KeepsAThread):
    """The same, mended."""

    def stop(self) -> None:
        """Stop both."""
        self.done.set()
        super().stop()


class KeepsASocket(Shelf):
    """left-behind: a descriptor."""

    kept: ClassVar[list[socket.socket]] = []

    def start(self) -> Any:
        """Open something, too."""
        self.kept.append(socket.socket())
        return super().start()


class KeepsAVariable(Shelf):
    """left-behind: a variable."""

    def start(self) -> Any:
        """Set it."""
        os.environ["SHELF_STARTED"] = secrets.token_hex(4)
        return super().start()


class PortIsANumber(Shelf):
    """environment-not-text."""

    @property
    def environment(self) -> Any:
        """A number in it."""
        return {"SHELF_PORT": self.port}


class StaysWhereItWas(Shelf):
    """environment-elsewhere: the address of its first life."""

    @property
    def environment(self) -> dict[str, str]:
        """As it was."""
        self.was = getattr(self, "was", None) or self.url
        return {"SHELF_URL": self.was}


class TheRealOne(Shelf):
    """environment-elsewhere: nothing leads to it."""

    @property
    def environment(self) -> dict[str, str]:
        """The service itself."""
        return {"SHELF_URL": "https://shelf.example.com"}


class Fickle(Shelf):
    """environment-changes."""

    @property
    def environment(self) -> dict[str, str]:
        """Another key each time."""
        return {"SHELF_URL": self.url, "SHELF_API_KEY": secrets.token_hex(16)}


class OneStatus(Shelf):
    """wrong-status."""

    def error(self, status: int, message: str | None = None) -> Any:
        """Always the same."""
        return 500, {"message": "no", "hint": None}


class TwoShapes(Shelf):
    """error-shape: of the planned ones."""

    def error(self, status: int, message: str | None = None) -> Any:
        """By status."""
        return status, {"error": "busy"} if status == 429 else {"message": "no"}


class TextOrData(Shelf):
    """error-shape: one is no JSON at all."""

    def error(self, status: int, message: str | None = None) -> Any:
        """By status."""
        return Response("busy", 429) if status == 429 else (status, {})


class OneHandlersOwn(Shelf):
    """error-shape: of a handler."""

    @route("GET", "/turns")
    def turn(self, request: Request) -> Any:
        """As another service would say it, in a list and with a word about a token."""
        return 404, [{"error": "no such book", "password": ["none"]}]


class PageInsteadOfData(Shelf):
    """error-type: of a handler."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Data that says it is a page."""
        return Response('{"books": []}', content_type="text/html")


class HangsUp(Shelf):
    """connection-not-kept: it says so."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Once a connection."""
        return 200, {"books": []}, {"Connection": "close"}


class OddPreset(Shelf):
    """error-shape: of a preset."""

    @property
    def presets(self) -> Any:
        """Another service's words."""
        return {"banned": lambda: (403, {"error": {"code": 403}})}


class HtmlForNothing(Shelf):
    """error-shape: of what no route matches."""

    def unmatched(self, request: Request, nearest: list[str]) -> Any:
        """A web framework's page."""
        return Response("<h1>Not Found</h1>", 404, content_type="text/html")


class SaysHtml(Shelf):
    """error-type: JSON that says it is a page."""

    def answer(self, status: int, data: Any, headers: Any = None) -> Response:
        """The wrong type."""
        response = super().answer(status, data, headers)
        response.headers["Content-Type"] = "text/html"
        return response


class SaysJson(Shelf):
    """error-type: a text that says it is JSON."""

    def error(self, status: int, message: str | None = None) -> Any:
        """The wrong type."""
        return Response("no", status, content_type="application/json")


class YesToAll(Shelf):
    """success-for-nothing: the status is forgotten."""

    def unmatched(self, request: Request, nearest: list[str]) -> Any:
        """Only data."""
        return {"message": "Not Found", "hint": None}


class OtherHead(Shelf):
    """head-differs: in status."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Not for HEAD."""
        return {} if request.method == "GET" else self.error(405)


class OtherHeadType(Shelf):
    """head-differs: in type."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Another for HEAD."""
        kind = "application/json" if request.method == "GET" else "text/plain"
        return Response("{}", content_type=kind)


class NoAllow(Shelf):
    """allow-missing: it answers by itself."""

    def handle(self, request: Request) -> Response:
        """Take it away again."""
        response = super().handle(request)
        response.headers.pop("Allow", None)
        return response

    def wrong_method(self, request: Request, allowed: Any) -> Any:
        """As it came to be."""
        return self.error(405)


class ShortByTwo(Shelf):
    """connection-not-kept: the length counts characters, not bytes."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Two of them are longer than they look."""
        text = '{"title": "üü"}'
        return Response(iter([text.encode()]), headers={"Content-Length": str(len(text))})


class Sulks(Shelf):
    """connection-not-kept: it plans faults for itself, and forgets about them."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """The next HEAD has no answer."""
        self.fail("empty_reply", method="HEAD")
        return {"books": []}


class Remembers(Shelf):
    """not-reset: a count goes on."""

    def reset(self) -> None:
        """Not all of it."""
        books = getattr(self, "books", [])
        super().reset()
        self.books = books


class SharesAll(Shelf):
    """not-reset: what one stores, all have."""

    shared: ClassVar[list[dict[str, Any]]] = []

    def reset(self) -> None:
        """Nothing."""
        super().reset()
        self.books = self.shared


class OddState(Shelf):
    """state-not-json."""

    def state(self) -> Any:
        """A set."""
        return {1, 2}


class ReadOnly(Shelf):
    """state-not-settable: refused."""

    def set_state(self, state: Any) -> None:
        """No."""
        raise KeyError("pages")


class Forgets(Shelf):
    """state-not-settable: not kept."""

    def set_state(self, state: Any) -> None:
        """Yes, yes."""


class Minted(Shelf):
    """Right: what it minted cannot be set anew, and it says so."""

    def set_state(self, state: Any) -> None:
        """Only for its own books."""
        if len(state["books"]) != len(self.books):
            raise KeyError("unknown book")


class TestKey(Shelf):
    """shared-secret."""

    def reset(self) -> None:
        """The same for everybody."""
        super().reset()
        self.key = "my-shelf-key-1"


class OneSession(Shelf):
    """shared-secret: of an answer."""

    @route("POST", "/books")
    def add(self, request: Request) -> Any:
        """A token that was written into it, one that is new, and one that was sent."""
        sent = request.get_json()
        return {"session_token": "9fA27cE1b4D80x3QzL", "token": secrets.token_hex(9), **sent}


class KeyIsANumber(Shelf):
    """environment-not-text: of what would be a secret."""

    @property
    def environment(self) -> Any:
        """A number in it."""
        return {"SHELF_API_KEY": 5}


class WallClock(Shelf):
    """reads-system-clock: when it serves."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """The time of the machine."""
        return {"now": datetime.now(UTC).year > 2000}


class BornThen(Shelf):
    """reads-system-clock: when it is reset."""

    def reset(self) -> None:
        """Remember when."""
        super().reset()
        self.born = time.time()


class Sleeps(Shelf):
    """blocks-the-loop."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Slowly."""
        time.sleep(0.001)
        return {}
