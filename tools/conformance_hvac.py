# ruff: noqa: ANN401, S310 -- their objects have no types; the server is on loopback
"""Run hvac's own integration tests against `pytest-resilience serve vault`.

    .venv/bin/python tools/conformance_hvac.py FOLDER [pytest arguments]

FOLDER is a checkout of hvac (https://github.com/hvac/hvac) at the version that is installed;
its tests are in no package. They start a `vault` program with TLS, for which this puts our
server, without TLS; nothing else of theirs is changed. Needs `parameterized` and `pyhcl`.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

IN_SCOPE = [
    "auth_methods/test_approle.py",
    "auth_methods/test_token.py",
    "secrets_engines/test_kv_v1.py",
    "secrets_engines/test_kv_v2.py",
    "system_backend/test_auth.py",
    "system_backend/test_health.py",
    "system_backend/test_init.py",
    "system_backend/test_key.py",
    "system_backend/test_leader.py",
    "system_backend/test_mount.py",
    "system_backend/test_policies.py",
    "system_backend/test_policy.py",
    "system_backend/test_seal.py",
    "system_backend/test_wrapping.py",
]
LEGACY = ["test_approle.py", "test_system_backend.py", "test_integration.py"]
"""The older form of the same tests; with parts of other engines, of audit and of rekeying."""

OTHER = "audit or lease or userpass or write_with_response or rekey or rotate or backed_up"
"""Other engines and methods, and operations that our server does not have."""

WORDING = "illegal_token"
"""Compares the text of an error of `requests`, which has changed; no request is sent."""


class Node:
    """One server."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        file = Path(self._folder.name) / "env"
        command = [sys.executable, "-m", "pytest_resilience", "serve", "vault", "--quiet"]
        self.process = subprocess.Popen([*command, "--env-file", file], stdout=subprocess.DEVNULL)
        while not file.exists():
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)
        found = re.search(r"RESILIENCE_URL=(\S+)", file.read_text())
        assert found is not None
        self.url = found[1]

    def state(self, **state: Any) -> None:
        """Set it, through the control API."""
        request = urllib.request.Request(
            f"{self.url}/_resilience/state",
            json.dumps(state).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            response.read()

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self._folder.cleanup()


def client(url: str, *, session: Any = None, **more: Any) -> Any:
    """A client of theirs, without TLS."""
    import hvac

    more.pop("use_env", None)
    return hvac.Client(url=url.replace("https://", "http://"), session=session, **more)


def start(self: Any) -> None:
    """One server, or two of which the second is a standby."""
    self.nodes = [Node() for _ in self.config_paths]
    self.client = client(self.nodes[0].url)
    self.nodes[0].state(initialized=False)
    for node in self.nodes[1:]:
        node.state(standby={"leader": self.nodes[0].url, "forwards": True})


def stop(self: Any) -> None:
    """End them."""
    self.client = None
    for node in self.__dict__.pop("nodes", ()):
        node.stop()


def unseal(self: Any) -> None:
    """With the keys that the first one gave."""
    client(self.nodes[0].url).sys.submit_unseal_keys(self.keys)
    for node in self.nodes[1:]:
        node.state(sealed=False)


def restart(self: Any, *, perform_init: bool = True) -> None:
    """New ones; a standby that was just started is sealed."""
    stop(self)
    start(self)
    if perform_init:
        self.initialize()
    for node in self.nodes[1:]:
        node.state(sealed=True)


def decoded(encoded_token: str, otp: str, **_: Any) -> str:
    """What `vault operator generate-root -decode` prints."""
    data = base64.b64decode(encoded_token + "=" * (-len(encoded_token) % 4))
    return bytes(one ^ two for one, two in zip(data, otp.encode(), strict=True)).decode()


def pytest_configure() -> None:
    """As a plugin of their pytest session: let their tests start our server."""
    utils: Any = importlib.import_module("tests.utils")
    case: Any = importlib.import_module("tests.utils.hvac_integration_test_case")
    server_manager: Any = importlib.import_module("tests.utils.server_manager")
    manager = server_manager.ServerManager
    manager.start, manager.stop = start, stop
    manager.unseal, manager.restart_vault_cluster = unseal, restart
    manager.get_active_vault_addresses = lambda self: [node.url for node in self.nodes]
    for module in (utils, case, server_manager):
        module.create_client = client
    utils.get_vault_version_string.cache = "1.20.0"
    utils.decode_generated_root_token = decoded
    case.shutil = server_manager.shutil = _Shutil()


class _Shutil:
    """Programs that the tests look for before they start us."""

    @staticmethod
    def which(name: str) -> str:
        """All are there."""
        return name


def main() -> int:
    """Run their tests in their folder, with this module as a plugin."""
    folder = Path(sys.argv[1]).resolve()
    here = Path(__file__).resolve().parent
    api, old = "tests/integration_tests/api", "tests/integration_tests/v1"
    files = [*(f"{api}/{name}" for name in IN_SCOPE), *(f"{old}/{name}" for name in LEGACY)]
    paths = [str(here), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "pytest", "-p", "conformance_hvac", "-p", "no:resilience"]
    options = ["-q", "-o", "addopts=", "-W", "ignore", "-k", f"not ({OTHER} or {WORDING})"]
    return subprocess.run(
        [*command, *options, *files, *sys.argv[2:]], cwd=folder, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
