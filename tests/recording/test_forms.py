"""What is filled in: passwords in forms and queries are named as those in JSON are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from werkzeug import Request, Response

from pytest_resilience import Fake, route
from pytest_resilience.recording.compare import compare_recording
from pytest_resilience.recording.proxy import RecordingProxy

LIMIT = 20
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Door(Fake):
    """Opens for a password in a form, and answers with one, as OAuth servers do."""

    password = "my pass"
    ticket = "t 1"

    @property
    def environment(self) -> dict[str, str]:
        """What it takes."""
        return {"DOOR_PASSWORD": self.password}

    @route("POST", "/open")
    def open(self, request: Request) -> Any:
        """A ticket."""
        if request.form.get("password") != self.password:
            return 403, {"error": "no"}
        answer = Response(f"token={self.ticket}&kind=bearer", content_type="text/plain")
        answer.headers.add("Set-Cookie", "lang=en; Path=/")
        answer.headers.add("Set-Cookie", f"sid={self.ticket[-1] * 9}; Path=/; {self.ticket}")
        return answer

    @route("GET", "/in")
    def enter(self, request: Request) -> Any:
        """For who has the ticket and the cookie."""
        given = request.args.get("token"), request.cookies.get("sid")
        return {} if given == (self.ticket, self.ticket[-1] * 9) else (403, {"error": "no"})


class OtherDoor(Door):
    """With another password, whose signs have a meaning in forms."""

    password = "a&b=c+d"
    ticket = "u&2"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({"data": {"user": "me", "password": "my pass"}}, "user=me&password={{password.1}}"),
        ({"data": "password=my%20pass&z=my", "headers": FORM}, "password={{password.1}}&z=my"),
        ({"data": "password=my pass"}, "password={{password.1}}"),
        ({"data": "a line\nand another"}, "a line\nand another"),
        (
            {
                "data": '--x\r\nContent-Disposition: form-data; name="password"\r\n'
                "Content-Type: text/plain\r\n\r\nmy pass\r\n"
                '--x\r\ncontent-disposition: form-data; name="who"\r\n\r\nmy\r\n--x--\r\n'
            },
            (
                '--x\r\nContent-Disposition: form-data; name="password"\r\n'
                "Content-Type: text/plain\r\n\r\n{{password.1}}\r\n"
                '--x\r\ncontent-disposition: form-data; name="who"\r\n\r\nmy\r\n--x--\r\n'
            ),
        ),
    ],
)
def test_a_weak_password_is_named_however_it_is_sent(
    tmp_path: Path, options: Any, shown: str
) -> None:
    """Where its name tells; what is said elsewhere in the same words stays."""
    out = tmp_path / "door.jsonl"
    with Door() as real, RecordingProxy(real.url, out, known={}) as proxy:
        requests.post(f"{proxy.url}/open", timeout=LIMIT, **options)

    recorded = json.loads(out.read_text().splitlines()[1])
    assert recorded["request"]["text"] == shown


def test_what_is_large_and_no_form_is_soon_read(tmp_path: Path) -> None:
    """Names are looked for where they can begin."""
    out = tmp_path / "door.jsonl"
    with Door() as real, RecordingProxy(real.url, out, known={}) as proxy:
        requests.post(f"{proxy.url}/open", data=b"\0\1" * 500_000, timeout=LIMIT)

    assert len(json.loads(out.read_text().splitlines()[1])["request"]["text"]) == 1_000_000


@pytest.mark.parametrize("query", ["password=my+pass", "password=my%20pass"])
def test_a_query_is_a_form(tmp_path: Path, query: str) -> None:
    """In whichever way its blanks are written."""
    out = tmp_path / "door.jsonl"
    with Door() as real, RecordingProxy(real.url, out, known={}) as proxy:
        requests.get(f"{proxy.url}/in?a=1&{query}", timeout=LIMIT)

    recorded = json.loads(out.read_text().splitlines()[1])
    assert recorded["request"]["target"] == "/in?a=1&password={{password.1}}"


def test_a_form_is_filled_in_with_the_fakes_own(tmp_path: Path) -> None:
    """Its password, the ticket that it gave, and its cookie, whatever stands around them."""
    out = tmp_path / "door.jsonl"
    with Door() as real, RecordingProxy(real.url, out, known=real.environment) as proxy:
        opened = requests.post(f"{proxy.url}/open", data={"password": real.password}, timeout=LIMIT)
        ticket = {"token": parse_qs(opened.text)["token"][0]}
        cookies = {"sid": opened.cookies["sid"]}
        entered = requests.get(f"{proxy.url}/in", params=ticket, cookies=cookies, timeout=LIMIT)

    comparison = compare_recording(out, OtherDoor())

    assert entered.status_code == 200
    assert str(comparison) == "no differences in 2 exchanges"
