"""``pytest-resilience serve``, as a process of its own."""

from __future__ import annotations

import functools
import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from pytest_resilience.cli import main

APP = '''
import threading
from pytest_resilience import Fake, FakeServer, route

def app(environ, start_response):
    if environ["PATH_INFO"] == "/boom":
        raise RuntimeError("oh\\nno")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

def make():
    return app

def needy():
    return make

def bad():
    return 1 / 0

class holder:
    inner = app

class Notes(Fake):
    """Keeps nothing."""

    def reset(self):
        self.token = getattr(self, "token", 0) + 1

    def set_state(self, state):
        self.token = state

    @property
    def environment(self):
        return {"NOTES_URL": self.url, "NOTES_TOKEN": f"it's {self.token}"}

    @route("GET", "/notes")
    def notes(self, request):
        return {"notes": []}

class Odd(Fake):
    """Takes no arguments."""

    def __init__(self):
        super().__init__()

class Broken(Fake):
    """Has an environment that no file can hold."""

    @property
    def environment(self):
        return {"LINES": "a\\nb"}

async def asgi(scope, receive, send):
    pass

class Starlette:
    async def __call__(self, scope, receive, send):
        pass

starlette = Starlette()
number = 5

class Moody:
    @property
    def app(self):
        raise ValueError("not today")

moody = Moody()
'''
LIMIT = 60
"""Seconds, for what takes one: a process may start slowly."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a module ``web``."""
    (tmp_path / "web.py").write_text(APP)
    (tmp_path / "broken.py").write_text("x = 1\nraise LookupError('two\\nlines')\n")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit('bye')\n")
    (tmp_path / "typo.py").write_text("def f(:\n")
    return tmp_path


class Served:
    """The command, running in a directory; ended by its process id at the end."""

    def __init__(self, place: Path, *arguments: str, **options: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest_resilience", "serve", *arguments],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(LIMIT)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def until(self, pattern: str) -> re.Match[str]:
        """Read lines up to the first that matches."""
        assert self.process.stdout is not None
        timer = threading.Timer(LIMIT, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                self.lines.append(line.rstrip("\n"))
                if match := re.search(pattern, line):
                    return match
        finally:
            timer.cancel()
        pytest.fail(f"no line matches {pattern!r} in {self.lines}")

    @property
    def url(self) -> str:
        """Where it listens, once it has said so."""
        return self.until(r"^export RESILIENCE_URL=(\S+)")[1].strip("'")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, list[str], str]:
        """Its exit code, the lines not yet read, and stderr."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.send_signal(number)
        # Not communicate(): it does not see what `until` has read ahead.
        timer = threading.Timer(LIMIT, self.process.kill)
        timer.start()
        try:
            out, err = self.process.stdout.read(), self.process.stderr.read()
        finally:
            timer.cancel()
        return self.process.wait(LIMIT), out.splitlines(), err


def ask(method: str, url: str, data: Any = None) -> tuple[int, Any]:
    """Status and JSON, if it is JSON, of an answer; data is sent as JSON."""
    where = urlsplit(url)
    assert where.hostname is not None
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=LIMIT)
    body = None if data is None else json.dumps(data)
    with closing(connection):
        connection.request(method, where.path or "/", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.headers.get_content_type()
        return answer.status, json.loads(text) if kind == "application/json" else None


def get(url: str, data: Any = None) -> int:
    """The status of a GET, or of a POST of JSON."""
    return ask("GET" if data is None else "POST", url, data)[0]


def failure(place: Path, *arguments: str) -> str:
    """What the command says on stderr when it refuses to begin; nothing goes to stdout."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest_resilience", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    return run.stderr.rstrip("\n")


@pytest.fixture
def served(place: Path) -> Iterator[Served]:
    """The plain application of the module, served."""
    with Served(place, "web:app") as served:
        yield served


# The main job


def test_each_attempt_is_a_line_with_fault_status_wait_and_time(served: Served) -> None:
    """A person sees what every attempt met, as it happens, and a summary at the end."""
    url = served.url
    rules = {"faults": [503, {"fault": "status", "code": 429, "retry_after": 5}], "path": "/a"}
    assert get(url + "/_resilience/faults", [rules, {"faults": ["timeout"], "path": "/b"}]) == 200

    assert [get(url + "/a") for _ in range(3)] == [503, 429, 200]
    served.until(r"^  3  ")
    code, rest, err = served.end(signal.SIGINT)

    number = r"\d+\.\d{3}"
    wanted = [
        r"^  -- faults: status 503, status 429.* on /a$",
        r"^  -- faults: timeout on /b$",
        rf"^  1  t={number}  GET /a  503  \[status 503\]$",
        rf"^  2  t={number}  GET /a  429  Retry-After: 5  .*429.*  after a wait of {number} s$",
        rf"^  3  t={number}  GET /a  200  after a wait of {number} s  \(the plan is used up",
    ]
    # On a busy machine an attempt may be open for a tenth of a second.
    lines = [line for line in served.lines if not line.endswith("still open")]
    for pattern, line in zip(wanted, lines[-5:], strict=True):
        assert re.search(pattern, line)
    assert rest[:3] == ["", "3 attempts: 200 x1, 429 x1, 503 x1", "met x2: " + rest[2][8:]]
    assert rest[3] == "unmet: timeout on /b: met 0 of 1 times"
    assert (code, err) == (0, "")


def test_an_attempt_that_hangs_is_a_line_when_it_hangs_and_one_when_it_ends(
    served: Served,
) -> None:
    """Silence is shown while it lasts."""
    url = served.url
    get(url + "/_resilience/faults", {"faults": ["timeout"]})
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT) as sock:
        sock.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        served.until(r"^  1  t=\S+  GET /slow  ---  \[timeout\]  still open$")

    served.until(r"^  1  t=\S+  GET /slow  ---  \[timeout\]  client went away after \d+\.\d+ s$")
    assert get(url + "/slow") == 200
    served.until(r"^  2  t=\S+  GET /slow  200  after a wait of ")


