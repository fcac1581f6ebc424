"""What a server tells about its cluster, its keys and its users; its tools."""

import base64
import hashlib
import socket
from typing import Any

import pytest
import requests

from pytest_resilience_vault import OpenBao, Vault
from tests.fakes.vault.asking import Ask, said


def bao_ask(bao: Vault, method: str, path: str, body: Any = None, token: str = "") -> Any:
    fields = {"X-Vault-Token": token or bao.root_token}
    return requests.request(method, f"{bao.url}/v1/{path}", json=body, headers=fields, timeout=5)


def test_the_nodes_of_the_cluster(vault: Vault, ask: Ask) -> None:
    """One (api-docs/system/ha-status); an OpenBao says less of it, and one thing more."""
    port = int(vault.url.rpartition(":")[2])
    node = {
        "hostname": socket.gethostname(),
        "api_address": vault.url,
        "cluster_address": f"https://127.0.0.1:{port + 1}",
        "active_node": True,
        "last_echo": None,
        "version": "1.20.0",
    }
    zeros = ("clock_skew_ms", "echo_duration_ms", "replication_primary_canary_age_ms")

    assert ask("GET", "sys/ha-status").json()["data"]["nodes"] == [
        {**node, **dict.fromkeys(zeros, 0)}
    ]
    with OpenBao() as bao:
        (found,) = bao_ask(bao, "GET", "sys/ha-status").json()["nodes"]
    assert set(found) == {*node, "upgrade_version"}


def test_its_versions(ask: Ask) -> None:
    """The only one that there was."""
    data = ask("LIST", "sys/version-history").json()["data"]

    assert data["keys"] == ["1.20.0"]
    entry = data["key_info"]["1.20.0"]
    assert entry.pop("timestamp_installed").endswith("Z")
    assert entry == {"build_date": "2025-06-23T10:21:30Z", "previous_version": None}


def test_the_key_is_rotated(vault: Vault, ask: Ask) -> None:
    """What is there is still read; an OpenBao has a second path for it."""
    vault.put("secret/a", {"n": 1})
    before = ask("GET", "sys/key-status").json()["data"]
    assert ask("PUT", "sys/rotate").status_code == 204
    after = ask("GET", "sys/key-status").json()

    assert (before["term"], after["term"]) == (1, 2)
    assert before["encryptions"] > after["data"]["encryptions"]
    assert ask("GET", "secret/data/a").status_code == 200
    assert ask("PUT", "sys/rotate", token=vault.token).status_code == 403
    assert ask("PUT", "sys/rotate/keyring").status_code == 404
    with OpenBao() as bao:
        assert bao_ask(bao, "PUT", "sys/rotate/keyring").status_code == 204


def test_no_audit_device_is_there(vault: Vault, ask: Ask) -> None:
    """Who may not ask does not learn it."""
    assert ask("GET", "sys/audit").json()["data"] == {}
    assert ask("GET", "sys/audit", token=vault.token).status_code == 403


def test_what_is_counted(vault: Vault, ask: Ask, login: Any) -> None:
    """Service tokens, and who has logged in."""
    login()
    counters = "sys/internal/counters"

    assert ask("GET", f"{counters}/tokens").json()["data"]["counters"] == {
        "service_tokens": {"total": 2}
    }
    assert ask("GET", f"{counters}/entities").json()["data"]["counters"] == {
        "entities": {"total": 1}
    }
    words = "The functionality has been removed on this path"
    assert said(ask("GET", f"{counters}/requests")) == (404, [words])


def test_what_policies_grant_together(vault: Vault, ask: Ask) -> None:
    """With their constraints; a path without a capability is denied, one with a plus not shown."""
    vault.policy(
        "p",
        """
        path "a" { capabilities = ["read", "patch", "create"] }
        path "a/*" { capabilities = ["deny"] }
        path "+/b" { capabilities = ["read"] }
        path "c" { }
        path "d" {
            capabilities = ["update"]
            allowed_parameters = { "N" = ["x"] }
            denied_parameters = { "m" = [] }
            required_parameters = ["q"]
            min_wrapping_ttl = "1m"
            max_wrapping_ttl = 120
        }
        """,
    )
    token = ask("POST", "auth/token/create", {"policies": ["p"]}).json()["auth"]["client_token"]
    data = ask("GET", "sys/internal/ui/resultant-acl", token=token).json()["data"]
    exact = data["exact_paths"]

    assert data["root"] is False
    assert exact["a"] == {"capabilities": ["create", "read", "patch"]}
    assert exact["c"] == {"capabilities": ["deny"]}
    assert exact["d"] == {
        "capabilities": ["update"],
        "allowed_parameters": {"n": ["x"]},
        "denied_parameters": {"m": []},
        "required_parameters": ["q"],
        "min_wrapping_ttl": 60,
        "max_wrapping_ttl": 120,
    }
    assert data["glob_paths"]["a/"] == {"capabilities": ["deny"]}
    assert "+/b" not in {**exact, **data["glob_paths"]}
    assert ask("GET", "sys/internal/ui/resultant-acl").json()["data"] == {"root": True}


