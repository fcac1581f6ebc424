"""`Prompt`: a request that has reached the model, as a test wants to look at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prompt:
    """A request to generate content that was found in order.

    ::

        assert gemini.requests[-1].text == "Write a tweet about patience."
        assert gemini.requests[-1].config["temperature"] == 0.7
    """

    model: str
    """The model's name, without ``models/``."""
    version: str
    """``v1``, ``v1beta`` or ``v1alpha``."""
    stream: bool
    """Whether ``streamGenerateContent`` was called."""
    body: Mapping[str, Any]
    """The whole request. Names are in snake_case, whichever way they were sent."""

    @property
    def text(self) -> str:
        """The text of the last content, its parts joined."""
        return _joined(self.contents[-1])

    @property
    def system(self) -> str:
        """The text of the system instruction; empty when there is none."""
        return _joined(self.body.get("system_instruction", {}))

    @property
    def contents(self) -> list[Mapping[str, Any]]:
        """The conversation, oldest first."""
        return list(self.body["contents"])

    @property
    def config(self) -> Mapping[str, Any]:
        """The ``generation_config``; empty when there is none."""
        config: Mapping[str, Any] = self.body.get("generation_config", {})
        return config


def _joined(content: Mapping[str, Any]) -> str:
    parts: Iterable[Mapping[str, Any]] = content.get("parts", ())
    return "".join(part.get("text", "") for part in parts)
