"""The query of a call: parameters that there are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_resilience_gemini._errors import ApiError, bad_request

if TYPE_CHECKING:
    from werkzeug import Request

# What every API of Google's takes (cloud.google.com/apis/docs/system-parameters); each may
# have a dollar in front.
SYSTEM = frozenset(
    {
        "access_token",
        "alt",
        "callback",
        "fields",
        "key",
        "oauth_token",
        "prettyPrint",
        "quotaUser",
        "uploadType",
        "upload_protocol",
        ".xgafv",
        "userProject",
    }
)


def check(request: Request) -> None:
    """Refuse parameters that are nowhere in the request's message (numAi#1)."""
    if not request.query_string:
        return
    problems = [
        f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
        for name in request.args
        if name.removeprefix("$") not in SYSTEM
    ]
    if problems:
        details = [bad_request({"description": text} for text in problems)]
        raise ApiError(400, "\n".join(problems), details=details)
