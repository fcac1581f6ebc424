"""KV version 2: versions and what becomes of them."""

from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, SettableClock, said

PATCH = {"Content-Type": "application/merge-patch+json"}
DATA = "secret/data/a"


def write(ask: Ask, data: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What a write answers."""
    shown: dict[str, Any] = ask("POST", DATA, {"data": data, "options": options}).json()["data"]
    return shown


def test_a_write_answers_with_the_new_versions_metadata(ask: Ask) -> None:
    """200, not 204."""
    answer = ask("POST", DATA, {"data": {"n": 1}})

    shown = answer.json()["data"]
    assert answer.status_code == 200
    assert shown.pop("created_time").endswith("Z")
    assert shown == {
        "custom_metadata": None,
        "deletion_time": "",
        "destroyed": False,
        "version": 1,
    }


def test_versions_are_read_by_number_and_0_is_the_newest(ask: Ask) -> None:
    """One that is not there is 404."""
    for number in (1, 2, 3):
        write(ask, {"n": number})

    def read(query: str) -> Any:
        return ask("GET", DATA + query).json()["data"]["data"]["n"]

    assert [read(q) for q in ("", "?version=0", "?version=-1", "?version=", "?version=2")] == [
        3,
        3,
        3,
        3,
        2,
    ]
    assert said(ask("GET", f"{DATA}?version=9")) == (404, [])
    assert said(ask("GET", f"{DATA}?version=x")) == (
        400,
        [
            (
                'Field validation failed: error converting input for field "version": '
                "'' cannot parse value as 'int': strconv.ParseInt: invalid syntax"
            )
        ],
    )


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, ["no data provided"]),
        (
            {"data": 1},
            [
                (
                    "error converting input for field \"data\": '' expected type "
                    "'map[string]interface {}', got unconvertible type 'json.Number'"
                )
            ],
        ),
        (
            {"data": "x"},
            [
                (
                    "error converting input for field \"data\": '' expected type "
                    "'map[string]interface {}', got unconvertible type 'string'"
                )
            ],
        ),
        (
            {"data": [True]},
            [
                (
                    "error converting input for field \"data\": '[0]' expected type "
                    "'map[string]interface {}', got unconvertible type 'bool'"
                )
            ],
        ),
        (
            {"data": {}, "options": "x"},
            [
                (
                    "error converting input for field \"options\": '' expected type "
                    "'map[string]interface {}', got unconvertible type 'string'"
                )
            ],
        ),
    ],
)
def test_data_must_be_a_map(ask: Ask, body: dict[str, Any], errors: list[str]) -> None:
    """In the words of the framework's converter."""
    assert said(ask("POST", DATA, body)) == (400, errors)


def test_null_is_kept_as_null(vault: Vault, ask: Ask) -> None:
    """And cannot be patched."""
    ask("POST", DATA, {"data": None}).raise_for_status()

    assert ask("GET", DATA).json()["data"]["data"] is None
    assert ask("GET", "secret/subkeys/a").json()["data"]["subkeys"] is None
    assert said(ask("PATCH", DATA, {"data": {"n": 1}}, headers=PATCH)) == (
        500,
        ["1 error occurred:\n\t* resource does not exist\n\n"],
    )
    assert ask("POST", DATA, {"data": []}).status_code == 200


WRONG_VERSION = (400, ["check-and-set parameter did not match the current version"])
NO_NUMBER = (400, ["error parsing check-and-set parameter"])


def test_check_and_set_lets_one_of_two_writers_win(ask: Ask) -> None:
    """0 is for a secret that is not there yet."""
    first = write(ask, {"n": 1}, cas=0)["version"]
    second = write(ask, {"n": 2}, cas=1)["version"]
    third = write(ask, {"n": 3}, cas="2")["version"]

    assert (first, second, third) == (1, 2, 3)
    assert said(ask("POST", DATA, {"data": {}, "options": {"cas": 0}})) == WRONG_VERSION
    assert said(ask("POST", DATA, {"data": {}, "options": {"cas": None}})) == WRONG_VERSION
    for wrong in ("x", 3.0, [3]):
        assert said(ask("POST", DATA, {"data": {}, "options": {"cas": wrong}})) == NO_NUMBER


def test_check_and_set_may_be_required(ask: Ask) -> None:
    """By the secret or by the engine."""
    required = (400, ["check-and-set parameter required for this call"])
    ask("POST", "secret/metadata/a", {"cas_required": True}).raise_for_status()
    by_secret = said(ask("POST", DATA, {"data": {}}))
    ask("POST", "secret/metadata/a", {"cas_required": False}).raise_for_status()
    ask("POST", "secret/config", {"cas_required": True}).raise_for_status()
    by_engine = said(ask("POST", DATA, {"data": {}}))

    assert (by_secret, by_engine) == (required, required)
    assert write(ask, {}, cas=0)["version"] == 1


def test_a_deleted_version_is_a_404_with_its_metadata(ask: Ask) -> None:
    """The body is a success's, with null for the data and no errors: hvac makes a result of it."""
    write(ask, {"n": 1})
    deleted = [ask("DELETE", DATA).status_code for _ in range(2)]
    answer = ask("GET", DATA)

    body = answer.json()
    assert deleted == [204, 204]
    assert answer.status_code == 404
    assert "errors" not in body
    assert body["data"]["data"] is None
    assert body["data"]["metadata"]["version"] == 1
    assert body["data"]["metadata"]["deletion_time"].endswith("Z")
    assert body["data"]["metadata"]["destroyed"] is False
    assert body["mount_type"] == "kv"
    assert not answer.text.endswith("\n")


def test_a_deletion_can_be_taken_back_and_a_destruction_cannot(ask: Ask) -> None:
    """By version numbers, as a list or a string."""
    for number in (1, 2, 3):
        write(ask, {"n": number})

    def readable() -> list[int]:
        found = [ask("GET", f"{DATA}?version={number}").status_code for number in (1, 2, 3)]
        return [number for number, status in zip((1, 2, 3), found, strict=True) if status == 200]

    ask("POST", "secret/delete/a", {"versions": [1, 2, 9]}).raise_for_status()
    deleted = readable()
    ask("POST", "secret/undelete/a", {"versions": "1,2"}).raise_for_status()
    undeleted = readable()
    ask("PUT", "secret/destroy/a", {"versions": ["1"]}).raise_for_status()
    ask("POST", "secret/undelete/a", {"versions": [1]}).raise_for_status()

    assert (deleted, undeleted, readable()) == ([3], [1, 2, 3], [2, 3])
    assert ask("GET", f"{DATA}?version=1").json()["data"]["metadata"]["destroyed"] is True


@pytest.mark.parametrize("verb", ["delete", "undelete", "destroy"])
def test_versions_must_be_named_and_need_not_be_there(ask: Ask, verb: str) -> None:
    """204 for a secret that is not there."""
    words = f"{'n' if verb == 'destroy' else 'N'}o version number provided"
    assert said(ask("POST", f"secret/{verb}/a", {})) == (400, [words])
    assert said(ask("POST", f"secret/{verb}/a", {"versions": {}})) == (400, [words])
    assert said(ask("POST", f"secret/{verb}/a", {"versions": "x"})) == (
        400,
        [
            (
                'Field validation failed: error converting input for field "versions": decoding '
                "failed due to the following error(s):\n\n"
                "'[0]' cannot parse value as 'int': strconv.ParseInt: invalid syntax"
            )
        ],
    )
    assert ask("POST", f"secret/{verb}/nope", {"versions": [1]}).status_code == 204


def test_only_the_newest_ten_versions_are_kept(ask: Ask) -> None:
    """Or as many as secret or engine say, whichever is more."""
    for number in range(12):
        write(ask, {"n": number})
    ten = ask("GET", "secret/metadata/a").json()["data"]
    ask("POST", "secret/metadata/a", {"max_versions": 3}).raise_for_status()
    write(ask, {"n": 12})
    three = ask("GET", "secret/metadata/a").json()["data"]

    assert (ten["current_version"], ten["oldest_version"], len(ten["versions"])) == (12, 3, 10)
    assert list(three["versions"]) == ["11", "12", "13"]
    assert three["oldest_version"] == 11
    assert said(ask("GET", f"{DATA}?version=2")) == (404, [])


def test_versions_delete_themselves_on_the_fakes_clock(ask: Ask, clock: SettableClock) -> None:
    """After the shorter of the secret's and the engine's time; a negative engine's is never."""
    ask("POST", "secret/config", {"delete_version_after": "2h"}).raise_for_status()
    ask("POST", "secret/metadata/a", {"delete_version_after": "1h"}).raise_for_status()
    planned = write(ask, {"n": 1})["deletion_time"]
    before = ask("GET", DATA).status_code
    clock.ahead = 3601
    after = ask("GET", DATA).status_code
    ask("POST", "secret/config", {"delete_version_after": "-1s"}).raise_for_status()

    assert planned.endswith("Z")
    assert (before, after) == (200, 404)
    assert ask("GET", "secret/config").json()["data"]["delete_version_after"] == "-1s"
    assert write(ask, {"n": 2})["deletion_time"] == ""


def test_a_patch_merges(ask: Ask) -> None:
    """Null removes, maps are merged all the way down, the rest replaces (RFC 7396)."""
    write(ask, {"a": 1, "n": {"b": 1, "c": 2}, "l": [1]})

    answer = ask(
        "PATCH",
        DATA,
        {"data": {"a": None, "n": {"b": None}, "l": {"x": {"y": None}}}},
        headers=PATCH,
    )

    assert answer.json()["data"]["version"] == 2
    assert ask("GET", DATA).json()["data"]["data"] == {"n": {"c": 2}, "l": {"x": {}}}


def test_a_patch_needs_a_secret_that_can_be_read(ask: Ask) -> None:
    """404: without a body where nothing is, with metadata where it is deleted."""
    nothing = ask("PATCH", "secret/data/nope", {"data": {"n": 1}}, headers=PATCH)
    ask("POST", "secret/metadata/empty", {}).raise_for_status()
    empty = ask("PATCH", "secret/data/empty", {"data": {"n": 1}}, headers=PATCH)
    write(ask, {"n": 1})
    wrong = ask("PATCH", DATA, {"data": {}, "options": {"cas": 9}}, headers=PATCH)
    missing = ask("PATCH", DATA, {}, headers=PATCH)
    null = ask("PATCH", DATA, {"data": None}, headers=PATCH).json()["data"]["version"]
    ask("DELETE", DATA)
    deleted = ask("PATCH", DATA, {"data": {"n": 1}}, headers=PATCH)

    assert (nothing.status_code, nothing.content) == (404, b"")
    assert (empty.status_code, empty.content) == (404, b"")
    assert said(wrong) == WRONG_VERSION
    assert said(missing) == (400, ["no data provided"])
    assert null == 2
    assert deleted.status_code == 404
    assert deleted.json()["data"]["version"] == 2


def test_subkeys_show_the_shape_without_the_values(ask: Ask) -> None:
    """Down to a depth, if one is named."""
    write(ask, {"a": 1, "n": {"b": {"c": 1}}, "e": {}})

    def subkeys(query: str = "") -> Any:
        return ask("GET", f"secret/subkeys/a{query}").json()["data"]["subkeys"]

    assert subkeys() == {"a": None, "n": {"b": {"c": None}}, "e": None}
    assert subkeys("?depth=1") == {"a": None, "n": None, "e": None}
    assert subkeys("?depth=2") == {"a": None, "n": {"b": None}, "e": None}
    assert said(ask("GET", "secret/subkeys/a?version=9")) == (404, [])
    assert said(ask("GET", "secret/subkeys/nope")) == (404, [])
    ask("DELETE", DATA)
    assert ask("GET", "secret/subkeys/a").json()["data"]["subkeys"] is None


# Metadata


def test_metadata_shows_every_version(ask: Ask) -> None:
    """And the settings, with durations as Go writes them."""
    write(ask, {"n": 1})
    changed = ask(
        "POST",
        "secret/metadata/a",
        {
            "max_versions": 5,
            "cas_required": True,
            "delete_version_after": "90m",
            "custom_metadata": {"owner": "team-a", "n": 1, "b": True},
        },
    )
    shown = ask("GET", "secret/metadata/a").json()["data"]

    assert changed.status_code == 204
    assert shown.pop("created_time") < shown.pop("updated_time")
    assert shown["versions"]["1"].pop("created_time").endswith("Z")
    assert shown == {
        "cas_required": True,
        "current_version": 1,
        "custom_metadata": {"owner": "team-a", "n": "1", "b": "1"},
        "delete_version_after": "1h30m0s",
        "max_versions": 5,
        "oldest_version": 0,
        "versions": {"1": {"deletion_time": "", "destroyed": False}},
    }
    assert ask("GET", DATA).json()["data"]["metadata"]["custom_metadata"]["owner"] == "team-a"


def test_metadata_alone_is_no_secret_yet(ask: Ask) -> None:
    """It is listed, and cannot be read."""
    ask("POST", "secret/metadata/b", {"max_versions": 3}).raise_for_status()
    ask("POST", "secret/metadata/nothing-said", {}).raise_for_status()

    assert said(ask("GET", "secret/data/b")) == (404, [])
    assert ask("DELETE", "secret/data/b").status_code == 204
    assert ask("LIST", "secret/metadata").json()["data"] == {"keys": ["b"]}
    assert ask("GET", "secret/metadata/b").json()["data"]["current_version"] == 0


def test_deleting_the_metadata_forgets_everything(ask: Ask) -> None:
    """All versions, for good."""
    write(ask, {"n": 1})
    statuses = [ask("DELETE", f"secret/metadata/{name}").status_code for name in ("a", "nope")]

    assert statuses == [204, 204]
    assert said(ask("GET", DATA)) == (404, [])
    assert said(ask("GET", "secret/metadata/a")) == (404, [])
    assert write(ask, {"n": 2})["version"] == 1


def test_custom_metadata_is_patched_key_by_key(ask: Ask) -> None:
    """A null removes a key; a null for all of it removes all."""
    path = "secret/metadata/a"
    ask("POST", path, {"custom_metadata": {"a": "1", "b": "2"}}).raise_for_status()

    def custom(change: Any) -> Any:
        ask("PATCH", path, {"custom_metadata": change}, headers=PATCH).raise_for_status()
        return ask("GET", path).json()["data"]["custom_metadata"]

    assert custom({"a": None, "c": "3"}) == {"b": "2", "c": "3"}
    assert custom(None) is None
    ask("PATCH", path, {"max_versions": 3}, headers=PATCH).raise_for_status()
    assert ask("GET", path).json()["data"]["max_versions"] == 3
    missing = ask("PATCH", "secret/metadata/nope", {"max_versions": 3}, headers=PATCH)
    assert (missing.status_code, missing.content) == (404, b"")
    assert ask("PATCH", "secret/metadata/nope", {}, headers=PATCH).status_code == 204


FAILED = "custom_metadata validation failed:"


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        (
            {"custom_metadata": {"a": None}},
            [
                (
                    f'1 error occurred:\n\t* {FAILED} length of value for key "a" is 0 '
                    "but must be 0 < len(value) <= 512\n\n"
                )
            ],
        ),
        (
            {"custom_metadata": {"": "x", "b": "x" * 513}},
            [
                (
                    f'2 errors occurred:\n\t* {FAILED} length of key "" is 0 '
                    "but must be 0 < len(key) <= 128\n"
                    f'\t* {FAILED} length of value for key "b" is 513 '
                    "but must be 0 < len(value) <= 512\n\n"
                )
            ],
        ),
        (
            {"custom_metadata": {str(number): "x" for number in range(65)}},
            [
                (
                    f"1 error occurred:\n\t* {FAILED} payload must contain at most 64 keys, "
                    "provided 65\n\n"
                )
            ],
        ),
        (
            {"custom_metadata": {"a": ["x"]}},
            [f"{FAILED} '' expected type 'string', got unconvertible type '[]interface {{}}'"],
        ),
        (
            {"max_versions": "x"},
            [
                (
                    'error converting input for field "max_versions": '
                    "'' cannot parse value as 'int': strconv.ParseInt: invalid syntax"
                )
            ],
        ),
        (
            {"delete_version_after": "-1s"},
            [
                (
                    'error converting input for field "delete_version_after": '
                    "cannot provide negative value '-1'"
                )
            ],
        ),
    ],
)
def test_metadata_refuses_what_it_cannot_keep(
    ask: Ask, fields: dict[str, Any], errors: list[str]
) -> None:
    """In Vault's words."""
    assert said(ask("POST", "secret/metadata/a", fields)) == (400, errors)
    assert said(ask("GET", "secret/metadata/a")) == (404, [])


