"""Response wrapping."""

import base64
import json
from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

WRAP = {"X-Vault-Wrap-TTL": "60"}
INVALID = (400, ["wrapping token is not valid or does not exist"])


@pytest.fixture
def wrapped(vault: Vault, ask: Ask) -> dict[str, Any]:
    """What the answer to a wrapped read says of its token."""
    vault.put("secret/a", {"n": 1})
    info: dict[str, Any] = ask("GET", "secret/data/a", headers=WRAP).json()["wrap_info"]
    return info


def test_a_wrapped_answer_has_nothing_but_a_token(vault: Vault, ask: Ask) -> None:
    """An empty request id, too (seen)."""
    vault.put("secret/a", {"n": 1})
    answer = ask("GET", "secret/data/a", headers=WRAP).json()
    info = answer.pop("wrap_info")

    assert answer == {
        "request_id": "",
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": None,
        "warnings": None,
        "auth": None,
        "mount_type": "kv",
    }
    assert list(info) == ["token", "accessor", "ttl", "creation_time", "creation_path"]
    assert info["token"].startswith("hvs.CAESI")
    assert (info["ttl"], info["creation_path"]) == (60, "secret/data/a")


def test_it_is_unwrapped_once_by_the_body_or_by_the_token_itself(
    ask: Ask, wrapped: dict[str, Any]
) -> None:
    """The answer is the one that was wrapped, with an id of its own."""
    first = ask("POST", "sys/wrapping/unwrap", {"token": wrapped["token"]})
    again = ask("POST", "sys/wrapping/unwrap", {"token": wrapped["token"]})
    other = ask("GET", "secret/data/a", headers=WRAP).json()["wrap_info"]["token"]
    own = ask("POST", "sys/wrapping/unwrap", token=other)

    assert first.json()["data"]["data"] == own.json()["data"]["data"] == {"n": 1}
    assert len(first.json()["request_id"]) == 36
    assert said(again) == said(ask("POST", "sys/wrapping/unwrap", token=other)) == INVALID


def test_a_look_does_not_use_it_up(ask: Ask, wrapped: dict[str, Any]) -> None:
    """And needs no token."""
    answers = [
        ask("POST", "sys/wrapping/lookup", {"token": wrapped["token"]}, token=None).json()["data"],
        ask("GET", "sys/wrapping/lookup", token=wrapped["token"]).json()["data"],
    ]

    expected = {
        "creation_path": "secret/data/a",
        "creation_time": wrapped["creation_time"],
        "creation_ttl": 60,
    }
    assert answers == [expected, expected]


def test_it_is_wrapped_again(ask: Ask, wrapped: dict[str, Any]) -> None:
    """For as long as before, under the path of before; the old token is spent."""
    again = ask("POST", "sys/wrapping/rewrap", {"token": wrapped["token"]}).json()["wrap_info"]

    assert (again["ttl"], again["creation_path"]) == (60, "secret/data/a")
    token = ask("POST", "auth/token/lookup", {"token": again["token"]}).json()["data"]
    assert token["path"] == "sys/wrapping/rewrap"
    assert said(ask("POST", "sys/wrapping/rewrap", {"token": wrapped["token"]})) == INVALID
    answer = ask("POST", "sys/wrapping/unwrap", {"token": again["token"]}).json()
    assert answer["data"]["data"] == {"n": 1}


def test_one_s_own_data_is_wrapped(ask: Ask) -> None:
    """With the header only."""
    info = ask("POST", "sys/wrapping/wrap", {"x": 1}, headers=WRAP).json()["wrap_info"]

    assert ask("POST", "sys/wrapping/unwrap", {"token": info["token"]}).json()["data"] == {"x": 1}
    assert said(ask("POST", "sys/wrapping/wrap", {"x": 1})) == (
        400,
        ["endpoint requires response wrapping to be used"],
    )


@pytest.mark.parametrize("path", ["unwrap", "rewrap", "lookup"])
def test_what_is_no_wrapping_token(vault: Vault, ask: Ask, path: str) -> None:
    """It is looked at before the caller's own token is."""
    for body in ({"token": "nope"}, {"token": vault.root_token}, {}):
        assert said(ask("POST", f"sys/wrapping/{path}", body)) == INVALID
    assert said(ask("POST", f"sys/wrapping/{path}", {}, token=None)) == (
        403,
        ["error validating wrapping token: token is empty"],
    )


