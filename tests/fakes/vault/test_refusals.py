"""Errors: which status, and in which words."""

import http.client
import json
from contextlib import closing

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

INVALID_TOKEN = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"
POLICY_SAYS_NO = "1 error occurred:\n\t* permission denied\n\n"


def test_there_are_three_kinds_of_403(vault: Vault, ask: Ask) -> None:
    """No token, a token that is no good, and a good token whose policies say no."""
    assert said(ask("GET", "secret/data/a", token=None)) == (403, ["permission denied"])
    assert said(ask("GET", "secret/data/a", token="hvs.unknown")) == (403, [INVALID_TOKEN])
    assert said(ask("GET", "sys/mounts", token=vault.token)) == (403, [POLICY_SAYS_NO])


def test_the_token_is_looked_at_before_the_mount(vault: Vault, ask: Ask) -> None:
    """Only who may do anything there learns that a mount is not there."""
    assert said(ask("GET", "nope/x", token=None)) == (403, ["permission denied"])
    assert said(ask("GET", "nope/x", token="hvs.unknown")) == (403, [INVALID_TOKEN])
    assert said(ask("GET", "nope/x", token=vault.token)) == (403, [POLICY_SAYS_NO])
    assert said(ask("GET", "nope/x")) == (
        404,
        ['no handler for route "nope/x". route entry not found.'],
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "errors"),
    [
        ("GET", "auth/token/nope", 404, ["1 error occurred:\n\t* unsupported path\n\n"]),
        ("GET", "auth/token/create", 405, ["1 error occurred:\n\t* unsupported operation\n\n"]),
        ("LIST", "secret/data", 405, ["1 error occurred:\n\t* unsupported operation\n\n"]),
        ("FOO", "secret/data/a", 405, []),
        ("OPTIONS", "secret/data/a", 400, ["cannot handle internal-only request operation"]),
        ("GET", "secret/data/a?list=maybe", 400, []),
        ("GET", "secret/data/nope", 404, []),
        ("LIST", "secret/metadata/nope", 404, []),
        ("POST", "secret/data/", 400, ["cannot write to a path ending in '/'"]),
        ("GET", "auth/nope/x", 404, ['no handler for route "auth/nope/x". route entry not found.']),
        ("GET", "", 404, ['no handler for route "". route entry not found.']),
        ("GET", "/v2/secret", 404, []),
        ("POST", "sys/internal/ui/mounts/secret", 405, ["unsupported operation"]),
        ("LIST", "sys/internal/ui/mounts", 404, ["unsupported path"]),
        ("LIST", "sys/locked-users", 404, ["1 error occurred:\n\t* unsupported path\n\n"]),
    ],
)
def test_an_error_has_its_status_and_its_words(
    ask: Ask, method: str, path: str, status: int, errors: list[str]
) -> None:
    """Seen on a real server of the family."""
    assert said(ask(method, path)) == (status, errors)