def test_the_engines_settings(ask: Ask) -> None:
    """Read, changed one by one."""
    first = ask("GET", "secret/config").json()["data"]
    ask("POST", "secret/config", {"max_versions": 5}).raise_for_status()
    ask("POST", "secret/config", {"delete_version_after": "90s"}).raise_for_status()
    second = ask("GET", "secret/config").json()["data"]

    assert first == {"cas_required": False, "delete_version_after": "0s", "max_versions": 0}
    assert second == {"cas_required": False, "delete_version_after": "1m30s", "max_versions": 5}


# Version 1's paths


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("GET", "secret/a", "get"),
        ("GET", "secret", "get"),
        ("POST", "secret/a", "put"),
        ("LIST", "secret", "list"),
        ("DELETE", "secret/a", "delete"),
        ("PATCH", "secret/a", "patch"),
    ],
)
def test_a_path_of_version_1_is_a_404_with_a_warning(
    ask: Ask, method: str, path: str, verb: str
) -> None:
    """The body is a success's without data; its words name the command that would do."""
    answer = ask(method, path, {}, headers=PATCH if method == "PATCH" else {})

    body = answer.json()
    assert answer.status_code == 404
    assert "errors" not in body
    assert body["data"] is None
    assert body["warnings"] == [
        (
            "Invalid path for a versioned K/V secrets engine. "
            "See the API docs for the appropriate "
            "API endpoints to use. If using the Vault CLI, "
            f"use 'vault kv {verb}' for this operation."
        )
    ]