def test_the_end_cuts_what_still_hangs(served: Served) -> None:
    """A hanging attempt does not hold up the end, and is counted."""
    url = served.url
    get(url + "/_resilience/faults", {"faults": ["timeout"]})
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        served.until("still open")
        code, rest, _ = served.end()

    assert code == 0
    assert "cut by the server" in rest[0]
    assert rest[1:] == ["", "1 attempt: no answer x1", "met x1: timeout"]


def test_quiet_says_where_it_is_and_the_summary_only(place: Path) -> None:
    """With --quiet there is no line an attempt."""
    with Served(place, "web:app", "--quiet") as served:
        url = served.url
        assert [get(url), get(url)] == [200, 200]
        code, rest, _ = served.end()

    assert code == 0
    assert rest == ["", "", "2 attempts: 200 x2"]


def test_nothing_asked_is_a_summary_too(served: Served) -> None:
    """A server that nobody asked ends with a zero."""
    assert served.url
    code, rest, _ = served.end()

    assert (code, rest) == (0, ["", "", "0 attempts"])


def test_several_signals_at_once_are_one(served: Served) -> None:
    """`timeout` and a terminal signal a process and its group: it may come twice."""
    assert served.url
    for _ in range(3):
        served.process.send_signal(signal.SIGINT)
    code, rest, err = served.end()

    assert (code, rest, err) == (0, ["", "", "0 attempts"], "")


def test_the_end_of_the_terminal_ends_it_unless_nohup_was_said(place: Path) -> None:
    """SIGHUP is an end like any other, and none for a process that was told to ignore it."""
    # Said both times, since what the tests themselves run under is inherited: nohup, too.
    heeding = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
    ignoring = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)
    with Served(place, "web:app", preexec_fn=heeding) as served:
        assert served.url
        assert served.end(signal.SIGHUP)[0] == 0
    with Served(place, "web:app", preexec_fn=ignoring) as served:
        url = served.url
        served.process.send_signal(signal.SIGHUP)

        assert get(url) == 200
        assert served.end()[0] == 0


def test_a_signal_of_the_applications_own_does_not_end_it(place: Path) -> None:
    """A handler that the served module has set is not ours."""
    (place / "own.py").write_text(
        "import signal\nfrom web import app\nsignal.signal(signal.SIGUSR1, lambda *_: None)\n"
    )
    with Served(place, "own:app") as served:
        url = served.url
        served.process.send_signal(signal.SIGUSR1)

        assert get(url) == 200
        assert served.end()[0] == 0


