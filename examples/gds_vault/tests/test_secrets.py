"""Reading and listing in KV version 1 and 2, and how the two are told apart."""

from typing import Any

import pytest
import requests

from gds_vault import VaultClient, VaultError
from gds_vault.mounts import Mount, known_mount
from helpers import answering
from pytest_resilience import FOREVER, faults
from pytest_resilience_vault import Vault

MOUNTS = "/v1/sys/internal/ui/mounts/*"
PREFLIGHT = (
    "preflight capability check returned 403, "
    'please ensure client\'s policies grant access to path "secret/"'
)

# What a KV v1 secret may hold that looks like an answer of KV v2.
IMPOSTOR = {
    "data": {"password": "inner"},
    "metadata": {"created_time": "", "deletion_time": "", "destroyed": False, "version": 1},
}


def untold(vault: Vault) -> None:
    """Let Vault refuse to say which engine a path belongs to."""
    denied = answering(403, {"errors": [PREFLIGHT]})
    vault.fail(denied, path=MOUNTS, times=FOREVER)


def test_a_v2_secret_comes_without_its_envelope(client: VaultClient) -> None:
    """Keys and values are returned, not Vault's data and metadata around them."""
    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}


def test_a_version_can_be_chosen(client: VaultClient, vault: Vault) -> None:
    """version=n reads that version of a KV v2 secret; 0 and nothing read the newest."""
    vault.put("secret/myapp", {"password": "newer"})

    assert client.get_secret("secret/data/myapp", version=1) == {"password": "s3cr3t"}
    assert client.get_secret("secret/data/myapp", 2) == {"password": "newer"}
    assert client.get_secret("secret/data/myapp", version=0) == {"password": "newer"}
    assert client.get_secret("secret/data/myapp") == {"password": "newer"}
    assert [a.query for a in vault.trace.to(path="/v1/secret/*")] == [
        "version=1",
        "version=2",
        "version=0",
        "",
    ]


@pytest.mark.parametrize("version", [-1, 1.0, "1", True])
def test_a_version_that_cannot_be_is_refused_at_once(
    version: Any,
    client: VaultClient,
    vault: Vault,
) -> None:
    """Vault is not asked for it."""
    with pytest.raises(VaultError, match=r"^version must be a whole number from 0, not "):
        client.get_secret("secret/data/myapp", version=version)

    assert len(vault.trace) == 0


def test_a_missing_secret_is_an_error_with_its_status(client: VaultClient) -> None:
    """A 404 fails at once, and the caller can tell it from other failures."""
    with pytest.raises(VaultError, match=r"HTTP 404 from GET /v1/secret/data/nothing$") as error:
        client.get_secret("secret/data/nothing")

    assert error.value.status_code == 404


def test_a_deleted_version_is_an_error_that_says_so(client: VaultClient, vault: Vault) -> None:
    """Vault's 404 for a deleted version looks like a success with null in it."""
    client.get_secret("secret/data/myapp")
    headers = {"X-Vault-Token": vault.root_token}
    requests.delete(f"{vault.url}/v1/secret/data/myapp", headers=headers, timeout=5)

    with pytest.raises(VaultError, match=r"HTTP 404 .*: version 1 is deleted$"):
        client.get_secret("secret/data/myapp", use_cache=False)


def test_a_destroyed_version_is_an_error_that_says_so(client: VaultClient, vault: Vault) -> None:
    """Destroyed is for good, deleted is not; the caller can tell."""
    metadata = {"created_time": "", "deletion_time": "", "destroyed": True, "version": 2}
    gone = {"data": {"data": None, "metadata": metadata}, "warnings": None}
    vault.fail(answering(404, gone), path="/v1/secret/*")

    with pytest.raises(VaultError, match=r"HTTP 404 .*: version 2 is destroyed$"):
        client.get_secret("secret/data/myapp")


def test_a_path_without_data_is_explained_by_vault(client: VaultClient) -> None:
    """A v1-style path in a v2 engine is a 404; what Vault warns of is in the error."""
    with pytest.raises(VaultError, match=r"HTTP 404 .*Invalid path for a versioned K/V"):
        client.get_secret("secret/myapp")


