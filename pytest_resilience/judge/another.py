"""The same call with another credential, where its parameters allow one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from pytest_resilience.server.server import FakeServer

__all__ = ["as_another"]

CREDENTIAL = re.compile(r"token|key|credential|secret|password|user|tenant")


def as_another(call: Callable[..., Any], server: FakeServer) -> Callable[[], Any] | None:
    """The call with a different value for a credential that is a parameter with a default."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # A builtin that does not say.
        return None
    required = [one.name for one in parameters if one.default is one.empty]
    theirs = {
        one.name: f"{one.default}-of-another"
        for one in parameters
        if isinstance(one.default, str) and CREDENTIAL.search(one.name.lower())
    }
    if not theirs or len(required) > 1:
        return None
    return lambda: call(**dict.fromkeys(required, server.url), **theirs)