def test_the_name_of_what_the_application_raises_is_on_its_line(served: Served) -> None:
    """An application of the user's that fails is a 500, and its line says why, in one line."""
    url = served.url

    assert get(url + "/boom") == 500
    served.until(r"^  1  t=\S+  GET /boom  500  \(the application raised RuntimeError\('oh\\nno'\)")


def test_a_reset_begins_a_new_count(served: Served) -> None:
    """After a reset numbers, times and waits begin anew; the summary counts all."""
    url = served.url
    get(url + "/_resilience/faults", {"faults": [503]})
    get(url)
    ask("POST", url + "/_resilience/reset")
    get(url)
    served.until("reset: everything as new")
    served.until(r"^  1  t=\S+  GET /  200$")

    assert "2 attempts: 200 x1, 503 x1" in served.end()[1]


def test_a_reader_that_goes_away_does_not_end_the_server(place: Path) -> None:
    """A script may read the environment from the pipe and close it."""
    with Served(place, "web:app") as served:
        url = served.url
        assert served.process.stdout is not None
        served.process.stdout.close()
        assert [get(url), get(url)] == [200, 200]
        served.process.send_signal(signal.SIGTERM)

        assert served.process.wait(LIMIT) == 0


def test_a_reader_that_does_not_read_holds_up_neither_server_nor_end(place: Path) -> None:
    """A full pipe is no reason to hang: the server answers, and a signal ends it."""
    with Served(place, "web:app") as served:
        url = served.url
        path = "/" + "x" * 70
        for _ in range(700):  # 700 lines of 100 bytes: more than a pipe takes
            assert get(url + path) == 200
        served.process.send_signal(signal.SIGTERM)

        assert served.process.wait(LIMIT) == 0


# The environment


def test_the_environment_file_is_there_while_it_listens(place: Path) -> None:
    """NAME=value lines, for its owner only, at once in full; gone when the server is gone."""
    file = place / "fake.env"
    with Served(place, "web:Notes", "--env-file", "fake.env") as served:
        url = served.url
        served.until(r"^export NOTES_TOKEN='it'\"'\"'s 1'$")
        text = file.read_text()
        mode = stat.S_IMODE(file.stat().st_mode)
        others = sorted(path.name for path in place.iterdir() if path.suffix == ".env")
        code, _, err = served.end()

    assert text == f"RESILIENCE_URL={url}\nNOTES_URL={url}\nNOTES_TOKEN=it's 1\n"
    assert mode == 0o600
    assert others == ["fake.env"]
    assert (code, err) == (0, "")
    assert not file.exists()


def test_a_reset_writes_the_environment_anew(place: Path) -> None:
    """A service that mints new tokens on reset says so, before the reset is answered."""
    file = place / "fake.env"
    with Served(place, "web:Notes", "--env-file", "fake.env") as served:
        status, told = ask("POST", served.url + "/_resilience/reset")

        assert status == 200
        assert told["environment"]["NOTES_TOKEN"] == "it's 2"
        assert "NOTES_TOKEN=it's 2\n" in file.read_text()
        served.until(r"^export NOTES_TOKEN='it'\"'\"'s 2'$")
        assert served.end()[0] == 0
    assert not file.exists()


def test_a_state_that_is_set_writes_the_environment_anew(place: Path) -> None:
    """If it has other tokens; otherwise nothing is said or written again."""
    file = place / "fake.env"
    with Served(place, "web:Notes", "--env-file", "fake.env") as served:
        url = served.url + "/_resilience/state"
        first = file.stat()
        assert ask("POST", url, 1)[0] == 200
        assert file.stat() == first

        assert ask("POST", url, 5)[0] == 200

        assert "NOTES_TOKEN=it's 5\n" in file.read_text()
        served.until(r"^export NOTES_TOKEN='it'\"'\"'s 5'$")
        assert served.end()[0] == 0
    assert not file.exists()


