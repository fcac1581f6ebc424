"""Where the key, the model and the address of the service come from."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gemini_errors import ConfigurationError, without_frames
from redaction import register_secret

ENV_FILE = Path(__file__).parent / ".env"

DEFAULT_BASE_URL = "https://generativelanguage.googleapis.com"
# gemini-1.5-flash, which this program was written for, answers 404 since 2025.
DEFAULT_MODEL = "gemini-3.8-flash"


@dataclass(frozen=True)
class Settings:
    """What one request needs; the key stays out of ``repr``."""

    api_key: str = field(repr=False)
    model: str = DEFAULT_MODEL
    base_url: str = DEFAULT_BASE_URL


@without_frames
def load_settings() -> Settings:
    """Read the environment; what it leaves out is looked up in ``.env``.

    Raises:
        ConfigurationError: No key, or a value that cannot be right. The text
            never shows the key.
    """
    env_file = _read_env_file()

    def look_up(name: str, default: str = "") -> str:
        return os.environ.get(name, "").strip() or env_file.get(name, "").strip() or default

    return Settings(
        api_key=_checked_key(look_up("GEMINI_API_KEY")),
        model=_checked_model(look_up("GEMINI_MODEL", DEFAULT_MODEL)),
        base_url=_checked_url(look_up("GOOGLE_GEMINI_BASE_URL", DEFAULT_BASE_URL)),
    )


def _read_env_file() -> dict[str, str]:
    try:
        from dotenv import dotenv_values
    except ImportError:
        # Optional: whoever sets the environment otherwise does not need it.
        return {}
    # utf-8-sig: Windows' Notepad may put a byte order mark in front.
    try:
        values = dotenv_values(ENV_FILE, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        # PowerShell's redirection writes UTF-16.
        reason = type(error).__name__
        raise ConfigurationError(f"{ENV_FILE} cannot be read as UTF-8 text: {reason}") from None
    return {name: text for name, text in values.items() if text}


def _checked_key(key: str) -> str:
    if not key:
        raise ConfigurationError(
            "GEMINI_API_KEY is not set: export it, or copy .env.example to .env "
            "and put the key there (.env is read when python-dotenv is installed)"
        )
    register_secret(key)
    # Checked here because requests quotes a header value it refuses, key and all.
    if not re.fullmatch(r"[!-~]+", key):
        raise ConfigurationError(
            "GEMINI_API_KEY contains a space, a line break or a non-ASCII character"
        )
    return key


def _checked_model(text: str) -> str:
    model = text.removeprefix("models/")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", model):
        raise ConfigurationError(
            f"GEMINI_MODEL={model!r} is not a model's name such as {DEFAULT_MODEL}"
        )
    return model


def _checked_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    # Not echoed: what stands before an @ or after a ? may be a password or a key.
    if not usable or "@" in text or "?" in text or "#" in text:
        raise ConfigurationError(
            "GOOGLE_GEMINI_BASE_URL must look like https://host[:port][/path], "
            "without user, query and fragment"
        )
    return text.rstrip("/")
