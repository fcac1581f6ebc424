"""Other people's text on its way into our log lines, and text that must not get there."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

# What a proxy shows of a request may have its own password in it.
CREDENTIALS = re.compile(r"(?i)(authorization\W+(?:basic|bearer) +)[^\s\"',;<]+")


class Secret:
    """A string that shows itself only when asked: no repr, log or locals dump has it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself. Use it in the call that needs it, do not name it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"


def one_line(text: object, limit: int = 200) -> str:
    """The text with everything that could break or forge a log line escaped, cut at `limit`."""
    line = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in str(text)[: limit + 1]
    )
    return line if len(line) <= limit else f"{line[:limit]}..."


def is_text(text: str) -> bool:
    """Whether it can be sent: half a surrogate pair, of bytes that were no UTF-8, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without(text: str, secrets: Iterable[Secret]) -> str:
    """The text with the secrets masked, in case a server or a proxy echoes what we sent."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret.reveal())}
    # Longest first: a role_id may be the beginning of the secret_id.
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) >= 4:  # shorter ones are in every other word
            text = text.replace(spelling, "***")
    return CREDENTIALS.sub(r"\1***", text)


def _spellings(value: str) -> tuple[str, ...]:
    return value, json.dumps(value)[1:-1], quote(value, safe="")
