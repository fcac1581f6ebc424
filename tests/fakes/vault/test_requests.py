"""How a request may be written: methods, headers, bodies, paths."""

from typing import Any

import pytest
import requests

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

IGNORED = "Endpoint ignored these unrecognized parameters"
REPLACED = (
    "Endpoint replaced the value of these parameters with the values captured from the"
    " endpoint's path"
)


def test_list_is_get_with_a_switch(vault: Vault, ask: Ask) -> None:
    """LIST, GET?list=true and a slash at the end make no difference."""
    vault.put("secret/a/b", {})
    forms = [
        ("LIST", "secret/metadata/a"),
        ("LIST", "secret/metadata/a/"),
        ("GET", "secret/metadata/a?list=true"),
        ("GET", "secret/metadata/a/?list=1"),
        ("GET", "secret/metadata/a?list=T"),
    ]

    vault.put("secret/a", {})
    no_list = ask("GET", "secret/metadata/a?list=false").json()["data"]

    assert no_list["current_version"] == 1
    assert [ask(*form).json()["data"] for form in forms] == [{"keys": ["b"]}] * 5


def test_put_is_post(vault: Vault, ask: Ask) -> None:
    """Both write."""
    ask("PUT", "secret/data/a", {"data": {"n": 1}}).raise_for_status()
    ask("POST", "secret/data/a", {"data": {"n": 2}}).raise_for_status()

    assert (vault.get("secret/a", 1), vault.get("secret/a", 2)) == ({"n": 1}, {"n": 2})


def test_a_bearer_token_is_as_good_and_the_other_header_wins(vault: Vault, ask: Ask) -> None:
    """`Bearer` is written like this, and only like this."""
    bearer = {"Authorization": f"Bearer {vault.root_token}"}
    lower = {"Authorization": f"bearer {vault.root_token}"}
    path = "auth/token/lookup-self"

    assert ask("GET", path, token=None, headers=bearer).status_code == 200
    assert ask("GET", path, token=None, headers=lower).status_code == 403
    assert ask("GET", path, token="hvs.unknown", headers=bearer).status_code == 403
    assert ask("GET", path, headers={"Authorization": "Bearer x"}).status_code == 200


def test_json_is_read_whatever_the_content_type_says(vault: Vault, ask: Ask) -> None:
    """`curl -d` calls JSON a form; a real form is read as one."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    vault.mount("kv1", version=1)

    ask("POST", "kv1/json", b' {"a":1}', headers=form).raise_for_status()
    ask("POST", "kv1/text", b'{"a":1}', headers={"Content-Type": "text/plain"}).raise_for_status()
    ask("POST", "kv1/form", b"a=1&b=2&b=3", headers=form).raise_for_status()

    assert vault.get("kv1/json") == {"a": 1}
    assert vault.get("kv1/text") == {"a": 1}
    assert vault.get("kv1/form") == {"a": "1", "b": "2,3"}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/v1/secret//data/a", "/v1/secret/data/a"),
        ("/v1//secret/data/a?version=1", "/v1/secret/data/a?version=1"),
        ("/v1/sys", "/v1/sys/"),
    ],
)
def test_a_path_that_is_not_clean_is_redirected(ask: Ask, path: str, location: str) -> None:
    """Go's ServeMux answers 307; only a read gets a body."""
    read, write = ask("GET", path), ask("POST", path)

    assert (read.status_code, read.headers["Location"]) == (307, location)
    assert read.text == f'<a href="{location}">Temporary Redirect</a>.\n\n'
    assert read.headers["Content-Type"] == "text/html; charset=utf-8"
    assert (write.status_code, write.headers["Location"], write.content) == (307, location, b"")


@pytest.mark.parametrize("method", ["GET", "POST", "LIST"])
def test_an_address_with_a_slash_at_its_end_leads_nowhere(vault: Vault, method: str) -> None:
    """What begins with two slashes is no path of Vault's, and is not redirected (seen)."""
    vault.put("secret/a", {"n": 1})
    url = f"{vault.url}/" + "/v1/secret/data/a"

    answer = requests.request(method, url, headers={"X-Vault-Token": vault.token}, timeout=5)

    assert said(answer) == (404, [])
    assert answer.history == []
    assert "no route matched" in vault.trace.table()