def test_a_v1_secret_is_returned_as_it_is(client: VaultClient, kv1: Vault) -> None:
    """KV v1 has no envelope to take off, and needs no question about its engine."""
    kv1.put("kv1/myapp", {"password": "one"})

    assert client.get_secret("kv1/myapp") == {"password": "one"}
    assert len(kv1.trace.to(path=MOUNTS)) == 0


@pytest.mark.parametrize(
    "secret", [IMPOSTOR, {"data": "x"}, {"data": {"a": "b"}}, {"data": {}, "metadata": {}}]
)
@pytest.mark.parametrize("path", ["myapp", "data/myapp"])
def test_a_v1_secret_that_looks_like_v2_is_returned_as_it_is(
    path: str, secret: dict[str, object], client: VaultClient, kv1: Vault
) -> None:
    """Keys named data and metadata fool nobody: Vault says which engine it is."""
    kv1.put(f"kv1/{path}", secret)

    assert client.get_secret(f"kv1/{path}") == secret


def test_a_v1_secret_has_no_versions(client: VaultClient, kv1: Vault) -> None:
    """Vault would ignore version=3 in KV v1 and answer with something else than was asked for."""
    kv1.put("kv1/myapp", IMPOSTOR)

    with pytest.raises(VaultError, match=r"^kv1/myapp is not a KV v2 secret: .*no version 3$"):
        client.get_secret("kv1/myapp", version=3)


def test_each_engine_is_asked_about_once(client: VaultClient, vault: Vault) -> None:
    """What Vault says of an engine is remembered for all paths below it."""
    vault.put("secret/team/other", {"a": "b"})

    client.get_secret("secret/data/myapp")
    client.get_secret("secret/data/team/other")
    client.list_secrets("secret/data")

    assert len(vault.trace.to(path=MOUNTS)) == 1


def test_the_nearest_known_engine_counts() -> None:
    """What was refused for a folder does not hide what is known of an engine inside it."""
    engine = Mount("team/kv/", 2)

    assert known_mount({"team/": None, "team/kv/": engine}, "team/kv/a") == (True, engine)
    assert known_mount({"team/": None, "team/kv/": engine}, "team/kv2/a") == (True, None)
    assert known_mount({"team/kv/": engine}, "team") == (False, None)


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_vault_that_does_not_tell_is_judged_by_its_answer(
    status: int, client: VaultClient, vault: Vault
) -> None:
    """Without an answer about the engine, a body like v2 at a path like v2 counts as v2."""
    denied = answering(status, {"errors": [PREFLIGHT]})
    vault.fail(denied, path=MOUNTS)
    vault.put("secret/other", {"a": "b"})

    assert client.get_secret("secret/data/myapp") == {"password": "s3cr3t"}
    assert client.get_secret("secret/data/other") == {"a": "b"}
    assert len(vault.trace.to(path=MOUNTS)) == 1
    assert len(vault.trace.to(path="/v1/auth/*")) == 1


@pytest.mark.parametrize(
    ("path", "secret"),
    [("myapp", IMPOSTOR), ("data/myapp", {"data": {"a": "b"}, "metadata": {"owner": "me"}})],
)
def test_a_vault_that_does_not_tell_needs_both_looks(
    path: str,
    secret: dict[str, object],
    client: VaultClient,
    kv1: Vault,
    vault: Vault,
) -> None:
    """Neither a path nor a body alone makes a secret version 2."""
    kv1.put(f"kv1/{path}", secret)
    untold(kv1)

    assert client.get_secret(f"kv1/{path}") == secret


@pytest.mark.parametrize("data", [{}, {"path": 1}, {"path": "secret/", "options": "x"}])
def test_a_strange_answer_about_the_engine_does_no_harm(
    data: dict[str, object], client: VaultClient, vault: Vault
) -> None:
    """What cannot be read is as good as not told, or as no options."""
    vault.fail(answering(200, {"data": data}), path=MOUNTS)

    assert "password" in str(client.get_secret("secret/data/myapp"))