def test_somebody_without_a_token_cannot_unwrap_another_s(
    ask: Ask, wrapped: dict[str, Any]
) -> None:
    """The wrapping token in the body is no login (seen)."""
    answer = ask("POST", "sys/wrapping/unwrap", {"token": wrapped["token"]}, token=None)

    assert said(answer) == (403, ["permission denied"])


def test_a_wrapping_token_can_do_nothing_else(ask: Ask, wrapped: dict[str, Any]) -> None:
    """And a try has used it up."""
    assert said(ask("GET", "auth/token/lookup-self", token=wrapped["token"])) == (
        403,
        ["1 error occurred:\n\t* permission denied\n\n"],
    )
    assert said(ask("POST", "sys/wrapping/unwrap", {"token": wrapped["token"]})) == INVALID


def test_its_token_is_a_token(ask: Ask, wrapped: dict[str, Any]) -> None:
    """With one use and a policy of its own, which nobody sees in the list."""
    data = ask("POST", "auth/token/lookup", {"token": wrapped["token"]}).json()["data"]

    assert data["policies"] == ["response-wrapping"]
    assert (data["num_uses"], data["explicit_max_ttl"], data["display_name"]) == (1, 60, "root")
    assert (data["orphan"], data["renewable"]) == (True, False)
    assert ask("LIST", "sys/policies/acl").json()["data"]["keys"] == ["app", "default", "root"]
    assert ask("GET", "sys/policies/acl/response-wrapping").status_code == 200


def test_the_old_way_to_unwrap(ask: Ask, wrapped: dict[str, Any]) -> None:
    """The cubbyhole has the answer as text, and a warning."""
    answer = ask("GET", "cubbyhole/response", token=wrapped["token"]).json()

    assert json.loads(answer["data"]["response"])["data"]["data"] == {"n": 1}
    assert answer["warnings"][0].startswith("Reading from 'cubbyhole/response' is deprecated.")


def test_a_login_names_the_accessor_that_it_hides(vault: Vault, ask: Ask) -> None:
    """So that its token can be revoked unseen."""
    ids = {"role_id": vault.role_id, "secret_id": vault.secret_id}
    info = ask("POST", "auth/approle/login", ids, token=None, headers=WRAP).json()["wrap_info"]
    accessor = info["wrapped_accessor"]
    unwrapped = ask("POST", "sys/wrapping/unwrap", {"token": info["token"]}).json()["auth"]

    assert unwrapped["accessor"] == accessor
    assert info["creation_path"] == "auth/approle/login"


def test_nothing_is_wrapped_where_there_is_nothing(vault: Vault, ask: Ask) -> None:
    """A 204, an error, and the node's own answers."""
    vault.put("secret/a", {"n": 1})

    assert ask("DELETE", "secret/data/a", headers=WRAP).status_code == 204
    assert said(ask("GET", "secret/data/b", headers=WRAP)) == (404, [])
    assert ask("GET", "sys/health", headers=WRAP).json()["initialized"] is True


def test_the_404_of_a_deleted_version_is_wrapped_as_it_is(vault: Vault, ask: Ask) -> None:
    """200 now, and 404 when it is unwrapped (seen)."""
    vault.put("secret/a", {"n": 1})
    ask("DELETE", "secret/data/a")
    wrapped = ask("GET", "secret/data/a", headers=WRAP)
    token = wrapped.json()["wrap_info"]["token"]
    answer = ask("POST", "sys/wrapping/unwrap", {"token": token})

    assert (wrapped.status_code, answer.status_code) == (200, 404)
    assert answer.json()["data"]["data"] is None


def test_it_waits_for_its_time(ask: Ask, wrapped: dict[str, Any], clock: SettableClock) -> None:
    """On the fake's clock."""
    clock.ahead = 61

    assert said(ask("POST", "sys/wrapping/unwrap", {"token": wrapped["token"]})) == INVALID


