"""What docs/gemini.md says of google-genai is what it does."""

import pytest

pytest.importorskip(
    "google.genai", reason="google-genai is not installed; it comes with constraints/clock.txt"
)
pytest.importorskip("aiohttp", reason="aiohttp is not installed: google-genai[aiohttp]")

from tests.fakes.gemini.sdks import table

# google-genai subclasses aiohttp's session, which aiohttp discourages.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)


@pytest.mark.parametrize("name", ["google-genai", "google-genai-streams"])
def test_the_table_is_true(name: str) -> None:
    """Exceptions, attempts and waits, to the millisecond of virtual time."""
    untrue = table.untrue(name, table.of_google_genai(name))
    if untrue:
        pytest.fail(
            "docs/gemini.md is untrue; `python -m tests.fakes.gemini.sdks.table --write` mends "
            "it\n" + "\n".join(untrue)
        )
