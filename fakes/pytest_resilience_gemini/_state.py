"""The fake's state as JSON, for the control API; what cannot be meant is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_gemini import _models
from pytest_resilience_gemini._models import Model
from pytest_resilience_gemini._quota import Quota
from pytest_resilience_gemini._reply import Reply
from pytest_resilience_gemini._says import Say


def to_json(
    says: Iterable[Say], models: Mapping[str, Model], api_key: str, quota: Quota
) -> dict[str, Any]:
    """The state; a function that was given to ``say`` is shown by its name."""
    return {
        "say": [_say_to_json(say) for say in says],
        "models": [dict(model) for model in models.values()],
        "api_key": api_key,
        "quota": quota.to_json(),
    }


def _say_to_json(say: Say) -> Any:
    if isinstance(say, str):
        return say
    if isinstance(say, Reply):
        return say.to_json()
    return {"function": getattr(say, "__qualname__", type(say).__name__)}


def from_json(state: Any) -> dict[str, Any]:
    """The parts that are given, read.

    Raises:
        PlanError: A part is unknown, or not what it should be.
    """
    if not isinstance(state, Mapping):
        raise PlanError(f"state: want an object, not {state!r}")
    unknown = sorted(str(part) for part in state if part not in READERS)
    if unknown:
        raise PlanError(f"state: no part {unknown[0]!r}; there are: {', '.join(READERS)}")
    return {part: READERS[part](value) for part, value in state.items()}


def _says_from_json(data: Any) -> list[Say]:
    """What is to be said, of a list of texts and objects."""
    if not isinstance(data, list) or not data:
        raise PlanError(f"state: say wants a list of texts or replies, not {data!r}")
    return [Reply.from_json(entry) for entry in data]


def _models_from_json(data: Any) -> dict[str, Model]:
    """Models, of a list of names or of resources as the API lists them."""
    if not isinstance(data, list):
        raise PlanError(f"state: models wants a list of names or resources, not {data!r}")
    models = [_model(entry) for entry in data]
    return {model["name"].removeprefix("models/"): model for model in models}


def _model(entry: Any) -> Model:
    given = {"name": entry} if isinstance(entry, str) else entry
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(name, str) or not _models.SERVED.fullmatch(name.removeprefix("models/")):
        raise PlanError(f'state: a model wants a name such as "gemini-3.8-flash", not {entry!r}')
    for field, value in given.items():
        _check_field(field, value)
    short = name.removeprefix("models/")
    return {**_models.describe(short), **given, "name": f"models/{short}"}


def _check_field(field: str, value: Any) -> None:
    if field not in MODEL_FIELDS:
        names = ", ".join(MODEL_FIELDS)
        raise PlanError(f"state: a model has no field {field!r}; there are: {names}")
    kind = MODEL_FIELDS[field]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise PlanError(f"state: a model's {field} cannot be {value!r}")


def key_checked(key: Any, where: str = "state: api_key") -> str:
    """A key that can be sent in a header.

    Raises:
        PlanError: It is something else.
    """
    if not isinstance(key, str) or not re.fullmatch(r"[!-~]+", key):
        raise PlanError(f"{where} wants visible ASCII characters without blanks")
    return key


# The Model resource, ai.google.dev/api/models.
MODEL_FIELDS: dict[str, Any] = {
    "name": str,
    "baseModelId": str,
    "version": str,
    "displayName": str,
    "description": str,
    "inputTokenLimit": int,
    "outputTokenLimit": int,
    "supportedGenerationMethods": list,
    "thinking": bool,
    "temperature": int | float,
    "maxTemperature": int | float,
    "topP": int | float,
    "topK": int,
}

READERS: dict[str, Callable[[Any], Any]] = {
    "say": _says_from_json,
    "models": _models_from_json,
    "api_key": key_checked,
    "quota": Quota.from_json,
}
