"""The models a fake serves: their resources, the list in pages, and the 404 of a retired one."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_resilience import PlanError
from pytest_resilience_gemini._errors import ApiError

# Current by ai.google.dev/gemini-api/docs/deprecations, as of 2026. gemini-1.5-flash and
# every 2.0 model are retired: the service answers 404, and so does the fake.
GENERATE = (
    "gemini-3.8-flash",
    "gemini-3.7-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-pro-preview",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
)
EMBED = ("gemini-embedding-001",)
# Names for the newest of a kind, which google-genai's own pages call, and koharu#790. Which ones
# those are, and that an answer says so in its modelVersion and its quota, is inferred.
LATEST = {
    "gemini-flash-latest": "gemini-3.8-flash",
    "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
    "gemini-pro-latest": "gemini-3.1-pro-preview",
}

# With capitals or blanks it is none: cherry-studio#9863, pluely#240, godot-simple-gemini-api#3. Of
# other signs there is no report, nor of methods other than GenerateContent and GetModel.
NAME = re.compile(r"[^A-Z\s]*")
SERVED = re.compile(r"[^/:]+")

PAGE_DEFAULT = 50
PAGE_MOST = 1000

Model = dict[str, Any]


def default_models() -> dict[str, Model]:
    """The models of a new fake, by name."""
    return {name: describe(name) for name in (*GENERATE, *LATEST, *EMBED)}


def meant(name: str) -> str:
    """The model that a name stands for; nearly always that of this name."""
    return LATEST.get(name, name)


def names(given: object) -> list[str]:
    """What a test calls its models, without ``models/``.

    Raises:
        PlanError: It is no list, or has what no path can name.
    """
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [None]
    short = [name.removeprefix("models/") if isinstance(name, str) else "" for name in listed]
    if not all(SERVED.fullmatch(name) for name in short):
        raise PlanError(f"Gemini(models={given!r}): want a list of names")
    return short


def describe(name: str) -> Model:
    """The resource of a model, as ``models.get`` shows it."""
    if "embedding" in name:
        return {
            "name": f"models/{name}",
            "version": "001",
            "displayName": _title(name),
            "description": "Obtain a distributed representation of a text.",
            "inputTokenLimit": 2048,
            "outputTokenLimit": 1,
            "supportedGenerationMethods": ["embedContent", "countTextTokens", "countTokens"],
        }
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": _title(name),
        "description": f"{_title(name)}, imitated by pytest-resilience",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": [
            "generateContent",
            "countTokens",
            "createCachedContent",
            "batchGenerateContent",
        ],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _title(name: str) -> str:
    return name.replace("-", " ").title()


def without(models: Mapping[str, Model], names: Iterable[str]) -> dict[str, Model]:
    """All but these models."""
    gone = list(names)
    for name in gone:
        if name not in models:
            there = ", ".join(models) or "none"
            raise PlanError(f"retire({name!r}): there is no such model; there are: {there}")
    return {name: model for name, model in models.items() if name not in gone}


def find(models: Mapping[str, Model], name: str, version: str, method: str) -> Model:
    """The model, if it is served and knows the method; else the service's 404."""
    model = models.get(name)
    wanted = "generateContent" if method == "streamGenerateContent" else method
    wanted = "embedContent" if wanted == "batchEmbedContents" else wanted
    if model is None and not NAME.fullmatch(name):
        raise bad_name(f"{_message(method)}.model")
    if model is None or wanted not in model["supportedGenerationMethods"]:
        raise not_found(name, version, method)
    return model


def get(models: Mapping[str, Model], name: str, version: str) -> Model:
    """The resource of one model; the words of its 404 are not those of a call to a model."""
    if name not in models and not NAME.fullmatch(name):
        raise bad_name("GetModelRequest.name")
    if name not in models:
        raise ApiError(404, f"Model is not found: models/{name} for api version {version}")
    return models[name]


def bad_name(field: str) -> ApiError:
    """What cannot be the name of a model; of one that is served nothing is said."""
    return ApiError(400, f"* {field}: unexpected model name format\n")


def _message(method: str) -> str:
    """What the requests of a method are called."""
    name = method.removeprefix("stream")
    return f"{name[0].upper()}{name[1:]}Request"


def not_found(name: str, version: str, method: str) -> ApiError:
    """No such model, or not any more (obsidian-quiz-generator#43). No details."""
    return ApiError(
        404,
        f"models/{name} is not found for API version {version}, or is not supported for "
        f"{method}. Call ListModels to see the list of available models and their supported "
        "methods.",
    )


def page(models: Iterable[Model], page_size: int = 0, page_token: str = "") -> dict[str, Any]:
    """One page of the list.

    Args:
        models: All of them, in order.
        page_size: How many; 50 when there is none, 1000 at the most.
        page_token: What the page before has said.
    """
    if page_size < 0:
        raise ApiError(400)
    listed = list(models)
    count = min(page_size or PAGE_DEFAULT, PAGE_MOST)
    start = _start(listed, page_token) if page_token else 0
    answer: dict[str, Any] = {"models": listed[start : start + count]}
    if start + count < len(listed):
        answer["nextPageToken"] = _token(listed[start + count - 1])
    return answer


def _token(last: Model) -> str:
    return base64.urlsafe_b64encode(last["name"].encode()).decode()


def _start(models: list[Model], token: str) -> int:
    """The place after the model that the token names."""
    try:
        last = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise ApiError(400) from None
    places = [place for place, model in enumerate(models, 1) if model["name"] == last]
    if not places:
        raise ApiError(400)
    return places[0]
