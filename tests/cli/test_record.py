"""``pytest-resilience record`` and ``compare``, as processes and as functions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_resilience import FakeServer
from pytest_resilience.cli import main
from pytest_resilience.recording import tape
from tests.recording.services import Orders

LIMIT = 20


def line(process: subprocess.Popen[str]) -> str:
    """The next line that it says."""
    assert process.stdout is not None
    return process.stdout.readline()


def recorded(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Record one request of a server that says yes; what the command has said."""
    with FakeServer() as real:
        command = [sys.executable, "-m", "pytest_resilience", "record", "--to", real.url]
        with subprocess.Popen(
            [*command, "--out", "calls.jsonl", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        ) as process:
            first = line(process)
            url = f"{first.split()[0]}/of/mine-12345-xyz"
            requests.get(url, headers={"X-Key": "mine-12345-xyz"}, timeout=LIMIT)
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    assert f"records what {real.url} answers; Ctrl-C ends it" in first
    return rest


def test_it_records_until_the_signal(tmp_path: Path) -> None:
    """A line an attempt, a summary, and the file; the secret that was named is in none."""
    environment = {"MINE": "mine-12345-xyz", "MY_TOKEN": "t"}
    said = recorded(tmp_path, "--secret", "MINE", environment=environment)
    (exchange,) = tape.load(tmp_path / "calls.jsonl").exchanges

    assert "  1  t=" in said
    assert "  GET /of/<MINE>  " in said
    assert "12345" not in said
    assert "1 exchanges in calls.jsonl" in said
    assert exchange.request.header("X-Key") == "{{MINE}}"
    assert exchange.answer.body.data == {"ok": True}


def test_it_can_be_quiet(tmp_path: Path) -> None:
    """No line an attempt then."""
    assert "t=" not in recorded(tmp_path, "--quiet")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says when it refuses to begin."""
    assert main(arguments) == 2
    return capsys.readouterr().err.rstrip("\n")


def test_a_secret_that_is_not_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip in the name would leave the secret in the file."""
    monkeypatch.delenv("NO_SUCH_THING", raising=False)
    arguments = ["--to", "http://127.0.0.1", "--out", "x", "--secret", "NO_SUCH_THING"]

    said = refused(capsys, "record", *arguments)

    assert said.endswith("record: --secret NO_SUCH_THING: the environment has no such variable")


def test_an_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit code 2."""
    said = refused(capsys, "record", "--to", "vault", "--out", "x")

    assert "'vault' is no address of a server" in said


SHOP = "tests.recording.services:"


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A recording of two requests to the shop."""
    from pytest_resilience.recording.proxy import RecordingProxy

    out = tmp_path / "shop.jsonl"
    with Orders() as real, RecordingProxy(real.url, out, known={}) as proxy:
        requests.post(f"{proxy.url}/login", json={"password": real.password}, timeout=LIMIT)
        requests.get(f"{proxy.url}/orders", timeout=LIMIT)
    return str(out)


def test_a_fake_that_is_right(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0."""
    assert main(["compare", shop, f"{SHOP}Elsewhere"]) == 0
    assert capsys.readouterr().out == "no differences in 2 exchanges\n"


def test_without_a_stdout(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be started without one; the exit code says it all."""
    monkeypatch.setattr(sys, "stdout", None)

    assert main(["compare", shop, f"{SHOP}Elsewhere"]) == 0


def test_a_fake_that_is_wrong(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and what differs."""
    assert main(["compare", shop, f"{SHOP}Wrong"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 difference in 2 exchanges",
        "  exchange 2, GET /orders: status: the real server had 200, the fake 404",
    ]


def test_as_json(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs."""
    assert main(["compare", shop, "gemini", "--json", "--header", "X-Shop"]) == 1
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert data["exchanges"] == 2
    assert data["differences"][0]["request"] == "POST /login"


def test_nobody_reads_on(shop: str) -> None:
    """As in ``| head -1``: no word of it, and the exit code that a shell knows."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "pytest_resilience", "compare", shop, f"{SHOP}Wrong"]
    done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)

    assert (done.returncode, done.stderr) == (141, b"")


def test_a_value_by_hand(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes before what is guessed; this one is wrong."""
    assert main(["compare", shop, f"{SHOP}Elsewhere", "--value", "password.1=x"]) == 1
    assert "status: the real server had 200, the fake 403" in capsys.readouterr().out


def test_a_value_needs_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is one line."""
    with pytest.raises(SystemExit):
        main(["compare", "x", "vault", "--value", "none"])

    assert "'none' is no value: wanted NAME=VALUE" in capsys.readouterr().err


def test_a_recording_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, not 1: nothing was compared."""
    assert "cannot read the recording none.jsonl" in refused(
        capsys, "compare", "none.jsonl", "vault"
    )
