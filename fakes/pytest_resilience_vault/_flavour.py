"""Which server is imitated: HashiCorp Vault, or OpenBao, its fork of 1.14.

They speak the same API; what differs is here, or asks `Flavour.is_openbao`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_resilience_vault._errors import INVALID_TOKEN
from pytest_resilience_vault._ids import mint, mint_text


@dataclass(frozen=True, slots=True)
class Flavour:
    """A server's name, version, forms of tokens and words."""

    name: str
    version: str
    build: tuple[str, str]
    """The key and the value of the build's date in sys/seal-status."""
    product: str
    prefix: str
    """Of service and batch tokens: ``hv`` for hvs. and hvb."""
    words: tuple[tuple[str, str], ...] = ()
    """Its own words in place of Vault's, in errors and warnings."""

    @property
    def is_openbao(self) -> bool:
        """Whether it is OpenBao."""
        return self.name == "openbao"

    def said(self, text: str) -> str:
        """Vault's text in this server's words."""
        for theirs, own in self.words:
            text = text.replace(theirs, own)
        return text

    def new_token(self) -> str:
        """The id of a service token: in Vault 95 characters, in OpenBao 26."""
        return f"s.{mint(24)}" if self.is_openbao else f"hvs.CAESI{mint(86)}"

    def new_root_token(self) -> str:
        """The id of a token that init or generate-root makes; generate-root's OTP is as long."""
        return f"{self.prefix}s.{mint(24)}"

    def new_batch_token(self) -> str:
        """The id of a batch token, which is the token itself, encrypted (seen: 170 characters)."""
        return f"{self.prefix}b.AAAAAQ{mint_text(162)}"


VAULT = Flavour("vault", "1.20.0", ("build_date", "2025-06-23T10:21:30Z"), "Vault", "hv")
OPENBAO = Flavour(
    "openbao",
    "2.7.2",
    ("commit_date", "2026-10-26T20:32:27Z"),
    "OpenBao",
    "",
    (
        (INVALID_TOKEN, "permission denied"),
        ("failed to parse JSON input", "failed to decode JSON input"),
        ("looking for beginning of object key string", "looking for beginning of value"),
        ("in string literal", "in string"),
        ("Vault CLI, use 'vault ", "OpenBao CLI, use 'bao "),
        ("Vault's server log", "OpenBao's server log"),
        ("OTP string is wrong length", "OTP string has incorrect length"),
    ),
)
FLAVOURS = {flavour.name: flavour for flavour in (VAULT, OPENBAO)}
