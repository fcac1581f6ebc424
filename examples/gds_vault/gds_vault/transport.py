"""One request, one answer: no retries, no redirects, nothing secret in what is said of it."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from gds_vault.errors import VaultError
from gds_vault.failures import StatusError, complaints, detached, status_error
from gds_vault.retry import is_transient
from gds_vault.text import Secret, one_line, without

logger = logging.getLogger("gds_vault.vault")

JSON = Any


class Transport:
    """Speaks to one Vault over kept connections; may be used by several threads.

    Args:
        address: `http(s)://host[:port][/prefix]`.
        timeout: Seconds to wait for a connection, and for each next piece of an answer.
        secrets: What to mask in the texts of servers, beside the token of the request.
    """

    def __init__(self, address: str, timeout: float, secrets: Sequence[Secret]) -> None:
        self._base = f"{address}/v1/"
        self._timeout = timeout
        self._secrets = secrets
        self._session = _Session()

    def close(self) -> None:
        """Give the kept connections back. A later request opens new ones, without cookies."""
        self._session.close()
        self._session = _Session()

    def start_anew(self) -> None:
        """Leave the kept connections to the process that this one was forked from."""
        self._session = _Session()

    def request(
        self,
        method: str,
        path: str,
        *,
        token: Secret | None = None,
        body: Mapping[str, Secret] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> JSON:
        """Return the JSON of a 2xx answer.

        Raises:
            StatusError: Any other status. It is a `requests.HTTPError`.
            requests.RequestException: No whole answer, or one that is not JSON.
            VaultError: A redirect.
        """
        asked = f"{method} /v1/{one_line(path)}"
        secrets = [*self._secrets, *([token] if token else [])]
        started = time.monotonic()
        failure: requests.RequestException | None = None
        try:
            response = self._session.request(
                method,
                self._base + quote(path),
                params=params,
                json=None if body is None else {key: body[key].reveal() for key in body},
                auth=_TokenHeader(token),
                timeout=self._timeout,
            )
        # What requests raises is an OSError, and so is most that slips through it. The others
        # come from addresses, mostly of a proxy, that urllib3 cannot read.
        except (OSError, ValueError, TypeError) as exc:
            failure = detached(exc)
            # What is wrong with an address is said with the address, so with a proxy's password.
            detail = type(exc).__name__ + (f": {exc}" if is_transient(failure) else "")
        seconds = time.monotonic() - started
        if failure is not None:
            detail = one_line(without(detail, secrets), 1000)
            logger.debug("%s failed in %.3fs: %s", asked, seconds, detail)
            raise failure  # here, where no frame of requests is in the traceback
        logger.debug("%s answered %d in %.3fs", asked, response.status_code, seconds)
        return _judged(response, asked, secrets)


class _Session(requests.Session):
    """A session that takes a redirect for an answer like any other.

    Followed, it could carry the token or the secret_id to another server. With
    `allow_redirects=False` requests still prepares the next request, token and all, and
    lets a ValueError out when the Location cannot be parsed.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class _TokenHeader(requests.auth.AuthBase):
    """Adds the token; being there, it also keeps requests from looking into ~/.netrc."""

    def __init__(self, token: Secret | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["X-Vault-Token"] = self._token.reveal()
        return request


def _judged(response: requests.Response, asked: str, secrets: list[Secret]) -> JSON:
    status = response.status_code
    if 300 <= status <= 399 and "Location" in response.headers:
        raise VaultError(
            f"HTTP {status} from {asked}: redirected to {_origin(response, secrets)}, "
            "and redirects are not followed; set vault_addr to the server that answers",
            status,
        )
    if not 200 <= status <= 299:
        raise _refusal(response, asked, secrets)
    is_json, body = _parsed(response.content)
    if not is_json:
        # Its text stays unsaid, at DEBUG too: half an answer is half a secret.
        kind, size = _kind(response, secrets), len(response.content)
        raise requests.exceptions.InvalidJSONError(
            f"Answer to {asked} is not JSON ({kind}, {size} bytes)"
        )
    return body


def _refusal(response: requests.Response, asked: str, secrets: list[Secret]) -> StatusError:
    """Say what the server said. Not raised here, where its unmasked text is in sight."""
    is_json, body = _parsed(response.content)
    said = complaints(body)
    if not is_json and response.content:
        start = without(response.content[:100_000].decode(errors="replace"), secrets)
        logger.debug("%s was refused with: %s", asked, one_line(start.strip(), 1000))
        said = (f"no JSON ({_kind(response, secrets)}), so hardly from Vault",)
    return status_error(asked, response.status_code, said, secrets)


def _kind(response: requests.Response, secrets: list[Secret]) -> str:
    """What the server calls its answer; masked before it is cut, or half a secret would stay."""
    return one_line(without(response.headers.get("Content-Type", "no Content-Type"), secrets), 40)


def _parsed(content: bytes) -> tuple[bool, JSON]:
    """Return whether it is JSON, and what it says.

    Errors end here: json's exception carries the whole text, and would be chained to ours.
    """
    try:
        return True, json.loads(content)
    except (ValueError, RecursionError):
        return False, None


def _origin(response: requests.Response, secrets: list[Secret]) -> str:
    """Where a redirect leads, without path, query and credentials."""
    try:
        target = urlsplit(response.headers["Location"])
    except ValueError:
        return "an address that cannot be read"
    if not target.netloc:
        return "another path of the same server"
    scheme = f"{target.scheme}:" if target.scheme else ""
    return one_line(without(f"{scheme}//{target.netloc.rpartition('@')[2]}", secrets))
