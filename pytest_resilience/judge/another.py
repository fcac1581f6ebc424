"""The same call with another credential, where its parameters allow one."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

__all__ = ["as_another"]

CREDENTIAL = re.compile(r"token|key|credential|secret|password|user|tenant")


def as_another(call: Callable[..., Any]) -> Callable[..., Any] | None:
    """The call with a different value for a credential that is a parameter with a default."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # A builtin that does not say.
        return None
    theirs = {
        one.name: f"{one.default}-of-another"
        for one in parameters
        if isinstance(one.default, str)
        and one.kind is not one.POSITIONAL_ONLY
        and CREDENTIAL.search(one.name.lower())
    }
    return functools.partial(call, **theirs) if theirs else None