def test_the_namespaces_that_a_token_may_use(vault: Vault, ask: Ask) -> None:
    """A Vault without namespaces has one without a name."""
    path = "sys/internal/ui/namespaces"
    alone = ask("GET", path).json()["data"]
    vault.namespace("b/c")
    vault.namespace("a")
    vault.policy("p", 'path "b/secret/*" { capabilities = ["read"] }')
    token = ask("POST", "auth/token/create", {"policies": ["p"]}).json()["auth"]["client_token"]

    assert alone == {"keys": [""]}
    assert ask("GET", path).json()["data"] == {"keys": ["a/", "b/"]}
    assert ask("GET", path, token=token).json()["data"] == {"keys": ["b/"]}
    assert ask("GET", f"a/{path}").json()["data"] == {}
    assert said(ask("GET", path, token=None)) == (500, ["client token empty"])
    assert ask("GET", path, token="nobody").status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "size"),
    [
        ("random", {}, 32),
        ("random", {"bytes": 5}, 5),
        ("random/7", {}, 7),
        ("random/seal/8", {}, 8),
        ("random/all", {"bytes": "3"}, 3),
    ],
)
def test_random_bytes(ask: Ask, path: str, body: dict[str, Any], size: int) -> None:
    """As many as are asked for, each time others."""
    answers = [ask("POST", f"sys/tools/{path}", body).json() for _ in range(2)]
    first, second = (answer["data"]["random_bytes"] for answer in answers)

    assert len(base64.b64decode(first)) == size
    assert first != second
    assert bool(answers[0]["warnings"]) is ("seal" in path)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("random", {"bytes": 0}, "'bytes' cannot be less than 1"),
        ("random", {"bytes": 131_073}, "'bytes' should be less than 131072"),
        ("random", {"format": "x"}, 'unsupported encoding format "x"; must be "hex" or "base64"'),
        (
            "random/zz/1",
            {},
            'unsupported entropy source "zz"; must be "platform" or "seal", or "all"',
        ),
        (
            "random/zz",
            {},
            'error parsing url-set byte count: strconv.Atoi: parsing "zz": invalid syntax',
        ),
        ("hash/md5", {"input": ""}, "unsupported algorithm md5"),
        ("hash", {"format": "x"}, 'unsupported encoding format x; must be "hex" or "base64"'),
        (
            "hash",
            {"input": "ab!d"},
            "unable to decode input as base64: illegal base64 data at input byte 2",
        ),
        (
            "hash",
            {"input": "abcde"},
            "unable to decode input as base64: illegal base64 data at input byte 4",
        ),
    ],
)
def test_what_the_tools_refuse(ask: Ask, path: str, body: dict[str, Any], words: str) -> None:
    """Seen."""
    assert said(ask("POST", f"sys/tools/{path}", body)) == (400, [words])


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("hash", {}, "sha256"),
        ("hash/sha2-512", {"algorithm": "sha3-256"}, "sha512"),
        ("hash", {"algorithm": "sha3-224"}, "sha3_224"),
    ],
)
def test_hashes(ask: Ask, path: str, body: dict[str, str], name: str) -> None:
    """In hex, or as it is asked for."""
    given = {"input": base64.b64encode(b"abc").decode(), **body}
    expected = hashlib.new(name, b"abc")

    hexed = ask("POST", f"sys/tools/{path}", given).json()["data"]["sum"]
    coded = ask("POST", f"sys/tools/{path}", {**given, "format": "base64"}).json()["data"]["sum"]

    assert hexed == expected.hexdigest()
    assert base64.b64decode(coded) == expected.digest()
