"""A fake of Google's Gemini API: a real server on loopback that answers as the service does."""

from pytest_resilience_gemini import stream
from pytest_resilience_gemini._gemini import Gemini
from pytest_resilience_gemini._prompt import Prompt
from pytest_resilience_gemini._reply import Reply

__all__ = ["Gemini", "Prompt", "Reply", "stream"]
