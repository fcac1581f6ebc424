"""The key, the model and the address come from the environment, or from .env."""

import sys
from pathlib import Path

import dotenv
import pytest

import settings
from gemini_errors import ConfigurationError
from main import generate_tweet
from pytest_resilience_gemini import Gemini
from settings import load_settings

KEY = "AIzaSy-0123456789-0123456789-0123456789"


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)


@pytest.mark.usefixtures("_key")
def test_defaults() -> None:
    """With a key and nothing else, the real service is asked for a current model."""
    loaded = load_settings()

    assert loaded.api_key == KEY
    assert loaded.model == "gemini-3.8-flash"
    assert loaded.base_url == "https://generativelanguage.googleapis.com"


@pytest.mark.parametrize("key", [None, "", "  \n"])
def test_without_a_key_there_is_a_clear_message(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """A missing or blank key is named, with what to do about it."""
    if key is not None:
        monkeypatch.setenv("GEMINI_API_KEY", key)

    with pytest.raises(ConfigurationError, match=r"^GEMINI_API_KEY is not set: export it, or"):
        generate_tweet("nothing")


@pytest.mark.parametrize("key", ["secret key", "secret\nkey", "secret\r\nX: y", "secrét-key"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Our error, unlike that of requests, does not quote the key."""
    monkeypatch.setenv("GEMINI_API_KEY", key)

    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY contains a space") as caught:
        generate_tweet("nothing")

    assert "secr" not in str(caught.value)


@pytest.mark.usefixtures("fake_gemini")
def test_blanks_around_a_key_are_dropped(
    fake_gemini: Gemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key pasted with a line break works."""
    monkeypatch.setenv("GEMINI_API_KEY", f" {fake_gemini.api_key}\n")

    generate_tweet("nothing")

    assert fake_gemini.trace[0].headers["x-goog-api-key"] == fake_gemini.api_key


@pytest.mark.parametrize("name", ["gemini-3.7-flash", "models/gemini-3.7-flash"])
def test_the_model_is_configurable(
    fake_gemini: Gemini, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """GEMINI_MODEL names the model, with or without "models/"."""
    monkeypatch.setenv("GEMINI_MODEL", name)

    generate_tweet("nothing")

    assert fake_gemini.trace[0].path == "/v1beta/models/gemini-3.7-flash:generateContent"


@pytest.mark.parametrize("name", ["../evil", "a/b", "a?key=b", "a b", "-", "models/"])
@pytest.mark.usefixtures("_key")
def test_a_model_that_would_bend_the_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """GEMINI_MODEL is a name, not a piece of a URL."""
    monkeypatch.setenv("GEMINI_MODEL", name)

    with pytest.raises(ConfigurationError, match=r"GEMINI_MODEL=.* is not a model's name"):
        load_settings()


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_address_is_configurable(
    fake_gemini: Gemini, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """GOOGLE_GEMINI_BASE_URL is where requests go, with or without a slash at its end."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", fake_gemini.url + end)

    generate_tweet("nothing")

    assert fake_gemini.trace[0].path == "/v1beta/models/gemini-3.8-flash:generateContent"


@pytest.mark.parametrize(
    "url",
    [
        "generativelanguage.googleapis.com",
        "ftp://h",
        "http://",
        "http://user:hidden@h",
        "http://h?key=hidden",
        "http://h#hidden",
        "http://h:99999",
        "http://[::1",
    ],
)
@pytest.mark.usefixtures("_key")
def test_an_unusable_address_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """An address is checked before the key goes there; it may hold a password itself."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)

    with pytest.raises(ConfigurationError, match="GOOGLE_GEMINI_BASE_URL must look like") as caught:
        load_settings()

    assert "hidden" not in str(caught.value)


def test_env_file_is_read() -> None:
    """What the environment leaves out comes from .env, a Windows editor's mark included."""
    settings.ENV_FILE.write_text(
        f"\ufeffGEMINI_API_KEY={KEY}\nGEMINI_MODEL=gemini-3.7-flash\n", "utf-8"
    )

    loaded = load_settings()

    assert (loaded.api_key, loaded.model) == (KEY, "gemini-3.7-flash")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_an_env_file_in_another_encoding_is_refused_unseen(encoding: str) -> None:
    """PowerShell and old editors write them; the error names the file, and shows none of it."""
    settings.ENV_FILE.write_text(f"# clé\nGEMINI_API_KEY={KEY}\n", encoding)

    with pytest.raises(ConfigurationError) as caught:
        generate_tweet("nothing")

    assert str(caught.value) == (
        f"{settings.ENV_FILE} cannot be read as UTF-8 text: UnicodeDecodeError"
    )
    assert caught.value.__context__ is None


def test_an_env_file_that_cannot_be_opened_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A .env that belongs to somebody else is an error of ours, not of the system."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", settings.ENV_FILE)

    monkeypatch.setattr(dotenv, "dotenv_values", refuse)

    with pytest.raises(ConfigurationError, match=r"\.env cannot be read .*: PermissionError$"):
        generate_tweet("nothing")


@pytest.mark.parametrize("blank", ["", "  "])
def test_the_environment_wins_over_env_file(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    """Where both speak, the environment is right; a blank variable does not speak."""
    settings.ENV_FILE.write_text(
        f'GEMINI_API_KEY={KEY}\nGEMINI_MODEL=from-the-file\nGOOGLE_GEMINI_BASE_URL="{blank}"\n'
    )
    monkeypatch.setenv("GEMINI_API_KEY", "from-the-environment")
    monkeypatch.setenv("GEMINI_MODEL", blank)

    loaded = load_settings()

    assert (loaded.api_key, loaded.model) == ("from-the-environment", "from-the-file")
    assert loaded.base_url == "https://generativelanguage.googleapis.com"


def test_python_dotenv_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without python-dotenv the environment alone is read."""
    settings.ENV_FILE.write_text("GEMINI_MODEL=from-the-file\n")
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setitem(sys.modules, "dotenv", None)

    assert load_settings().model == "gemini-3.8-flash"


def test_the_example_file_fits() -> None:
    """.env.example, copied and filled in, is a working .env."""
    text = (Path(settings.__file__).parent / ".env.example").read_text("utf-8")
    assert "\nGEMINI_API_KEY=\n" in text
    settings.ENV_FILE.write_text(
        text.replace("GEMINI_API_KEY=", f"GEMINI_API_KEY={KEY}").replace("\n#G", "\nG"), "utf-8"
    )

    loaded = load_settings()

    assert loaded == settings.Settings(api_key=KEY)
