"""The registry: names of installed fakes, and what is said of those that are not."""

import sys
from pathlib import Path

import pytest

from pytest_resilience import ResilienceError, registry


def test_ours_are_there() -> None:
    """Both fakes that come with the package are found by name."""
    assert {"gemini", "vault"} <= set(registry.names())
    assert registry.find("vault") == "pytest_resilience_vault:Vault"
    assert registry.load("gemini").__name__ == "Gemini"


def test_unknown_names_list_what_exists() -> None:
    """A name that nobody offers is told with the nearest, and with all there are."""
    assert registry.find("vualt") is None

    with pytest.raises(ResilienceError) as caught:
        registry.create("vualt")

    assert str(caught.value).startswith(
        "no fake is named 'vualt'; did you mean 'vault'?; there are: "
    )
    assert "gemini, vault" in str(caught.value)


def test_nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no distribution is installed, not even ours, there are no fakes."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert registry.names() == []
    assert registry.unknown("vault") == "no fake is named 'vault'; there are: none"