def test_a_place_that_is_lost_later_is_said_and_no_more(place: Path) -> None:
    """A reset whose environment cannot be written is answered all the same."""
    (place / "sub").mkdir()
    with Served(place, "web:Notes", "--env-file", "sub/fake.env") as served:
        url = served.url
        (place / "sub" / "fake.env").unlink()
        (place / "sub").rmdir()

        assert ask("POST", url + "/_resilience/reset")[0] == 200

        served.until(r"^  -- cannot write --env-file sub/fake.env: No such file or directory$")
        assert served.end()[0] == 0


@pytest.mark.parametrize("left", ["RESILIENCE_URL=http://127.0.0.1:1\n", ""])
def test_a_file_that_an_earlier_run_left_is_replaced(place: Path, left: str) -> None:
    """A server that was killed leaves its file; the next one takes the place, or mktemp's."""
    file = place / "fake.env"
    file.write_text(left)
    with Served(place, "web:app", "--env-file", "fake.env") as served:
        url = served.url

        assert file.read_text() == f"RESILIENCE_URL={url}\n"


def test_the_file_of_a_server_that_runs_is_left_alone(place: Path) -> None:
    """A second server is refused before it takes the file away, though its port is busy, too."""
    file = place / "fake.env"
    with Served(place, "web:app", "--env-file", "fake.env") as served:
        url = served.url
        port = url.rpartition(":")[2]

        line = failure(place, "serve", "web:app", "--port", port, "--env-file", "fake.env")

        assert f"fake.env: it belongs to what listens at {url}; end that, or name another" in line
        assert file.read_text() == f"RESILIENCE_URL={url}\n"


def test_a_file_that_somebody_has_put_in_the_place_is_left_alone(place: Path) -> None:
    """A reset does not write over it, and at the end only a file of its own is removed."""
    file = place / "fake.env"
    with Served(place, "web:app", "--env-file", "fake.env") as served:
        url = served.url
        file.unlink()
        file.write_text("MINE=1\n")

        assert ask("POST", url + "/_resilience/reset")[0] == 200
        served.until("fake.env: it has been changed since, and stays as it is$")
        served.end()

    assert file.read_text() == "MINE=1\n"


