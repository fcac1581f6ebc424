"""What a client is told: by its arguments, or by the environment where they are left out."""

import os
from urllib.parse import urlsplit

import requests

from gds_vault.errors import VaultError
from gds_vault.text import Secret, is_text

LONGEST_TIMEOUT = 2**31 // 1000  # The kernel's poll counts milliseconds in 31 bits.


def settings(**given: str | None) -> dict[str, Secret]:
    """Take from the environment what was left out (None), by the name it has there.

    White space around them is left out: a file's last newline is no part of a secret_id,
    which a server would echo without it, and so unmasked.

    Raises:
        VaultError: When something is missing, or is not text, or not in UTF-8.
    """
    wrong = [name for name, value in given.items() if not isinstance(value, str | None)]
    if wrong:
        raise VaultError(f"{', '.join(wrong)} must be text")
    found = {
        name: Secret((os.environ.get(name, "") if value is None else value).strip())
        for name, value in given.items()
    }
    missing = [name for name, setting in found.items() if not setting.reveal()]
    if missing:
        raise VaultError(
            f"{', '.join(missing)} must be set in the environment, or given to VaultClient"
        )
    garbled = [name for name, setting in found.items() if not is_text(setting.reveal())]
    if garbled:
        raise VaultError(f"{', '.join(garbled)} must be UTF-8")
    return found


def checked_address(address: str) -> str:
    """Return an address that requests can be sent to, without slashes at its end.

    Raises:
        VaultError: When it is none. It is not shown, because it may have a password in it.
    """
    try:
        parts = urlsplit(address)
        is_port = parts.port != 0  # which requests would take for the port of the scheme
    except ValueError:
        parts, is_port = urlsplit(""), False
    is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and is_port
    if not is_url or not address.isprintable():
        raise VaultError("vault_addr must look like https://vault.example.com:8200")
    # An empty query or fragment would swallow the path of each request all the same.
    if parts.username is not None or "?" in address or "#" in address:
        raise VaultError("vault_addr must have no user, password, query or fragment")
    if not _is_host(address):
        raise VaultError("vault_addr must have the name or the number of a host")
    return address.rstrip("/")


def _is_host(address: str) -> bool:
    """Whether requests takes the address, and the system can be asked for the name in it."""
    try:
        url = requests.Request("GET", address).prepare().url or ""
        (urlsplit(url).hostname or "").encode("idna")
    except ValueError:  # what requests raises for an address is one, too
        return False
    return True


def checked_timeout(timeout: float) -> float:
    """Return the timeout, when it is one that ends.

    Raises:
        VaultError: When it is no number, or not above 0, or longer than the system can wait.
    """
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout <= LONGEST_TIMEOUT:
        raise VaultError(f"timeout must be a number of seconds above 0, at most {LONGEST_TIMEOUT}")
    return timeout
