"""Record a real server once, and compare a fake with it."""

from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pytest_resilience import CheckFailed, FakeServer, PlanError, ResilienceError
from pytest_resilience.recording import tape
from pytest_resilience.recording.compare import Comparison, Difference, compare_recording
from pytest_resilience.recording.proxy import RecordingProxy
from pytest_resilience_vault import Vault
from tests.recording.services import Elsewhere, Orders, Worded, Wrong

LIMIT = 20


def suite(url: str, password: str) -> None:
    """A test suite, as far as its requests go."""
    with requests.Session() as session:
        token = session.post(f"{url}/login", json={"password": password}, timeout=LIMIT).json()
        session.post(f"{url}/orders", json={"items": []}, timeout=LIMIT)  # 401
        session.headers["Authorization"] = f"Bearer {token['token']}"
        made = session.post(f"{url}/orders", json={"items": ["anvil"]}, timeout=LIMIT)
        assert made.headers["Location"] == f"{url}/orders/1"
        for path in (f"orders/{made.json()['id']}", "orders", "events", "logo", "nowhere"):
            session.get(f"{url}/{path}", timeout=LIMIT)
        session.head(f"{url}/orders", timeout=LIMIT)
        session.delete(f"{url}/orders", timeout=LIMIT)
        session.put(f"{url}/orders", json={"id": 1, "paid": True}, timeout=LIMIT)
        session.post(f"{url}/login", json={"password": "wrong-guess-77"}, timeout=LIMIT)  # 403


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """That suite against the real service."""
    out = tmp_path / "shop.jsonl"
    with Orders() as real:
        known = {"SHOP_PASSWORD": real.password}
        with RecordingProxy(real.url, out, known=known) as proxy:
            suite(proxy.url, real.password)
            assert (proxy.recorded, proxy.errors) == (12, [])
        secrets = (real.password, real.token)
    assert all(secrets)
    assert [secret for secret in secrets if secret in out.read_text()] == []
    return out


def test_a_right_fake_has_no_difference(recorded: Path) -> None:
    """Other tokens, cookies, numbers and another port are no difference."""
    comparison = compare_recording(recorded, Elsewhere())

    assert str(comparison) == "no differences in 12 exchanges"
    comparison.raise_if_any()


def test_each_difference_is_told_once_with_its_place(recorded: Path) -> None:
    """Status, header, body: what the real server had, and what the fake."""
    comparison = compare_recording(recorded, Wrong(), headers=["X-Shop"])
    told = [(one.number, one.place, one.real, one.fake) for one in comparison.differences]

    assert told == [
        (3, "header Location", "{{server}}/orders/1", "nothing"),
        (3, "body id", "a number", "a text"),
        (4, "body items", "a list", "nothing"),
        (4, "body total", "nothing", "a number"),
        (5, "status", "200", "404"),
        (7, "header Content-Type", "image/png", "text/plain"),
        (7, "header X-Shop", "nothing", "2"),
        (7, "body", "bytes", "text"),
        (9, "status", "200", "404"),
        (11, "body id", "a number", "a text"),
    ]
    with pytest.raises(CheckFailed, match="exchange 5, GET /orders: status: the real server had"):
        comparison.raise_if_any()


def test_an_id_of_another_kind_is_the_only_difference(recorded: Path) -> None:
    """What is asked for by it is found all the same, and changed."""
    comparison = compare_recording(recorded, Worded())

    assert [(one.number, one.place, one.fake) for one in comparison.differences] == [
        (3, "body id", "a text"),
        (11, "body id", "a text"),
    ]


def test_a_comparison_is_plain_data() -> None:
    """And the same difference of several exchanges is one line."""
    one = Difference(1, "GET /", "status", "200", "404")
    two = Difference(2, "GET /", "status", "200", "404")

    assert str(Comparison(1, (one,))).splitlines()[0] == "1 difference in 1 exchanges"
    assert str(Comparison(2, (one, two))).splitlines() == [
        "2 differences in 2 exchanges",
        "  exchange 1, GET /: status: the real server had 200, the fake 404 (x2)",
    ]
    assert json.loads(json.dumps(Comparison(1, (one,), ("a note",)).to_dict())) == {
        "exchanges": 1,
        "differences": [
            {"number": 1, "request": "GET /", "place": "status", "real": "200", "fake": "404"}
        ],
        "notes": ["a note"],
    }