@pytest.mark.parametrize("path", ["/", "/ui", "/ui/vault", "/robots.txt", "/?x=1"])
def test_there_is_no_page_for_browsers(ask: Ask, path: str) -> None:
    """The user interface is off, and Go itself says so."""
    answer = ask("GET", path, token=None)

    assert (answer.status_code, answer.text) == (404, "404 page not found\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_head_has_no_body(ask: Ask) -> None:
    """HEAD is an operation that no path here has."""
    answer = ask("HEAD", "secret/data/a")

    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a":', "unexpected EOF"),
        (b"nul", "unexpected EOF"),
        (b'{"a":"b', "unexpected EOF"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        (b'{"a":01}', "invalid character '1' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"a":["]"} x', "invalid character '}' after array element"),
        (b'{"a":\n}', "invalid character '}' looking for beginning of value"),
        (b'{"a":"\n"}', "invalid character '\\n' in string literal"),
        (b'{"a":"\x01"}', "invalid character '\\x01' in string literal"),
        (b"\xef\xbb\xbf{}", "invalid character '\\ufeff' looking for beginning of value"),
        (b"\x7f", "invalid character '\\x7f' looking for beginning of value"),
        ("\U000e0001".encode(), "invalid character '\\U000e0001' looking for beginning of value"),
        (b'{"a":"\\q"}', "invalid character 'q' in string escape code"),
        (b'{"a":"\\u12"}', "invalid character '\"' in \\u hexadecimal character escape"),
        (b'{"a":"\\', "unexpected EOF"),
        (b'{"a":"\\u12', "unexpected EOF"),
        (b'{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
        (b'{"a":fal', "unexpected EOF"),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        (b'{"a":-Infinity}', "invalid character 'I' in numeric literal"),
        (b'{"a":-}', "invalid character '}' in numeric literal"),
        (b'{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        (b'{"a":1e}', "invalid character '}' in exponent of numeric literal"),
        (b'{"a":1.', "unexpected EOF"),
        (b"'", "invalid character '\\'' looking for beginning of value"),
        (b"[1]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (b"1", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
        (b"true", "json: cannot unmarshal bool into Go value of type map[string]interface {}"),
        (b'"x"', "json: cannot unmarshal string into Go value of type map[string]interface {}"),
        (b"[" * 300 + b"1," * 5, "unexpected EOF"),
        (b'{"a":"x\\"]" 1}', "invalid character '1' after object key:value pair"),
        (b'["[]",{}"', "invalid character '\"' after array element"),
    ],
)
def test_malformed_json_is_400_and_says_what_go_says(ask: Ask, body: bytes, why: str) -> None:
    """The words of encoding/json behind Vault's own."""
    answer = ask("POST", "secret/data/a", body)

    assert said(answer) == (400, [f"failed to parse JSON input: {why}"])


def test_what_follows_the_first_value_is_not_read(vault: Vault, ask: Ask) -> None:
    """json.Decoder stops at the end of the first value."""
    ask("POST", "secret/data/a", b'{"data":{"a":1}} and more').raise_for_status()

    assert vault.get("secret/a") == {"a": 1}


@pytest.mark.parametrize("body", [b"", b"  ", b"null"])
def test_an_empty_body_is_an_empty_object(ask: Ask, body: bytes) -> None:
    """The field is what is missing then."""
    assert said(ask("POST", "secret/data/a", body)) == (400, ["no data provided"])


def test_a_body_over_32_mib_is_refused(ask: Ask) -> None:
    """413, in the words of Go's http package."""
    answer = ask("POST", "secret/data/a", b"x" * (32 * 1024 * 1024 + 1))

    assert said(answer) == (413, ["http: request body too large"])


@pytest.mark.parametrize(
    ("kind", "status", "errors"),
    [
        ("application/merge-patch+json", 404, None),
        ("application/merge-patch+json; charset=utf-8", 404, None),
        (
            "application/json",
            415,
            [
                (
                    "PATCH requires Content-Type of application/merge-patch+json,"
                    " provided application/json"
                )
            ],
        ),
        ("", 400, ["mime: no media type"]),
        ("a b", 400, ["mime: expected slash after first token"]),
    ],
)
def test_a_patch_names_its_format(
    ask: Ask, kind: str, status: int, errors: list[str] | None
) -> None:
    """Anything but a merge patch is 415."""
    answer = ask("PATCH", "secret/data/a", b'{"data":{"a":1}}', headers={"Content-Type": kind})

    assert answer.status_code == status
    assert (answer.json()["errors"] if answer.content else None) == errors


def test_a_path_that_the_fake_lacks_is_answered_by_vault_and_flagged(
    vault: Vault, ask: Ask
) -> None:
    """The test fails on it: the real Vault may have an answer there."""
    answer = ask("GET", "sys/host-info")

    assert said(answer) == (404, ["1 error occurred:\n\t* unsupported path\n\n"])
    assert "no route matched" in vault.trace.table()
    assert "/v1/sys/mounts" in vault.trace.table() or "/v1/sys" in vault.trace.table()


def test_a_mount_that_is_not_there_is_no_gap_of_the_fake(vault: Vault, ask: Ask) -> None:
    """Vault itself would answer so."""
    ask("GET", "nope/x")

    assert "no route matched" not in vault.trace.table()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "why"),
    [
        ("GET", "sys/mounts?help=1", None, {}, "has no help texts"),
        ("POST", "hollow/keys/x", {"type": "aes"}, {}, "has no transit"),
        ("POST", "auth/people/users/x", {"password": "p"}, {}, "has no userpass"),
        ("PUT", "sys/generate-root/attempt", {"pgp_key": "k"}, {}, "does not encrypt with PGP"),
    ],
)
def test_what_the_fake_cannot_do_is_501_and_flagged(  # noqa: PLR0917
    vault: Vault,
    ask: Ask,
    method: str,
    path: str,
    body: object,
    headers: dict[str, str],
    why: str,
) -> None:
    """It does not pretend: the real Vault would have done something else."""
    ask("POST", "sys/mounts/hollow", {"type": "transit"})
    ask("POST", "sys/auth/people", {"type": "userpass"})
    answer = ask(method, path, body, headers=headers)

    assert said(answer) == (501, [f"this fake of Vault {why}"])
    assert "no route matched" in vault.trace.table()


def test_half_a_character_does_not_break_the_answer(vault: Vault, ask: Ask) -> None:
    """Go replaces it."""
    ask("POST", "secret/data/a", b'{"data":{"a":"\\ud800x"}}').raise_for_status()

    assert ask("GET", "secret/data/a").json()["data"]["data"] == {"a": "\ufffdx"}


