"""A policy as data: from TOML, JSON, or any mapping."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from pytest_resilience.errors import (
    PolicyError,
    tells_all as __tracebackhide__,  # noqa: F401 -- pytest's
)
from pytest_resilience.policy import _check, line
from pytest_resilience.policy._check import FOREVER
from pytest_resilience.policy.backoff import Backoff, Jitter
from pytest_resilience.policy.breaker import Breaker
from pytest_resilience.policy.logs import LogContract
from pytest_resilience.policy.policy import RetryPolicy

__all__ = ["made_of"]

PLACES = (("tool", "pytest-resilience", "policy"), ("policy",))
"""Where a policy stands in a file: in pyproject.toml, and in one of its own."""

PARTS = {"backoff": Backoff, "jitter": Jitter, "breaker": Breaker, "logs": LogContract}


def made_of(
    source: str | os.PathLike[str] | Mapping[str, object], make: Callable[..., RetryPolicy]
) -> RetryPolicy:
    """The policy that this file or mapping means; an error names the file."""
    if isinstance(source, Mapping):
        return make(**_claims(_found(source, "the mapping")))
    if not isinstance(source, str | os.PathLike):
        _check.refuse("from_toml(source)", source, "a path, or a mapping")
    import tomllib

    path = Path(source)
    if path.is_dir():
        path = _project_of(path)
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"{path} cannot be read: {error}") from error
    try:
        return make(**_claims(_found(data, str(path))))
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def _project_of(folder: Path) -> Path:
    """The pyproject.toml with a policy that is nearest to this folder, in it or above."""
    import tomllib

    unread = ""
    for place in (folder.resolve(), *folder.resolve().parents):
        path = place / "pyproject.toml"
        try:
            tools = tomllib.loads(path.read_text("utf-8")).get("tool", {})
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:  # Not ours to complain of, if another one has it.
            unread += f"; {path} cannot be read: {error}"
            continue
        if "policy" in tools.get("pytest-resilience", {}):
            return path
    raise PolicyError(
        f"no pyproject.toml in {folder} or above has a table [tool.pytest-resilience.policy]"
        f"{unread}"
    )


def _found(data: Mapping[str, Any], where: str) -> object:
    for place in PLACES:
        part: object = data
        for key in place:
            part = part.get(key) if isinstance(part, Mapping) else None
        if part is not None:
            return part
    known = {field.name for field in fields(RetryPolicy)}
    if "tool" in data and not known & set(data):
        raise PolicyError(f"{where} has no table [tool.pytest-resilience.policy]")
    return data


def _claims(said: object) -> dict[str, Any]:
    if isinstance(said, str):
        return line.claims_of(said)
    if not isinstance(said, Mapping):
        raise PolicyError(
            f"policy={said!r} is not allowed: wanted a table, or a policy in one line"
        )
    known = [field.name for field in fields(RetryPolicy)]
    claims = {}
    for key, value in said.items():
        name = str(key).replace("-", "_")
        if name not in known:
            raise PolicyError(f"a policy has no {key!r}{_nearest(name, known)}")
        claims[name] = _value(name, value)
    return claims


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 -- JSON
    if name == "attempts" and value == "forever":
        return FOREVER
    if name in PARTS and isinstance(value, Mapping):
        make = PARTS[name]
        known = [field.name for field in fields(make)]
        for key in value:
            if key not in known:
                raise PolicyError(f"{name} has no {key!r}{_nearest(str(key), known)}")
        for field in fields(make):
            if field.default is field.default_factory is MISSING and field.name not in value:
                raise PolicyError(f"{name}={value!r} is not allowed: wanted {field.name} in it")
        try:
            return make(**value)
        except TypeError as error:
            raise PolicyError(f"{name}={value!r} is not allowed: {error}") from error
    return value


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint}; it has {', '.join(known)}" if not close else hint