@pytest.mark.parametrize("folder", ["data", "metadata", "delete", "undelete", "destroy"])
def test_a_folder_alone_can_only_be_listed(ask: Ask, folder: str) -> None:
    """And only that of metadata."""
    body = ask("GET", f"secret/{folder}").json()

    assert body["warnings"] == [
        "Non-listing operations on the root of a K/V v2 mount are not supported."
    ]


def test_a_path_below_nothing_is_missing(ask: Ask) -> None:
    """A folder with a slash is not written to."""
    assert said(ask("GET", "secret/data/")) == (404, [])
    assert said(ask("POST", "secret/data/", {"data": {}})) == (
        400,
        ["cannot write to a path ending in '/'"],
    )


def test_what_the_real_engine_says_besides(ask: Ask) -> None:
    """Parameters that it does not know, what the engine demands, what a patch cannot hold."""
    ask("POST", "secret/config", {"cas_required": True})
    warned = ask("POST", "secret/metadata/a", {"cas_required": False}).json()["warnings"]
    ignored = ask("GET", "secret/metadata/a?version=1&x=2").json()["warnings"]

    assert warned[0].startswith('"cas_required" set to false, but is mandated')
    assert ignored == ["Endpoint ignored these unrecognized parameters: [version x]"]
    for value, kind in ((1, "number"), (True, "bool"), ([], "array or object")):
        answer = ask("PATCH", "secret/metadata/a", {"custom_metadata": {"k": value}}, headers=PATCH)
        if kind == "array or object":
            assert answer.status_code == 400
        else:
            words = f"json: cannot unmarshal {kind} into Go struct field .custom_metadata.k of"
            assert said(answer) == (500, [f"1 error occurred:\n\t* {words} type string\n\n"])


