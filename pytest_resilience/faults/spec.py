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
from pytest_resilience.errors import (
    PlanError,
    shown,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
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
        _check.refuse("fault", data, "a status, a name or an object")
    if isinstance(data, int):
        return faults.status(data)
    if isinstance(data, float):
        _check.refuse("fault", data, "a status, a name or an object")
    if isinstance(data, list):
        return faults.together(*(fault_from(part, presets) for part in data))
    if isinstance(data, str):
        return _build(data, {}, presets or {})
    if not isinstance(data, Mapping) or not isinstance(data.get("fault"), str):
        _check.refuse("fault", data, '{"fault": NAME, ARGUMENT: VALUE}')
    arguments = {str(key): value for key, value in data.items() if key != "fault"}
    return _build(data["fault"], arguments, presets or {})


def _build(name: str, arguments: dict[str, Any], presets: Mapping[str, Fault]) -> Fault:
    plain = {"ok": faults.OK, **presets}
    if name in plain and not arguments:
        return plain[name]
    known = catalogue()
    if name not in known:
        if name in plain:
            raise PlanError(f"{name}: takes no arguments, got {', '.join(arguments)}")
        raise PlanError(unknown(name, ["ok", *sorted(presets), *sorted(known)]))
    make = known[name]
    allowed = list(inspect.signature(make).parameters)
    if "body" in allowed:
        _take_bytes(arguments)
    for key in arguments:
        if key not in allowed:
            hint = _check.nearest(key, allowed)
            takes = ", ".join(allowed) or "no arguments"
            raise PlanError(f"{name}: no argument is named {key!r}{hint}; it takes {takes}")
    _check_complete(name, make, arguments)
    return make(**{key: _value(key, value) for key, value in arguments.items()})


def unknown(name: str, names: Collection[str]) -> str:
    """What to say of a fault that does not exist."""
    hint = _check.nearest(name, names)
    if name.isascii() and name.isdecimal():
        hint = "; a status is a number, without quotes"
    if name == "together":
        hint = "; several on one attempt are faults.together(...), in JSON a list in the list"
    return f"no fault is named {shown(name)}{hint}; there are: {', '.join(names)}"


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
        _check.refuse("rule", data, '{"faults": [503], "times": 3}')
    said = {str(key): value for key, value in data.items() if value is not None}
    for key in said:
        if key not in RULE_KEYS:
            raise PlanError(f"a rule has no field {shown(key)}{_hint(key)}")
    return _faults_of(said, presets), _keywords(said)


def _hint(key: str) -> str:
    if key == "when":
        return ": a predicate is Python, it cannot be sent as JSON"
    if key == "fault":
        return '; its faults are a list: {"faults": [{"fault": "latency", "seconds": 2}]}'
    return f"{_check.nearest(key, RULE_KEYS)}; it has {', '.join(RULE_KEYS)}"


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
    elif "times" in keywords:
        _check.times("times", keywords["times"], f'"{ENDLESS}"')
    if isinstance(keywords.get("between"), list):
        keywords["between"] = [float("inf") if b == ENDLESS else b for b in keywords["between"]]
    _take_bytes(keywords)
    return keywords


def _take_bytes(said: dict[str, Any]) -> None:
    """The bytes of ``body_base64`` as ``body``."""
    if "body_base64" not in said:
        return
    if "body" in said:
        _check.refuse("body_base64", said["body_base64"], "body or body_base64, not both")
    said["body"] = _bytes("body_base64", said.pop("body_base64"))


def _bytes(field: str, value: object) -> bytes:
    if not isinstance(value, str):
        _check.refuse(field, value, "bytes in base64")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        _check.refuse(field, value, "bytes in base64")