@pytest.mark.parametrize(
    ("ttl", "why"),
    [
        ("x", 'time: invalid duration "x"'),
        ("1.5", 'time: missing unit in duration "1.5"'),
        ("-1", "requested wrap ttl cannot be negative"),
    ],
)
def test_a_time_that_cannot_be_meant(ask: Ask, ttl: str, why: str) -> None:
    """In Vault's words; 0 is no wrapping."""
    answer = ask("GET", "sys/mounts", headers={"X-Vault-Wrap-TTL": ttl})

    assert said(answer) == (400, [f"error parsing X-Vault-Wrap-TTL header: {why}"])
    assert ask("GET", "sys/mounts", headers={"X-Vault-Wrap-TTL": "0"}).json()["data"] is not None


def test_the_token_of_a_body_is_somebody_else_s(ask: Ask, wrapped: dict[str, Any]) -> None:
    """An empty one is refused, and one's own would be used twice (seen)."""
    empty = ask("POST", "sys/wrapping/unwrap", {"token": ""})
    own = ask("POST", "sys/wrapping/unwrap", {"token": wrapped["token"]}, token=wrapped["token"])

    assert said(empty) == (
        403,
        ["error validating wrapping token: empty token in request body"],
    )
    assert own.status_code == 500


JWT = {"X-Vault-Wrap-TTL": "100", "X-Vault-Wrap-Format": "jwt"}


def claims_of(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT, without a look at its signature."""
    header, claims, signature = text.split(".")
    assert len(base64.urlsafe_b64decode(signature)) == 132
    return json.loads(base64.urlsafe_b64decode(header + "==")), json.loads(
        base64.urlsafe_b64decode(claims + "==")
    )


def test_a_wrapping_token_may_be_a_jwt(vault: Vault, ask: Ask) -> None:
    """Of ES512, with the server's address; it opens what a plain one does, once."""
    vault.put("secret/a", {"n": 1})
    info = ask("GET", "secret/data/a", headers=JWT).json()["wrap_info"]
    header, claims = claims_of(info["token"])
    looked = ask("POST", "sys/wrapping/lookup", {"token": info["token"]}, token=None).json()
    elsewhere = ask("GET", "secret/data/a", token=info["token"])
    first = ask("POST", "sys/wrapping/unwrap", {"token": info["token"]})
    again = ask("POST", "sys/wrapping/unwrap", {"token": info["token"]})

    assert header == {"alg": "ES512", "typ": "JWT"}
    assert list(claims) == ["accessor", "addr", "exp", "iat", "jti", "nbf", "type"]
    assert (claims["addr"], claims["type"], claims["accessor"]) == (vault.url, "wrapping", "")
    assert (claims["exp"] - claims["iat"], claims["iat"] - claims["nbf"]) == (100, 5)
    assert claims["jti"].startswith("hvs.")
    assert looked["data"]["creation_ttl"] == 100
    assert elsewhere.status_code == 403
    assert first.json()["data"]["data"] == {"n": 1}
    assert said(again) == INVALID


def test_a_jwt_works_as_the_callers_token_and_in_a_rewrap(vault: Vault, ask: Ask) -> None:
    """The new one is a plain token unless the request says otherwise."""
    vault.put("secret/a", {"n": 1})
    own, other = (ask("GET", "secret/data/a", headers=JWT).json()["wrap_info"] for _ in "12")
    unwrapped = ask("POST", "sys/wrapping/unwrap", token=own["token"])
    plain = ask("POST", "sys/wrapping/rewrap", {"token": other["token"]}).json()["wrap_info"]

    assert unwrapped.json()["data"]["data"] == {"n": 1}
    assert plain["token"].startswith("hvs.")
    assert ask("POST", "sys/wrapping/unwrap", {"token": plain["token"]}).status_code == 200


def test_a_jwt_names_the_accessor_of_a_token_that_it_wraps(vault: Vault, ask: Ask) -> None:
    """And lies in the root namespace, wherever it was made."""
    vault.namespace("team")
    here = {**JWT, "X-Vault-Namespace": "team"}
    info = ask("POST", "auth/token/create", {"policies": ["x"]}, headers=here).json()["wrap_info"]
    _, claims = claims_of(info["token"])

    assert claims["accessor"] == info["wrapped_accessor"]
    assert claims["jti"].count(".") == 1
    answer = ask("POST", "sys/wrapping/unwrap", {"token": info["token"]})
    assert answer.json()["auth"]["accessor"] == info["wrapped_accessor"]


@pytest.mark.parametrize("kind", ["JWT", "xml", ""])
def test_other_formats_are_a_plain_token(vault: Vault, ask: Ask, kind: str) -> None:
    """It is `jwt`, in lower case, or nothing."""
    fields = {**JWT, "X-Vault-Wrap-Format": kind}
    answer = ask("GET", "sys/mounts", headers=fields).json()

    assert answer["wrap_info"]["token"].startswith("hvs.CAESI")


@pytest.mark.parametrize(
    ("token", "status", "why"),
    [
        ("a.b.c", 400, ""),
        ("aaa.bbb.ccc", 400, ""),
        ("hvs.b.c", 400, ""),
        ("..", 400, ""),
        ("...", 400, ""),
        ("eyJ!.e30.AAAA", 403, "could not be parsed: illegal base64 data at input byte 3"),
        ("eyJhb.e30.AAAA", 403, "could not be parsed: illegal base64 data at input byte 4"),
        ("eyJh.e30.AAAA", 403, "could not be parsed: unexpected EOF"),
        (
            "eyJhbGciOiJub25lIn0.e30.",
            403,
            'could not be parsed: unexpected signature algorithm "none"; expected ["ES512"]',
        ),
        (
            "eyJ0IjoxfQ.e30.AAAA",
            403,
            'could not be parsed: unexpected signature algorithm ""; expected ["ES512"]',
        ),
        (
            "eyJhbGciOiJFUzUxMiJ9.e30.AAAA",
            403,
            ("signature could not be validated: go-jose/go-jose: error in cryptographic primitive"),
        ),
    ],
)
def test_a_jwt_from_elsewhere_is_refused(ask: Ask, token: str, status: int, why: str) -> None:
    """With the reason; what only looks like one is no token."""
    answer = ask("POST", "sys/wrapping/unwrap", {"token": token})

    words = f"error validating wrapping token: wrapping token {why}"
    assert said(answer) == ((status, [words]) if why else INVALID)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"token": 5}, "could not decode token in request body"),
        ({"token": ""}, "empty token in request body"),
    ],
)
def test_what_is_no_text_is_no_wrapping_token(ask: Ask, body: Any, answer: str) -> None:
    """It is refused before anything is looked up; null is as good as nothing."""
    words = f"error validating wrapping token: {answer}"

    assert said(ask("POST", "sys/wrapping/unwrap", body)) == (403, [words])
    assert said(ask("POST", "sys/wrapping/unwrap", {"token": None})) == INVALID