def test_metadata_alone_cannot_be_patched(ask: Ask) -> None:
    """There is no version to merge with."""
    ask("POST", "secret/metadata/a", {"max_versions": 3}).raise_for_status()

    assert ask("PATCH", "secret/data/a", {"data": {}}, headers=PATCH).status_code == 404


def test_what_integrated_storage_cannot_hold_is_500(ask: Ask) -> None:
    """A mebibyte a version; nothing is left of what was refused."""
    big = {"data": {"x": "a" * 600_000, "y": "a" * 500_000}}
    kind = {"Content-Type": "application/merge-patch+json"}
    first = ask("POST", "secret/data/big", big)
    ask("POST", "secret/data/big", {"data": {"n": 1}}).raise_for_status()
    patched = ask("PATCH", "secret/data/big", big, headers=kind)

    for answer in (first, patched):
        assert answer.status_code == 500
        assert "* put failed due to value being too large; got 1100" in answer.json()["errors"][0]
    assert ask("GET", "secret/data/big").json()["data"]["metadata"]["version"] == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1.50", "1.5"),
        ("10000000000.0", "10000000000"),
        ("12345678901234567890", "12345678901234567000"),
        ("9007199254740993", "9007199254740992"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("-1.25e30", "-1.25e+30"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1.5e-12", "1.5e-12"),
        ("-0.0", "-0"),
        ('[1, {"a": 2.0}]', '[1,{"a":2}]'),
        ("true", "true"),
    ],
)
def test_numbers_are_kept_as_floats(ask: Ask, sent: str, kept: str) -> None:
    """Version 2 reads its own JSON without care for digits; written as Go writes them (seen)."""
    ask("POST", "secret/data/n", f'{{"data": {{"n": {sent}}}}}'.encode()).raise_for_status()

    assert f'"data":{{"n":{kept}}}' in ask("GET", "secret/data/n").text


