"""Which method of a fake answers which request, when one fake derives from another."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from pytest_resilience import Fake, PlanError, route
from pytest_resilience.server.fake import NAMES


class Notes(Fake):
    """One route, and one that has two."""

    @route("GET", "/notes")
    def all(self, request: object) -> object:
        """Answer."""
        return ["a"]

    @route("GET", "/first")
    @route("GET", "/1")
    def first(self, request: object) -> object:
        """Answer."""
        return "a"


class Slower(Notes):
    """Answers otherwise, under the routes of the one it derives from."""

    def all(self, request: object) -> object:
        """More of them."""
        return [*super().all(request), "b"]  # type: ignore[misc]  # a handler returns JSON


class Moved(Slower):
    """Has a route of its own for the same method, and one less."""

    first = None  # type: ignore[assignment]  # a route taken away

    @route("GET", "/v2/notes")
    def all(self, request: object) -> object:
        """The same."""
        return super().all(request)


def asked(fake: Fake, *paths: str) -> list[object]:
    """The JSON that each path is answered with, or its status when that is an error."""
    with fake:
        answers = [requests.get(fake.url + path, timeout=10) for path in paths]
    return [answer.json() if answer.ok else answer.status_code for answer in answers]


def test_a_method_that_overrides_another_keeps_its_routes() -> None:
    """Overriding a handler does not take its route away in silence."""
    assert asked(Slower(), "/notes", "/first", "/1") == [["a", "b"], "a", "a"]


def test_a_route_of_its_own_replaces_the_inherited_ones() -> None:
    """What a class says itself counts; None says that there is no such route any more."""
    assert asked(Moved(), "/v2/notes", "/notes", "/1") == [["a", "b"], 404, 404]


def test_the_base_keeps_its_own() -> None:
    """A class changes nothing in the one it derives from."""
    assert asked(Notes(), "/notes", "/v2/notes") == [["a"], 404]


# --- routes that cannot be meant -----------------------------------------------------


def fake_with(handler: Any, method: Any = "GET", path: Any = "/x", name: str = "read") -> type:
    """A fake with one route."""
    return type("Notes", (Fake,), {name: route(method, path)(handler)})


def plain() -> Any:
    return lambda self, request: {}


async def late(self: object, request: object) -> object:
    return {}


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (plain(), {"method": ""}, "route(method)='' is not allowed"),
    (plain(), {"method": 5}, "route(method)=5 is not allowed"),
    (plain(), {"method": "GET,POST"}, 'several: "PUT POST"'),
    (plain(), {"path": "notes"}, "route(path)='notes' is not allowed: wanted a path that starts"),
    (plain(), {"path": None}, "route(path)=None is not allowed"),
    (plain(), {"path": "/a\n"}, "route(path)='/a\\n' is not allowed"),
    (plain(), {"path": "/a?b=<c>"}, "without a query; look at request.args"),
    (plain(), {"path": "/<number"}, "Notes.read: route(path)='/<number' is not allowed"),
    (plain(), {"path": "/<odd:number>"}, "the converter 'odd' does not exist"),
    (
        lambda self, request, a: {},
        {},
        "Notes.read(self, request, a) cannot answer /x: wanted (self",
    ),
    (plain(), {"path": "/<int:number>"}, "wanted (self, request, number)"),
    (lambda self: {}, {}, "wanted (self, request)"),
    (late, {}, "wanted a plain method to mark"),
    (property(lambda self: {}), {}, "wanted a plain method to mark"),
    *[
        (plain(), {"name": name}, f"Notes.{name} hides what every fake has")
        for name in ("start", "stop", "url", "trace", "state", "plan", "reset", "secret")
    ],
]


@pytest.mark.parametrize(("handler", "where", "said"), REFUSED, ids=range(len(REFUSED)))
def test_a_route_that_cannot_be_meant(handler: Any, where: dict[str, Any], said: str) -> None:
    """It is refused where the class is written, in one line that names it."""
    with pytest.raises(PlanError) as caught:
        fake_with(handler, **where)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "handler",
    [
        lambda self, request, number: number,
        lambda self, request, **more: more["number"],
        lambda self, request, *rest, **more: more["number"],
        lambda self, request, number, more=None: number,
        lambda self, request, *, number: number,
        staticmethod(lambda request, number: number),
    ],
    ids=range(6),
)
def test_a_handler_takes_its_variables(handler: Any) -> None:
    """In whatever way it says so."""
    assert asked(fake_with(handler, path="/notes/<int:number>")(), "/notes/7") == [7]


def test_names_that_every_fake_has() -> None:
    """All that an instance has by a public name is taken."""
    public = {name for name in {*vars(Fake()), *dir(Fake)} if not name.startswith("_")}

    assert public <= NAMES


@pytest.mark.parametrize("name", ["plan", "errors", "state", "fail"])
def test_state_that_hides_what_every_fake_has(name: str) -> None:
    """A fake whose `reset` takes one of these names is refused when it is made."""

    class Hiding(Fake):
        def reset(self) -> None:
            setattr(self, name, {})

    with pytest.raises(PlanError, match=f"^Hiding sets self.{name}, and hides what every fake has"):
        Hiding()