def test_the_fake_may_run_already(recorded: Path) -> None:
    """Then it goes on running."""
    with Elsewhere() as fake:
        assert compare_recording(recorded, fake).differences == ()
        assert fake.running


def test_a_fake_that_does_not_answer_differs(recorded: Path) -> None:
    """The kind of end is told."""
    with Elsewhere() as fake:
        fake.fail("reset_peer")
        first = compare_recording(recorded, fake).differences[0]

    assert (first.place, first.real) == ("status", "200")
    assert first.fake.startswith("no answer (ConnectionResetError")


def test_vault_is_like_itself(tmp_path: Path) -> None:
    """Root token, role id and secret id of another Vault are found in its variables."""
    out = tmp_path / "vault.jsonl"
    with Vault() as real, RecordingProxy(real.url, out, known={}) as proxy:
        vault = f"{proxy.url}/v1"
        root = {"X-Vault-Token": real.root_token}
        put = {"data": {"password": "correct horse"}}
        requests.post(f"{vault}/secret/data/app", json=put, headers=root, timeout=LIMIT)
        ids = {"role_id": real.role_id, "secret_id": real.secret_id}
        said = requests.post(f"{vault}/auth/approle/login", json=ids, timeout=LIMIT).json()
        theirs = {"X-Vault-Token": said["auth"]["client_token"]}
        requests.get(f"{vault}/secret/data/app", headers=theirs, timeout=LIMIT)
        requests.get(f"{vault}/sys/mounts", headers=root, timeout=LIMIT)
        requests.request("LIST", f"{vault}/secret/metadata", headers=theirs, timeout=LIMIT)
        accessor = {"accessor": said["auth"]["accessor"]}
        lookup = f"{vault}/auth/token/lookup-accessor"
        requests.post(lookup, json=accessor, headers=root, timeout=LIMIT)
        hidden = (real.root_token, *ids.values(), theirs["X-Vault-Token"], "correct horse")

    assert str(compare_recording(out, Vault())) == "no differences in 6 exchanges"
    assert [value for value in hidden if value in out.read_text()] == []
    other = compare_recording(out, Vault(flavour="openbao"))
    assert {one.place for one in other.differences} == {"body mount_type"}


def sent(recording: Path) -> list[Any]:
    """What a fake is sent in a replay."""
    with FakeServer() as server:
        compare_recording(recording, server)
        return list(server.trace)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[RecordingProxy]:
    """A proxy in front of a server that says yes to everything."""
    with FakeServer() as real, RecordingProxy(real.url, tmp_path / "out", known={}) as proxy:
        yield proxy


def test_secrets_of_the_client_get_stand_ins(plain: RecordingProxy, tmp_path: Path) -> None:
    """In queries, forms, cookies, paths and JSON; each is the same one whenever it comes."""
    token = "k3yAB-0123456789-zyxwv"
    form = {"password": "hunter2 and more", "a": "b"}
    path = "3f2a91c8e0b74d5f9a6c1e2d3b4f5061"
    requests.get(f"{plain.url}/q?key={token}&page=2", timeout=LIMIT)
    requests.post(f"{plain.url}/form", data=form, timeout=LIMIT)
    requests.get(f"{plain.url}/{path}", cookies={"sid": "abc"}, timeout=LIMIT)
    requests.post(f"{plain.url}/j", json={"token": "default", "x": "default"}, timeout=LIMIT)
    requests.post(f"{plain.url}/j", json={token: [path, 1.5, None]}, timeout=LIMIT)
    requests.post(f"{plain.url}/j", data=f"text with {token} in it", timeout=LIMIT)
    requests.post(f"{plain.url}/j", data=b"\xff" + token.encode(), timeout=LIMIT)
    requests.post(f"{plain.url}/j", data=b"\xff\xfe", timeout=LIMIT)
    text = (tmp_path / "out").read_text()
    attempts = sent(tmp_path / "out")

    assert [value for value in (token, "hunter2", path, "abc") if value in text] == []
    key = attempts[0].query.partition("&")[0].removeprefix("key=")
    assert attempts[0].query == f"key={key}&page=2"
    assert (len(key), key == token) == (len(token), False)
    assert attempts[1].body.endswith(b"&a=b")
    assert attempts[2].headers["Cookie"].startswith("sid=")
    weak = json.loads(attempts[3].body)
    assert weak["x"] == "default"
    assert weak["token"].isalpha()
    assert json.loads(attempts[4].body) == {key: [attempts[2].path.strip("/"), 1.5, None]}
    assert attempts[5].body == f"text with {key} in it".encode()
    assert [attempts[6].body, attempts[7].body] == [b"", b"\xff\xfe"]