def test_a_version_that_is_named_twice_is_none(ask: Ask) -> None:
    """It is a list then, of strings."""
    words = "'' expected type 'int', got unconvertible type '[]string'"
    answer = ask("GET", "secret/data/n?version=1&version=2")

    assert said(answer) == (
        400,
        [f'Field validation failed: error converting input for field "version": {words}'],
    )


def test_a_test_sees_whole_numbers_as_such(vault: Vault, ask: Ask) -> None:
    """Whatever a client has sent."""
    body = b'{"data": {"n": 1, "m": 2.0, "o": -3, "p": 1.5, "q": -0.0}}'
    ask("POST", "secret/data/n", body).raise_for_status()

    assert repr(vault.get("secret/n")) == "{'n': 1, 'm': 2, 'o': -3, 'p': 1.5, 'q': -0.0}"


BAD = "cannot parse value as 'int': strconv.ParseInt: invalid syntax"


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        (["x", 1, "y"], f"'[0]' {BAD}\n'[2]' {BAD}"),
        ("1,x", f"'[1]' {BAD}"),
        ("1, 2", f"'[1]' {BAD}"),
        ([1.5], f"'[0]' {BAD}"),
        ([[1]], "'[0]' expected type 'int', got unconvertible type '[]interface {}'"),
        ({"a": 1}, "'[0]' expected type 'int', got unconvertible type 'map[string]interface {}'"),
    ],
)
def test_every_version_that_is_no_number_is_named(ask: Ask, versions: object, why: str) -> None:
    """By its place."""
    words = 'Field validation failed: error converting input for field "versions": decoding failed'

    answer = said(ask("POST", "secret/delete/a", {"versions": versions}))

    assert answer == (400, [f"{words} due to the following error(s):\n\n{why}"])


