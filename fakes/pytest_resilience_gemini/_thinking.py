"""How much the model may think: what is out of range, and what a model does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_resilience_gemini._errors import ApiError

# Measured of each, by several projects: the flash models from 3.7 on, and 3.1 Pro; the smaller
# ones take it.
NEVER_MINIMAL = re.compile(r"gemini-3\.(7|8)-flash(?!-lite)|gemini-3\.1-pro")


# ai.google.dev/gemini-api/docs/thinking, with the words of several projects that have asked each.
BUDGETS = {
    "gemini-2.5-pro": (128, 32_768),
    "gemini-2.5-flash-lite": (512, 24_576),
    "gemini-2.5-flash": (0, 24_576),
}
ALWAYS_THINKS = re.compile(r"gemini-(2\.5|3\.1)-pro")


def out_of_range(thinking: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the budget."""
    if not -1 <= thinking.get("thinking_budget", -1) <= 65535:
        path = "thinking_config.thinking_budget"
        yield f"{path}: thinking_budget must be in the range [-1, 65535]"


def check(thinking: Mapping[str, Any], model: str) -> None:
    """Refuse a level beside a budget, and what the model cannot do of either.

    More than ten public projects quote the first, and as many the others.
    """
    budget = thinking.get("thinking_budget")
    level = thinking.get("thinking_level", "THINKING_LEVEL_UNSPECIFIED")
    if level == "THINKING_LEVEL_UNSPECIFIED":
        if budget is not None:
            _check_budget(budget, model)
        return
    if budget is not None:
        raise ApiError(400, "You can only set only one of thinking budget and thinking level.")
    if model.startswith("gemini-2.5"):
        raise ApiError(400, "Thinking level is not supported for this model.")
    if level == "MINIMAL" and NEVER_MINIMAL.match(model):
        raise ApiError(
            400,
            "Thinking level MINIMAL is not supported for this model. Please retry with other "
            "thinking level.",
        )


def _check_budget(budget: int, model: str) -> None:
    """Of a budget in tokens; -1 leaves it to the model, and 0 is not to think."""
    if budget == 0 and ALWAYS_THINKS.match(model):
        raise ApiError(400, "Budget 0 is invalid. This model only works in thinking mode.")
    least, most = BUDGETS.get(model, (0, budget))
    if budget > 0 and not least <= budget <= most:
        raise ApiError(
            400,
            f"The thinking budget {budget} is invalid. Please choose a value between {least} and "
            f"{most}.",
        )