@pytest.mark.parametrize("ttl", ['"99999999999"', '"999999999d"', "99999999999"])
def test_a_time_that_go_cannot_hold_is_refused(ask: Ask, ttl: str) -> None:
    """292 years are the most."""
    answer = ask("POST", "auth/approle/role/x", b'{"token_ttl":%s}' % ttl.encode())

    assert answer.status_code == 400
    assert "time: invalid duration" in answer.json()["errors"][0]


@pytest.mark.parametrize(
    "path", ["secret/data/a%00b", "sys/health%0A", "a%7F", "%C2%A0", "%E2%80%8B"]
)
def test_what_cannot_be_printed_is_refused_without_a_word(ask: Ask, path: str) -> None:
    """Nor with any header field (go-cleanhttp)."""
    answer = ask("GET", path, headers={"X-Vault-Namespace": "x"})

    assert (answer.status_code, answer.content) == (400, b"")
    assert answer.headers.keys() == {"Content-Length", "Date"}


@pytest.mark.parametrize("path", ["/v1/secret/data/100%", "/v1/secret/data/a%zz", "/%2"])
def test_an_escape_that_is_none_is_refused_by_the_server_below(vault: Vault, path: str) -> None:
    """Vault never hears of it; most clients mend it before they send it (net/http)."""
    connection = http.client.HTTPConnection("127.0.0.1", vault.port, timeout=5)
    connection.request("GET", path, headers={"X-Vault-Token": vault.root_token})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()

    assert (answer.status, text) == (400, b"400 Bad Request")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Connection"] == "close"
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize("number", ["9223372036854775808", '"99999999999999999999"', "-1e19"])
def test_a_number_that_go_cannot_hold_is_refused(ask: Ask, number: str) -> None:
    """A whole one has 64 bits."""
    answer = ask("POST", "auth/approle/role/x", b'{"token_num_uses":%s}' % number.encode())

    assert answer.status_code == 400
    assert "cannot parse value as 'int'" in answer.json()["errors"][0]


@pytest.mark.parametrize(
    ("path", "status"),
    [("a%2F..%2Fb", 400), ("a/.%2Fb", 400), ("a..b", 404), ("%C3%A9%20+", 404)],
)
def test_dots_that_were_escaped_are_no_way_up(ask: Ask, path: str, status: int) -> None:
    """Only those that can be seen in the path are a redirect."""
    answer = ask("GET", f"secret/data/{path}")

    assert answer.status_code == status
    assert answer.json()["errors"] == (["relative paths not supported"] if status == 400 else [])


def test_slashes_that_were_escaped_may_be_doubled(vault: Vault, ask: Ask) -> None:
    """They belong to the name of a secret."""
    assert ask("POST", "secret/data/x%2F%2Fy", {"data": {"n": 1}}).status_code == 200
    assert ask("GET", "secret/data/x%2F%2Fy").json()["data"]["data"] == {"n": 1}
    assert ask("LIST", "secret/metadata").json()["data"]["keys"] == ["x/"]
    assert vault.get("secret/x//y") == {"n": 1}


IGNORED = ["Endpoint ignored these unrecognized parameters: [aa zz]"]


def test_parameters_that_mean_nothing_are_told(vault: Vault, ask: Ask) -> None:
    """Of reads and lists, too; then even an empty list has something to say."""
    vault.put("secret/a", {"n": 1})
    query = "zz=1&aa=2"
    empty = ask("LIST", f"secret/metadata/none?{query}")
    none = ask("LIST", f"auth/token/roles?{query}")

    assert ask("GET", f"secret/data/a?{query}").json()["warnings"] == IGNORED
    assert ask("LIST", f"secret/metadata?{query}").json()["warnings"] == IGNORED
    assert ask("GET", f"sys/mounts?{query}").json()["warnings"] == IGNORED
    assert ask("GET", f"secret/data/none?{query}").status_code == 404
    for answer in (empty, none):
        assert answer.status_code == 200
        assert (answer.json()["data"], answer.json()["warnings"]) == ({}, IGNORED)
    with_role = ask("LIST", f"auth/approle/role/none/secret-id?{query}")
    assert said(with_role) == (400, ['role "none" does not exist'])


@pytest.mark.parametrize("method", ["get", "Get", "post", "list", "head"])
@pytest.mark.parametrize("path", ["/v1/secret/data/a", "/v1/sys/health", "/v1/sys/seal-status"])
def test_methods_are_case_sensitive(vault: Vault, method: str, path: str) -> None:
    """A method in lower case is an unknown one (http/logical.go; seen)."""
    with closing(http.client.HTTPConnection(vault.host, vault.port, timeout=10)) as connection:
        connection.request(method, path, headers={"X-Vault-Token": vault.root_token})
        answer = connection.getresponse()

        assert (answer.status, json.loads(answer.read())) == (405, {"errors": []})
