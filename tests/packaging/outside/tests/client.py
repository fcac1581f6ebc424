"""A client with a retry, written with nothing but the standard library."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


def call(
    url: str, method: str = "GET", body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """One request; the status and the JSON that came."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(
            method, parts.path, sent, {"Content-Type": "application/json", **(headers or {})}
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or "null")
    finally:
        connection.close()


def call_until_it_works(url: str, tries: int = 4, headers: dict[str, str] | None = None) -> Any:
    """Ask again after a 5xx or a broken connection; the JSON of the first good answer."""
    for _ in range(tries):
        try:
            status, data = call(url, headers=headers)
        except (OSError, http.client.HTTPException):
            continue
        if status < 500:
            return data
    message = f"{url} failed {tries} times"
    raise TimeoutError(message)