@pytest.mark.parametrize("versions", [[True, "", None], 1, "0x1", "01", [1.0], ["+1"]])
def test_versions_may_be_written_in_many_ways(vault: Vault, ask: Ask, versions: object) -> None:
    """As mapstructure decodes weakly."""
    vault.put("secret/a", {"n": 1})

    answer = ask("POST", "secret/delete/a", {"versions": versions})

    if versions == [1.0]:
        assert answer.status_code == 400  # 1.0 is not how a whole number is written
    else:
        assert answer.status_code == 204
        assert ask("GET", "secret/data/a").status_code == 404


@pytest.mark.parametrize(
    ("custom", "why"),
    [
        ({"k\n": "v"}, 'key "k\\n" (k\n) contains unprintable characters'),
        ({"k": "v\x00"}, 'value for key "k" contains unprintable characters'),
    ],
)
def test_custom_metadata_can_be_printed(ask: Ask, custom: dict[str, str], why: str) -> None:
    """Names and values."""
    answer = said(ask("POST", "secret/metadata/a", {"custom_metadata": custom}))

    words = f"1 error occurred:\n\t* custom_metadata validation failed: {why}\n\n"
    assert answer == (400, [words])


def test_subkeys_below_no_depth_are_those_of_the_first(vault: Vault, ask: Ask) -> None:
    """0 is every depth, and less than that the first (seen)."""
    vault.put("secret/a", {"a": {"b": {"c": 1}}})
    found = [
        ask("GET", f"secret/subkeys/a?depth={depth}").json()["data"]["subkeys"]
        for depth in (-5, 0, 2)
    ]

    assert found == [{"a": None}, {"a": {"b": {"c": None}}}, {"a": {"b": None}}]


