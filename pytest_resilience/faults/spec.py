"""Faults as JSON data, for the control API, scenario files and other languages.

A fault is an int (a status), a name (``"timeout"``), or an object with the name under
``fault`` and its arguments beside it: ``{"fault": "latency", "seconds": 2}``. A list is
several faults on one attempt.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from pytest_resilience import faults
from pytest_resilience.errors import PlanError
from pytest_resilience.faults._script import Fault

VALUES = ("http_date", "uniform", "lognormal")


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
    for key in arguments:
        if key not in allowed:
            takes = ", ".join(allowed) or "no arguments"
            raise PlanError(f"{name}: no argument is named {key!r}; it takes {takes}")
    values = {key: _value(value) for key, value in arguments.items()}
    try:
        return make(**values)
    except TypeError as error:
        raise PlanError(f"{name}: {error}") from error


def _value(value: Any) -> Any:
    """Arguments that are values of their own: ``{"uniform": [1, 2]}``."""
    if isinstance(value, Mapping) and len(value) == 1:
        (kind, arguments) = next(iter(value.items()))
        if kind in VALUES:
            listed = arguments if isinstance(arguments, list) else [arguments]
            return getattr(faults, kind)(*listed)
    return value
