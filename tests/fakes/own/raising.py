"""Fakes that raise, or wait, where one looks for it last."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

from werkzeug import Request, Response

from pytest_resilience import Fake, route

POOL = ThreadPoolExecutor(1)


class Bare(Fake):
    """A shelf with nothing on it."""

    def reset(self) -> None:
        """No books."""
        self.books: list[str] = []

    def error(self, status: int, message: str | None = None) -> Any:
        """As the service words it."""
        return status, {"message": message or "no", "hint": None}

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """All of them."""
        return {"books": self.books}


class NoState(Bare):
    """method-raised."""

    def state(self) -> Any:
        """Not yet."""
        raise NotImplementedError


class ReadsElsewhere(Bare):
    """Raises in a function that is not its own."""

    state = staticmethod(partial(os.listdir, "/no/such/place"))


class NoSecondReset(Bare):
    """method-raised."""

    def reset(self) -> None:
        """Once only."""
        if hasattr(self, "books"):
            raise RuntimeError("again?")
        super().reset()


class NoEnd(Bare):
    """method-raised."""

    def stop(self) -> None:
        """With a word at the end."""
        super().stop()
        raise RuntimeError("was that all?")


class ListedEnvironment(Bare):
    """environment-not-text: no names at all."""

    @property
    def environment(self) -> Any:
        """Values only."""
        return [self.url]


class NoPreset(Bare):
    """handler-raised: by a preset."""

    @property
    def presets(self) -> Any:
        """One that cannot be made."""
        return {"busy": lambda: 1 // 0}


class WordOrData(Bare):
    """error-shape: JSON both times."""

    def error(self, status: int, message: str | None = None) -> Any:
        """A word or an object."""
        return (status, "busy") if status == 503 else super().error(status, message)


class TextAsData(Bare):
    """error-type: a success, too, is of its type."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """A text."""
        return Response("three", content_type="application/json")


class NoNumber(Bare):
    """error-type: what no JSON has."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """Not a number."""
        return {"books": [float("nan")]}


class WaitsForNothing(Bare):
    """blocks-the-loop: in Python's own code."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """After a while."""
        threading.Event().wait(0.001)
        return {"books": self.books}


class BeginsAThread(Bare):
    """Right: that a thread has begun is no wait, nor is to ask a pool for one that is free."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """And it ends at once."""
        threading.Thread(target=int).start()
        POOL.submit(int)
        return {"books": self.books}


class Streamed(Bare):
    """Right: errors of a stream are events."""

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """One of them."""
        return Response('{"message": "no", "hint": null}\n', 500, content_type="application/jsonl")


class Never(Bare):
    """no-answer: it plans a fault for itself, and forgets about it."""

    def start(self) -> Self:
        """As ever, but for the first answer."""
        super().start()
        self.fail("timeout")
        return self

    @route("GET", "/books")
    def all(self, request: Request) -> Any:
        """It is never asked."""
        return {"books": []}


class Hints(Bare):
    """Has a hint for some errors, and says null for the others."""

    @property
    def presets(self) -> Any:
        """One with a hint."""
        return {"full": lambda: (507, {"message": "no", "hint": "throw some away"})}


class NoHint(Bare):
    """error-shape: a member that all other errors have is not there."""

    @property
    def presets(self) -> Any:
        """One without."""
        return {"full": lambda: (507, {"message": "no"})}


class NothingSaid(Bare):
    """error-shape: nothing at all is no object."""

    def error(self, status: int, message: str | None = None) -> Any:
        """No body to speak of."""
        return status, None

    @property
    def presets(self) -> Any:
        """One with a body."""
        return {"full": lambda: (507, {"message": "no"})}
