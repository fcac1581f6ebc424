"""The routes of a fake: marked on its methods, and refused where they cannot be meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection
from types import CodeType, FunctionType
from typing import Any, TypeVar

from werkzeug.routing import Map, Rule

from pytest_resilience.errors import (
    PlanError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.faults import _check

Handler = TypeVar("Handler", bound=Callable[..., Any])
ROUTES = "_pytest_resilience_routes"
VARIABLE = re.compile(r"<[^>]*>")


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Let a method of a `Fake` answer this request; a method may have several routes.

    Args:
        method: ``"GET"``, or several: ``"PUT POST"``. GET answers HEAD as well.
        path: A werkzeug rule: ``"/repos/<owner>/<int:number>"``.

    Raises:
        PlanError: One of them cannot be meant, or what is marked is no method.
    """
    _check_words(method, path)

    def mark(handler: Handler) -> Handler:
        _check_handler(handler)
        routes: list[tuple[str, str]] = [*getattr(handler, ROUTES, ()), (method, path)]
        setattr(handler, ROUTES, routes)
        return handler

    return mark


def _check_words(method: object, path: object) -> None:
    methods = method.split() if isinstance(method, str) else []
    if not methods or not all(map(_check.TOKEN.fullmatch, methods)):
        _check.refuse("route(method)", method, 'a method such as "GET", or several: "PUT POST"')
    if not isinstance(path, str) or not path.startswith("/") or not path.isprintable():
        _check.refuse("route(path)", path, 'a path that starts with "/"')
    if "?" in VARIABLE.sub("", path):
        _check.refuse("route(path)", path, "a path without a query; look at request.args")


def _check_handler(handler: object) -> None:
    if isinstance(handler, property) or inspect.iscoroutinefunction(handler):
        _check.refuse("route(...)", handler, "a plain method to mark")


def url_map(cls: type, taken: Collection[str]) -> Map:
    """The routes of this class; its handlers may not have the names that are taken.

    Raises:
        PlanError: Of a route that cannot be meant, with the method that has it.
    """
    urls = Map(strict_slashes=False, merge_slashes=False)
    for name in dir(cls):
        routes = _routes(cls, name)
        place = f"{cls.__name__}.{name}"
        if routes and name in taken:
            raise PlanError(f"{place} hides what every fake has: give the route another name")
        for methods, path in routes:
            try:
                rule = Rule(path, endpoint=name, methods=methods.split())
                urls.add(rule)
            except Exception as error:  # noqa: BLE001 -- werkzeug's, or a converter's
                _check.refuse(f"{place}: route(path)", path, f"a rule of werkzeug's ({error})")
            _check_arguments(place, inspect.getattr_static(cls, name), rule)
    return urls


def _routes(cls: type, name: str) -> list[tuple[str, str]]:
    """Of a method; one that overrides another has its routes, unless it says its own."""
    if not callable(getattr(cls, name, None)):
        return []  # ``name = None`` takes a route away.
    said = (getattr(vars(base).get(name), ROUTES, None) for base in cls.__mro__)
    return next((routes for routes in said if routes), [])


def _check_arguments(place: str, handler: object, rule: Rule) -> None:
    """Refuse a method that cannot be called with the variables of its path."""
    if not isinstance(handler, FunctionType):  # Nobody can tell quickly, so it may be right.
        return
    code = handler.__code__
    if code.co_flags & inspect.CO_VARARGS or _takes(code, handler, rule.arguments):
        return
    came = ", ".join(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    wanted = ", ".join(["self", "request", *sorted(rule.arguments)])
    raise PlanError(f"{place}({came}) cannot answer {rule.rule}: wanted ({wanted})")


def _takes(code: CodeType, handler: FunctionType, names: Collection[str]) -> bool:
    by_name = code.co_varnames[2 : code.co_argcount + code.co_kwonlyargcount]
    if code.co_argcount < 2:
        return False
    if not code.co_flags & inspect.CO_VARKEYWORDS and not set(names) <= set(by_name):
        return False
    defaults = len(handler.__defaults__ or ())
    needed = code.co_varnames[2 : code.co_argcount - defaults]
    return set(needed) <= set(names)