def test_other_spellings_of_a_secret_are_not_shown(plain: RecordingProxy, tmp_path: Path) -> None:
    """Base64, say; it cannot be replayed then, and is not in the file."""
    import base64

    secret = "s3cr3t-Xy9-1234567890"
    hidden = base64.b64encode(secret.encode()).decode()
    requests.get(plain.url, headers={"X-Api-Key": secret}, timeout=LIMIT)
    requests.post(plain.url, json={"text": f"see {hidden}"}, timeout=LIMIT)

    assert hidden[:24] not in (tmp_path / "out").read_text()


def test_one_credential_is_the_fakes_one_credential(plain: RecordingProxy, tmp_path: Path) -> None:
    """Whatever the header is called, when the fake has but one."""
    requests.get(plain.url, headers={"Authorization": "Bearer abcdef-99-XYZ"}, timeout=LIMIT)
    with Orders() as orders:
        compare_recording(tmp_path / "out", orders)

        assert orders.trace[0].headers["Authorization"] == f"Bearer {orders.password}"


def test_values_that_nothing_tells_are_told_by_hand(tmp_path: Path) -> None:
    """A known variable that the fake lacks is noted, and `values` cures it."""
    out = tmp_path / "out"
    with FakeServer() as real, RecordingProxy(real.url, out, known={"SHOP_KEY": "k-1234-XYZ"}) as p:
        requests.get(p.url, headers={"X-Api-Key": "k-1234-XYZ"}, timeout=LIMIT)

    (note,) = compare_recording(out, FakeServer()).notes
    assert note.startswith("exchange 1 needed {{SHOP_KEY}}, for which the fake has no value")
    assert "values={'SHOP_KEY': ...}" in str(compare_recording(out, FakeServer()))
    with FakeServer() as server:
        assert compare_recording(out, server, values={"SHOP_KEY": "mine"}).notes == ()
        assert server.trace[0].headers["X-Api-Key"] == "mine"


def test_a_value_under_a_name_that_is_not_there_is_noted(tmp_path: Path) -> None:
    """A name that is misspelled changes nothing, and would go unseen."""
    out = tmp_path / "out"
    with FakeServer() as real, RecordingProxy(real.url, out, known={"SHOP_KEY": "k-1234-XYZ"}) as p:
        requests.get(p.url, headers={"X-Api-Key": "k-1234-XYZ"}, timeout=LIMIT)

    given = {"SHOP_KEY": "mine", "SHOP_KYE": "mine"}
    (note,) = compare_recording(out, FakeServer(), values=given).notes
    assert note.startswith("the value of SHOP_KYE was not used: the recording has no such name; ")
    assert note.endswith("it has SHOP_KEY")


def test_known_secrets_are_those_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `known`: the variables whose names tell."""
    monkeypatch.setenv("SHOP_API_KEY", "k-98765-abcDEF")
    with FakeServer() as real, RecordingProxy(real.url, tmp_path / "out") as proxy:
        requests.get(proxy.url, headers={"X": "k-98765-abcDEF"}, timeout=LIMIT)

    assert "{{SHOP_API_KEY}}" in (tmp_path / "out").read_text()


def test_a_server_that_is_not_there_is_a_502(tmp_path: Path) -> None:
    """And not recorded: it says nothing of the real server's answers."""
    with FakeServer() as real:
        gone = real.url
    with RecordingProxy(gone, tmp_path / "out") as proxy:
        answer = requests.get(proxy.url, timeout=LIMIT)

    assert answer.status_code == 502
    assert f"the real server at {gone} did not answer: " in answer.json()["error"]
    assert (proxy.recorded, tape.load(tmp_path / "out").exchanges) == (0, ())


