"""The fake's state as JSON, for the control API; what cannot be meant is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_gemini import _models
from pytest_resilience_gemini._models import Model
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._reply import Reply

Say = str | Reply | Callable[[Prompt], str | Reply]


def to_json(says: Iterable[Say], models: Mapping[str, Model], api_key: str) -> dict[str, Any]:
    """The state; a function that was given to ``say`` is shown by its name."""
    return {
        "say": [_say_to_json(say) for say in says],
        "models": [dict(model) for model in models.values()],
        "api_key": api_key,
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
    models = [_models.describe(entry) if isinstance(entry, str) else entry for entry in data]
    return {_name(model): {**_models.describe(_name(model)), **model} for model in models}


def _name(model: Any) -> str:
    name = model.get("name") if isinstance(model, dict) else None
    if not isinstance(name, str) or not name.removeprefix("models/"):
        raise PlanError(f'state: a model wants a name such as "gemini-3.8-flash", not {model!r}')
    return name.removeprefix("models/")


def _key_from_json(data: Any) -> str:
    """The valid key."""
    if not isinstance(data, str) or not data:
        raise PlanError("state: api_key wants a text that is not empty")
    return data


READERS: dict[str, Callable[[Any], Any]] = {
    "say": _says_from_json,
    "models": _models_from_json,
    "api_key": _key_from_json,
}