@pytest.mark.parametrize("body", [b"null", b"[]", b'"x"', b'{"data": null}', b'{"data": []}'])
def test_an_answer_without_data_is_an_error_at_once(
    body: bytes, client: VaultClient, vault: Vault
) -> None:
    """JSON that is not a secret is not retried: another attempt would get the same."""
    vault.fail(faults.status(200, body=body), path="/v1/secret/*")

    with pytest.raises(VaultError, match=r"^the answer to GET /v1/secret/data/myapp has no data$"):
        client.get_secret("secret/data/myapp")

    assert len(vault.trace.to(path="/v1/secret/*")) == 1


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        " \n",
        "secret//data",
        "secret/../sys/seal",
        "secret/data/..",
        "./secret",
        "s/\ud800",
        None,
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_at_once(
    path: Any,
    client: VaultClient,
    vault: Vault,
) -> None:
    """A path made of user input cannot leave its engine."""
    for operation in (client.get_secret, client.list_secrets):
        with pytest.raises(VaultError, match=r"is not a path such as 'secret/data/myapp'$"):
            operation(path)

    assert len(vault.trace) == 0


def test_a_path_is_sent_as_it_is_meant(client: VaultClient, vault: Vault) -> None:
    """Characters with a meaning in URLs are only characters of a name."""
    vault.put("secret/a b?c#d%2Fe/\u00fc", {"a": "b"})

    assert client.get_secret("/secret/data/a b?c#d%2Fe/\u00fc") == {"a": "b"}


@pytest.mark.parametrize(
    "path",
    ["secret/metadata", "secret/metadata/", "/secret/metadata", "secret/data", "secret"],
)
def test_a_v2_engine_is_listed_by_any_of_its_names(path: str, client: VaultClient) -> None:
    """The path that secrets are read at lists them too."""
    assert client.list_secrets(path) == ["myapp"]


def test_a_folder_of_v2_is_listed(client: VaultClient, vault: Vault) -> None:
    """Folders end with a slash."""
    vault.put("secret/team/data/one", {"a": "b"})

    assert client.list_secrets("secret/metadata/team") == ["data/"]
    assert client.list_secrets("secret/data/team") == ["data/"]
    assert client.list_secrets("secret/data/team/data") == ["one"]


def test_a_folder_that_is_called_metadata_is_listed(client: VaultClient, vault: Vault) -> None:
    """Only the first name below the engine is Vault's; those after it are anybody's."""
    vault.put("secret/team/metadata/one", {"a": "b"})
    vault.put("secret/metadata/two", {"a": "b"})

    assert client.list_secrets("secret/data/team/metadata") == ["one"]
    assert client.list_secrets("secret/metadata/team/metadata") == ["one"]
    assert client.list_secrets("secret/data/metadata") == ["two"]
    assert client.list_secrets("secret/metadata/metadata") == ["two"]


def test_another_path_of_v2_is_sent_as_given(client: VaultClient, vault: Vault) -> None:
    """The client does not guess what "secret/team" was meant to be; Vault says no to it."""
    with pytest.raises(VaultError):
        client.list_secrets("secret/team")

    assert vault.trace[-1].path == "/v1/secret/team"


def test_a_v1_engine_is_listed_where_it_is(client: VaultClient, kv1: Vault) -> None:
    """In KV v1 data is a folder like any other."""
    kv1.put("kv1/data/one", {"a": "b"})
    kv1.put("kv1/two", {"a": "b"})

    assert client.list_secrets("kv1") == ["data/", "two"]
    assert client.list_secrets("kv1/data") == ["one"]


def test_a_path_is_listed_as_given_when_vault_does_not_tell(
    client: VaultClient, kv1: Vault
) -> None:
    """Without knowing the engine the client changes nothing about the path."""
    kv1.put("kv1/data/one", {"a": "b"})
    untold(kv1)

    assert client.list_secrets("kv1/data") == ["one"]


def test_an_empty_folder_is_an_error(client: VaultClient) -> None:
    """Vault answers 404 for an empty folder as for none at all."""
    with pytest.raises(VaultError) as error:
        client.list_secrets("secret/metadata/nothing")

    assert error.value.status_code == 404


@pytest.mark.parametrize("data", [{}, {"keys": None}, {"keys": "ab"}])
def test_a_list_without_keys_is_an_error(
    data: dict[str, object], client: VaultClient, vault: Vault
) -> None:
    """An answer of another shape is a VaultError, never a TypeError."""
    vault.fail(answering(200, {"data": data}), method="LIST")

    with pytest.raises(VaultError, match=r"has no keys$"):
        client.list_secrets("secret/metadata")