def test_the_real_server_gets_what_was_sent(tmp_path: Path) -> None:
    """Method, path and query as written, fields and body; not what belongs to a connection."""
    out = tmp_path / "out"
    with FakeServer() as real, RecordingProxy(f"{real.url}/base/", out, known={}) as proxy:
        connection = http.client.HTTPConnection(proxy.host, proxy.port, timeout=LIMIT)
        connection.request("PUT", "/a%2Fb?x=%20", b"body", {"X-One": "1", "Te": "trailers"})
        assert connection.getresponse().read() == b'{"ok": true}'
        connection.close()
        (attempt,) = real.trace

    assert (attempt.method, attempt.target) == ("PUT", "/base/a%2Fb?x=%20")
    assert (attempt.body, attempt.headers["X-One"]) == (b"body", "1")
    assert attempt.headers["Host"] == real.url.removeprefix("http://")
    assert "Te" not in attempt.headers


def test_what_comes_after_the_end_is_not_recorded(tmp_path: Path) -> None:
    """A proxy that was started again passes on, and its file is closed."""
    out = tmp_path / "out"
    with FakeServer() as real:
        proxy = RecordingProxy(real.url, out, known={})
        with proxy:
            requests.get(proxy.url, timeout=LIMIT)
        with proxy:
            assert requests.get(proxy.url, timeout=LIMIT).ok

    assert len(tape.load(out).exchanges) == 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_it_speaks_https_to_the_real_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And trusts what this machine trusts."""
    with FakeServer(tls=True) as real:
        monkeypatch.setenv("SSL_CERT_FILE", real.ca_file)
        with RecordingProxy(real.url, tmp_path / "out") as proxy:
            assert requests.get(proxy.url, timeout=LIMIT).json() == {"ok": True}


@pytest.mark.parametrize(
    "to", ["127.0.0.1:8200", "ftp://127.0.0.1", "http://", "http://x:port", "http://x?a=b"]
)
def test_an_address_that_is_none(to: str, tmp_path: Path) -> None:
    """Is refused where it is written."""
    with pytest.raises(PlanError, match="is no address of a server"):
        RecordingProxy(to, tmp_path / "out")


def test_an_address_with_a_password(tmp_path: Path) -> None:
    """Is refused, and the password is not shown."""
    with pytest.raises(PlanError, match=r"^to: an address with a user is not allowed") as refused:
        RecordingProxy("http://me:s3cr3t@127.0.0.1", tmp_path / "out")

    assert "s3cr3t" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """A recording of an hour is not lost to a slip."""
    (tmp_path / "out").write_text("mine")

    with pytest.raises(ResilienceError, match=r"cannot write the recording .*: File exists"):
        RecordingProxy("http://127.0.0.1", tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: no JSON"),
        ("[]", "line 1: no object"),
        ("{}", "is no recording: its first line should say"),
        (tape.head_line("http://x") + "\n{", "line 3: no JSON"),
        (tape.head_line("http://x") + '{"number": 1}', "line 2: no exchange: KeyError"),
    ],
)
def test_a_file_that_is_no_recording(text: str, said: str, tmp_path: Path) -> None:
    """Its line and what is wrong with it are named."""
    path = tmp_path / "some"
    path.write_text(text)

    with pytest.raises(ResilienceError, match=said):
        tape.load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """One error of ours."""
    with pytest.raises(ResilienceError, match="cannot read the recording"):
        tape.load(tmp_path / "none")


def test_a_comparison_wants_a_server(tmp_path: Path) -> None:
    """The class of one is what `check_fake` takes."""
    with pytest.raises(PlanError, match=r"which is no server; FakeServer\(\) is one$"):
        compare_recording(tmp_path / "calls.jsonl", FakeServer)  # type: ignore[arg-type]
    with pytest.raises(PlanError, match=r"the fake is 'notes', which is no server$"):
        compare_recording(tmp_path / "calls.jsonl", "notes")  # type: ignore[arg-type]
