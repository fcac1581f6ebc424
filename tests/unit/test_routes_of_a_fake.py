"""Which method of a fake answers which request, when one fake derives from another."""

import requests

from pytest_resilience import Fake, route


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