@pytest.mark.parametrize("body", [b"password=a;b", b"password=100%"])
def test_what_is_no_form_is_refused(ask: Ask, body: bytes) -> None:
    """A semicolon has to be escaped, since Go 1.17."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    assert said(ask("POST", "cubbyhole/a", body, headers=form)) == (
        400,
        ["error parsing form data"],
    )


def test_a_namespace_is_echoed(ask: Ask) -> None:
    """The community edition has none, and says no more about it."""
    answer = ask("GET", "sys/mounts", headers={"X-Vault-Namespace": "team-a"})

    assert answer.headers["X-Vault-Namespace"] == "team-a"


@pytest.mark.parametrize(
    ("ttl", "why"),
    [
        ("x", 'time: invalid duration "x"'),
        ("-5", "requested wrap ttl cannot be negative"),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("1.5", 'time: missing unit in duration "1.5"'),
        ("1h30", 'time: missing unit in duration "1h30"'),
        ("xd", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_a_wrap_ttl_that_cannot_be_read_is_400(ask: Ask, ttl: str, why: str) -> None:
    """In Go's words."""
    answer = ask("GET", "sys/mounts", headers={"X-Vault-Wrap-TTL": ttl})

    assert said(answer) == (400, [f"error parsing X-Vault-Wrap-TTL header: {why}"])


def test_a_wrap_ttl_of_nothing_wraps_nothing(ask: Ask) -> None:
    """0 is no time."""
    assert ask("GET", "sys/mounts", headers={"X-Vault-Wrap-TTL": "0"}).status_code == 200


def test_query_parameters_are_the_data_of_a_read(vault: Vault, ask: Ask) -> None:
    """A parameter that is given twice is a list."""
    for number in (1, 2):
        vault.put("secret/a", {"n": number})

    assert ask("GET", "secret/data/a?version=1").json()["data"]["data"] == {"n": 1}
    assert ask("GET", "secret/data/a?version=1&version=2").status_code == 400
    assert ask("GET", "secret/data/a?help=").status_code == 200


def test_a_body_may_be_so_large_and_no_larger() -> None:
    """413 in Vault's form, whether its length is said before or comes in pieces."""
    with Vault(max_body=1000) as small:
        url, fields = f"{small.url}/v1/secret/data/a", {"X-Vault-Token": small.root_token}
        told = requests.post(url, json={"data": {"x": "a" * 1000}}, headers=fields, timeout=5)
        pieces = requests.post(url, data=iter([b"x" * 600] * 2), headers=fields, timeout=5)
        fits = requests.post(url, json={"data": {"x": "a" * 900}}, headers=fields, timeout=5)

    for answer in (told, pieces):
        assert said(answer) == (413, ["http: request body too large"])
        assert answer.headers["Content-Type"] == "application/json"
    assert fits.status_code == 200
    assert Vault().max_body == 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        (
            "POST",
            "auth/approle/role/app/secret-id",
            {"role_name": "x", "name": "y"},
            [f"{IGNORED}: [name]", f"{REPLACED}: [role_name]"],
        ),
        ("POST", "auth/approle/role/app/secret-id", {"role_name": None}, None),
        ("GET", "secret/data/a?path=x", None, [f"{REPLACED}: [path]"]),
        ("POST", "sys/tools/hash", {"urlalgorithm": "x"}, [f"{REPLACED}: [urlalgorithm]"]),
        ("POST", "sys/capabilities-self", {"paths": "x", "z": 1}, [f"{IGNORED}: [z]"]),
    ],
)
def test_who_names_what_the_path_names_is_warned(
    vault: Vault, ask: Ask, *, method: str, path: str, body: Any, words: list[str] | None
) -> None:
    """What the path says holds (sdk/framework, HandleRequest; seen)."""
    vault.put("secret/a", {})

    assert ask(method, path, body).json()["warnings"] == words
