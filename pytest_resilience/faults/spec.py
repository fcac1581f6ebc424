"""Faults and rules as JSON data, for the control API, scenario files and other languages.

A fault is an int (a status), a name (``"timeout"``), or an object with the name under
``fault`` and its arguments beside it: ``{"fault": "latency", "seconds": 2}``. A list is
several faults on one attempt.

A rule is an object with what ``fail`` is told under the names that it has there:
``{"faults": [503, "timeout"], "times": 3, "path": "/v1/*"}``.
"""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final

from pytest_resilience import faults
from pytest_resilience.errors import PlanError
from pytest_resilience.faults import _check
from pytest_resilience.faults._script import Fault

VALUES = ("http_date", "uniform", "lognormal")
TAKE_VALUES = ("seconds", "retry_after")
"""The arguments that may be one of these; a status's body keeps such an object as it is."""

RULE_KEYS: Final = (
    "faults",
    "times",
    "method",
    "path",
    "header",
    "body",
    "body_base64",
    "probability",
    "seed",
    "between",
    "after",
)
"""What a rule may say."""

ENDLESS = "forever"


def catalogue() -> dict[str, Callable[..., Fault]]:
    """Every fault by name."""
    names = [n for n in faults.__all__ if n.islower() and n not in (*VALUES, "together")]
    return {name: getattr(faults, name) for name in names}


def without_arguments() -> dict[str, Callable[[], Fault]]:
    """The faults that can be built from their name alone."""
    return {
        name: make
        for name, make in catalogue().items()
        if all(f.default is not MISSING or f.default_factory is not MISSING for f in fields(make))  # type: ignore[arg-type]  # all are dataclasses
    }


def fault_from(data: object, presets: Mapping[str, Fault] | None = None) -> Fault:
    """The fault that this JSON data means.

    Raises:
        PlanError: It means none; says what was wanted.
    """
    if isinstance(data, bool) or data is None:
        raise PlanError(f"fault={data!r} is not allowed: wanted a status, a name or an object")
    if isinstance(data, int):
        return faults.status(data)
    if isinstance(data, list):
        return faults.together(*(fault_from(part, presets) for part in data))
    if isinstance(data, str):
        return _build(data, {}, presets or {})
    if isinstance(data, Mapping):
        arguments = {str(key): value for key, value in data.items()}
        name = arguments.pop("fault", None)
        if isinstance(name, str):
            return _build(name, arguments, presets or {})
    raise PlanError(f'fault={data!r} is not allowed: wanted {{"fault": NAME, ARGUMENT: VALUE}}')


def _build(name: str, arguments: dict[str, Any], presets: Mapping[str, Fault]) -> Fault:
    if name == "ok" and not arguments:
        return faults.OK
    if name in presets and not arguments:
        return presets[name]
    known = catalogue()
    if name not in known:
        names = ", ".join(["ok", *sorted(presets), *sorted(known)])
        raise PlanError(f"no fault is named {name!r}; there are: {names}")
    make = known[name]
    allowed = list(inspect.signature(make).parameters)
    if "body" in allowed and "body_base64" in arguments and "body" not in arguments:
        arguments["body"] = _bytes("body_base64", arguments.pop("body_base64"))
    for key in arguments:
        if key not in allowed:
            takes = ", ".join(allowed) or "no arguments"
            raise PlanError(f"{name}: no argument is named {key!r}; it takes {takes}")
    _check_complete(name, make, arguments)
    return make(**{key: _value(key, value) for key, value in arguments.items()})


def _check_complete(name: str, make: Callable[..., object], given: Collection[object]) -> None:
    """Refuse a call that leaves out what has no default, in the words of who wrote it."""
    parameters = inspect.signature(make).parameters
    missing = [key for key, p in parameters.items() if p.default is p.empty and key not in given]
    if missing:
        listed = ", ".join(repr(key) for key in missing)
        raise PlanError(f"{name}: {listed} is missing; it takes {', '.join(parameters)}")


def _value(key: str, value: object) -> object:
    """Arguments that are values of their own: ``{"uniform": [1, 2]}``."""
    if key in TAKE_VALUES and isinstance(value, Mapping) and len(value) == 1:
        (kind, arguments) = next(iter(value.items()))
        if kind in VALUES:
            listed = arguments if isinstance(arguments, list) else [arguments]
            make = getattr(faults, kind)
            wanted = list(inspect.signature(make).parameters)
            if len(listed) != len(wanted):
                _check.refuse(kind, arguments, f"[{', '.join(wanted)}]")
            return make(*listed)
    return value


def rule_from(
    data: object, presets: Mapping[str, Fault] | None = None
) -> tuple[tuple[Fault, ...], dict[str, Any]]:
    """The positional and the keyword arguments of ``fail`` that this JSON data means.

    The values are `fail`'s to check, since it says what each may be.

    Raises:
        PlanError: It is no rule, or one of its faults means none.
    """
    if not isinstance(data, Mapping):
        raise PlanError(f'rule={data!r} is not allowed: wanted {{"faults": [503], "times": 3}}')
    said = {str(key): value for key, value in data.items() if value is not None}
    for key in said:
        if key not in RULE_KEYS:
            raise PlanError(f"a rule has no field {key!r}{_hint(key)}")
    return _faults_of(said, presets), _keywords(said)


def _hint(key: str) -> str:
    if key == "when":
        return ": a predicate is Python, it cannot be sent as JSON"
    if key == "fault":
        return '; its faults are a list: {"faults": [{"fault": "latency", "seconds": 2}]}'
    return f"; it has {', '.join(RULE_KEYS)}"


def _faults_of(said: Mapping[str, Any], presets: Mapping[str, Fault] | None) -> tuple[Fault, ...]:
    listed = said.get("faults", [])
    if not isinstance(listed, list):
        listed = [listed]
    if not listed:
        _check.refuse("faults", said.get("faults"), 'at least one fault, such as [503, "timeout"]')
    return tuple(fault_from(part, presets) for part in listed)


def _keywords(said: Mapping[str, Any]) -> dict[str, Any]:
    keywords = {key: value for key, value in said.items() if key != "faults"}
    if keywords.get("times") == ENDLESS:
        keywords["times"] = float("inf")
    elif "times" in keywords and not isinstance(keywords["times"], int):
        _check.refuse("times", keywords["times"], f'a whole number, 1 or more, or "{ENDLESS}"')
    if isinstance(keywords.get("between"), list):
        keywords["between"] = [float("inf") if b == ENDLESS else b for b in keywords["between"]]
    if "body_base64" in keywords:
        if "body" in keywords:
            _check.refuse("body_base64", keywords["body_base64"], "body or body_base64, not both")
        keywords["body"] = _bytes("body_base64", keywords.pop("body_base64"))
    return keywords


def _bytes(field: str, value: object) -> bytes:
    if not isinstance(value, str):
        _check.refuse(field, value, "bytes in base64")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        _check.refuse(field, value, "bytes in base64")