@pytest.mark.parametrize(
    ("fake", "names"),
    [
        (
            "vault",
            ["VAULT_ADDR", "VAULT_TOKEN", "VAULT_ROLE_ID", "VAULT_SECRET_ID", "VAULT_UNSEAL_KEYS"],
        ),
        ("gemini", ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"]),
    ],
)
def test_our_fakes_print_what_their_clients_need(
    tmp_path: Path, fake: str, names: list[str]
) -> None:
    """Vault and Gemini are served by name, with the variables that their clients read."""
    with Served(tmp_path, fake, "--env-file", "env") as served:
        url = served.url
        pairs = [line.partition("=") for line in (tmp_path / "env").read_text().splitlines()]
        variables = {name: value for name, _, value in pairs}
        code, _, err = served.end()

    assert list(variables) == ["RESILIENCE_URL", *names]
    assert variables[names[0 if fake == "vault" else -1]] == url
    assert all(variables.values())
    assert (code, err) == (0, "")


def test_the_printed_unseal_keys_unseal(tmp_path: Path) -> None:
    """A sealed Vault opens with three of the keys that serve has printed."""
    with Served(tmp_path, "vault", "--env-file", "env") as served:
        url = served.url
        keys = re.search(r"VAULT_UNSEAL_KEYS=(\S+)", (tmp_path / "env").read_text())
        assert keys is not None
        assert get(url + "/_resilience/state", {"sealed": True}) == 200
        assert get(url + "/v1/sys/health") == 503
        for key in keys[1].split(",")[:3]:
            assert ask("PUT", url + "/v1/sys/unseal", {"key": key})[0] == 200

        assert get(url + "/v1/sys/health") == 200


def test_only_the_export_lines_show_secrets(tmp_path: Path) -> None:
    """What a client puts into a path, an answer or a rule reads as its name, after a reset, too."""
    with Served(tmp_path, "vault", "--env-file", "env") as served:
        url = served.url
        key = re.search(r"VAULT_UNSEAL_KEYS=(\w+)", (tmp_path / "env").read_text())
        assert key is not None
        for method in ("PUT", "POST", "GET"):
            ask(method, f"{url}/v1/sys/unseal/{key[1]}")
        late = [{"fault": "status", "code": 503, "retry_after": key[1]}]
        get(f"{url}/_resilience/faults", {"faults": late, "path": f"/{key[1]}", "times": 2})
        get(f"{url}/{key[1]}")
        served.until(r"^  4  t=.*GET /<unseal_key of fake_vault>  503  Retry-After: <unseal_key")
        ask("POST", f"{url}/_resilience/reset")
        get(f"{url}/{key[1]}")
        _, out, _ = served.end()

    assert [line for line in served.lines + out if key[1] in line and "export" not in line] == []


# What may be served, and where


@pytest.mark.parametrize("target", ["web:app", "web:make()", "web:holder.inner", "web:Notes"])
def test_anything_that_serves_is_served(place: Path, target: str) -> None:
    """An application, what a factory makes, an attribute's attribute, a fake's class."""
    with Served(place, target) as served:
        assert get(served.url + "/notes") == 200


def test_the_seed_is_taken_and_printed(place: Path) -> None:
    """The same seed makes the same accidents."""
    with Served(place, "web:app", "--seed", "42") as served:
        served.until(r"^web:app at http://127\.0\.0\.1:\d+, seed 42; Ctrl-C ends it$")


def test_other_hosts_are_served_and_driven_from_this_machine_only(place: Path) -> None:
    """On every address the driving stays on loopback, and the first lines say so."""
    with Served(place, "web:app", "--host", "0.0.0.0") as served:
        served.until("to this machine's loopback addresses only")
        port = served.url.rpartition(":")[2]

        assert get(f"http://127.0.0.1:{port}/_resilience/") == 200
        assert get(f"http://0.0.0.0:{port}/_resilience/") == 403


def test_ipv6_is_served(place: Path) -> None:
    """An address of IPv6 stands in brackets."""
    with Served(place, "web:app", "--host", "::1") as served:
        assert get(served.url + "/_resilience/") == 200


# What it refuses


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "vualt"], "no fake is named 'vualt'; did you mean 'vault'?; there are: "),
        (["serve", "web:nope"], "web has no 'nope'"),
        (["serve", "web:mak"], "web has no 'mak'; did you mean 'make'?"),
        (["serve", "web:"], "'web:' names nothing: wanted MODULE:APP or MODULE:FACTORY()"),
        (["serve", ":app"], "':app' names nothing"),
        (["serve", "web:make(1)"], "'web:make(1)' names nothing"),
        (["serve", "web:number"], "web:number is int, not a WSGI application"),
        (["serve", "web:number()"], "web:number(): TypeError: 'int' object is not callable"),
        (["serve", "web:number.x"], "web has no 'x'"),
        (["serve", "web:moody.app"], "cannot look up web:moody.app: ValueError: not today ("),
        (["serve", "web:bad()"], "cannot call web:bad(): ZeroDivisionError: division by zero ("),
        (["serve", "web:asgi"], "web:asgi is an ASGI application and serve takes WSGI"),
        (["serve", "web:starlette"], "web:starlette is an ASGI application"),
        (["serve", "web:Odd"], "cannot start up web:Odd: TypeError: "),
        (["serve", "nowhere:app"], "cannot import nowhere: ModuleNotFoundError: No module named"),
        (["serve", "broken:app"], "cannot import broken: LookupError: two lines ("),
        (["serve", "leaves:app"], "cannot import leaves: SystemExit: bye"),
        (["serve", "typo:app"], "cannot import typo: SyntaxError: "),
        (["serve", "web:app", "--port", "x"], "argument --port: 'x' is no port: wanted 0 to 65535"),
        (["serve", "web:app", "--port", "65536"], "'65536' is no port"),
        (["serve", "web:app", "--port", "9" * 5_000], f"'{'9' * 77}...' is no port: wanted 0 to"),
        (["serve", "web:app", "--seed", "9" * 5_000], f"'{'9' * 77}...' is no seed: wanted a who"),
        (["serve", "web:app", "--quite"], "unrecognized arguments: --quite; did you mean '--quiet"),
        (["serve", "web:app", "--prot=1"], "pytest-resilience serve: unrecognized arguments: --pr"),
        (["serve", "web:app", "more"], "unrecognized arguments: more (see pytest-resilience serve"),
        (
            ["serve", "web:make"],
            "does not take environ and start_response; is it a factory? web:ma",
        ),
        (["serve", "web:needy()"], "web:needy() does not take environ and start_response"),
        (["serve", "./web:app"], "'./web:app' names nothing: wanted MODULE:APP or MODULE:FACT"),
        (["serve", "sub/web:app"], "'sub/web' is a file; wanted a module: package.module, no .py"),
        (["serve", "web.py:app"], "'web.py' is a file; wanted a module: package.module, no .py"),
        (["serve", "web:app", "--host", "<broadcast>"], "host='<broadcast>' is not allowed: wante"),
        (["serve", "web:app", "--seed", "-1"], "argument --seed: "),
        (["serve", "web:app", "--seed", "x"], "'x' is no seed: wanted a whole number, 0 or more"),
        (["serve", "web:app", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1 port 0: "),
        (["serve", "web:app", "--host", "a..b"], "cannot listen on a..b port 0: "),
        (["serve", "web:app", "--host", "é" * 70], f"cannot listen on {'é' * 70} port 0: "),
        (["serve", "web:app", "--env-file", "no/where"], "cannot write --env-file no/where: "),
        (["serve", "web:app", "--env-file", ""], "--env-file: the name is empty: wanted a file"),
        (["serve", "web:app", "--env-file", "."], "--env-file .: it is no regular file"),
        (["serve", "web:app", "--env-file", "web.py"], "it exists, and serve has not written it"),
        (["serve", "web:Broken", "--env-file", "env"], "--env-file env: a value has a line break"),
        (["serve"], "the following arguments are required: NAME|MODULE:APP"),
        (["sreve"], "argument COMMAND: invalid choice: 'sreve'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    place: Path, arguments: list[str], said: str
) -> None:
    """No traceback: one line says what is wrong and, where it helps, what there is."""
    line = failure(place, *arguments)

    assert line.startswith("pytest-resilience")
    assert said in line
    assert "_target.py" not in line
    assert sorted(p.name for p in place.iterdir() if p.suffix != ".pyc") == sorted(
        {p.name for p in place.iterdir() if p.name == "__pycache__"}
        | {"broken.py", "leaves.py", "typo.py", "web.py"}
    )


def test_a_busy_port_is_one_line_and_leaves_no_file(place: Path) -> None:
    """A port that another program has is named, and no environment file lies about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        line = failure(place, "serve", "web:app", "--port", port, "--env-file", "fake.env")

    assert f"port {port} of 127.0.0.1 is busy" in line
    assert not (place / "fake.env").exists()


def test_ctrl_c_before_it_listens_ends_it_without_a_word(place: Path) -> None:
    """While a slow module is imported Ctrl-C ends the process, as a shell expects."""
    # Not one long sleep: a signal that comes just before it would be seen at its end only.
    (place / "slow.py").write_text(
        "import pathlib, time\npathlib.Path('here').touch()\nwhile True: time.sleep(0.01)\n"
    )
    with Served(place, "slow:app") as served:
        deadline = time.monotonic() + LIMIT
        while not (place / "here").exists() and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        code, out, err = served.end(signal.SIGINT)

    assert (code, out, err) == (130, [], "")


def test_the_console_script_is_the_same_command(place: Path) -> None:
    """``pytest-resilience`` finds modules in the working directory as ``python -m`` does."""
    script = Path(sys.executable).with_name("pytest-resilience")
    if not script.exists():
        pytest.skip("the project is not installed here")
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    with subprocess.Popen(
        [script, "serve", "web:app"],
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("web:app at http://127.0.0.1:")
        finally:
            process.terminate()
            process.communicate(timeout=LIMIT)

    assert process.returncode == 0


@pytest.mark.parametrize("installed", [True, False])
def test_the_version(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    installed: bool,  # noqa: FBT001 -- parametrized
) -> None:
    """``--version`` says that of the package, or that it is run from where it lies."""
    version = metadata.version("pytest-resilience") if installed else "(not installed)"
    if not installed:
        monkeypatch.setattr(sys, "path", [])

    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert capsys.readouterr().out == f"pytest-resilience {version}\n"
    assert not ended.value.code