@pytest.mark.parametrize("after", ["0s", 0, "", None])
def test_a_patch_takes_no_time_away(ask: Ask, after: object) -> None:
    """A write does, of the secret's own; a null does not even count as a change (seen)."""
    path, patch = "secret/metadata/p", {"Content-Type": "application/merge-patch+json"}
    ask("POST", path, {"delete_version_after": "90m"})
    ask("PATCH", path, {"delete_version_after": after}, headers=patch).raise_for_status()
    kept = ask("GET", path).json()["data"]["delete_version_after"]
    ask("POST", path, {"delete_version_after": 0})

    assert kept == "1h30m0s"
    assert ask("GET", path).json()["data"]["delete_version_after"] == "0s"


def test_a_patch_takes_no_negative_number(ask: Ask) -> None:
    """Which a write makes a very large one."""
    path, patch = "secret/metadata/p", {"Content-Type": "application/merge-patch+json"}
    ask("POST", path, {"max_versions": 5})
    words = "json: cannot unmarshal number -1 into Go struct field .max_versions of type uint32"

    refused = ask("PATCH", path, {"max_versions": -1}, headers=patch)

    assert said(refused) == (500, [f"1 error occurred:\n\t* {words}\n\n"])


def test_a_patch_gives_another_time(ask: Ask) -> None:
    """And leaves the other settings alone."""
    path, patch = "secret/metadata/p", {"Content-Type": "application/merge-patch+json"}
    ask("POST", path, {"delete_version_after": "90m", "max_versions": 5})
    ask("PATCH", path, {"delete_version_after": "2h"}, headers=patch).raise_for_status()
    data = ask("GET", path).json()["data"]

    assert (data["delete_version_after"], data["max_versions"]) == ("2h0m0s", 5)


def test_a_patch_is_told_what_the_engine_demands(ask: Ask) -> None:
    """As a write is."""
    path, patch = "secret/metadata/p", {"Content-Type": "application/merge-patch+json"}
    ask("POST", path, {"max_versions": 5})
    ask("POST", "secret/config", {"cas_required": True})

    answer = ask("PATCH", path, {"cas_required": False}, headers=patch)

    assert answer.status_code == 200
    assert "mandated by backend config" in answer.json()["warnings"][0]