@pytest.mark.parametrize(
    ("asked", "shown", "ttl"), [("500ms", 0, 0.5), ("1500ms", 1, 1.5), ("2d", 172800, 172800)]
)
def test_parts_of_a_second_count(  # noqa: PLR0917
    vault: Vault, ask: Ask, clock: SettableClock, asked: str, shown: int, ttl: float
) -> None:
    """Though the answer shows whole ones."""
    vault.put("secret/a", {"n": 1})
    info = ask("GET", "secret/data/a", headers={"X-Vault-Wrap-TTL": asked}).json()["wrap_info"]
    looked = ask("POST", "sys/wrapping/lookup", {"token": info["token"]}).json()["data"]
    clock.ahead = ttl

    assert (info["ttl"], looked["creation_ttl"]) == (shown, ttl)
    assert said(ask("POST", "sys/wrapping/lookup", {"token": info["token"]})) == INVALID


def test_an_empty_list_is_not_wrapped(ask: Ask) -> None:
    """Nobody is to unwrap nothing."""
    wrapped = ask("LIST", "secret/metadata/none", headers=WRAP)

    assert said(wrapped) == (404, ["unsupported path"])
    assert said(ask("LIST", "secret/metadata/none")) == (404, [])
    assert said(ask("LIST", "nowhere/x", headers=WRAP)) == said(ask("LIST", "nowhere/x"))
