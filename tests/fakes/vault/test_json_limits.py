"""How much JSON there may be in one request (sdk/helper/jsonutil; http/util.go)."""

import json
from typing import Any

import pytest

from pytest_resilience_vault import Vault
from tests.fakes.vault.asking import Ask, said

DEEP = "JSON input exceeds allowed nesting depth"
LONG = "JSON string value exceeds allowed length"
ENTRIES = "JSON object exceeds allowed entry count"
ELEMENTS = "JSON array exceeds allowed element count"
MIB = 1 << 20


def nested(levels: int) -> dict[str, Any]:
    """An object of so many levels."""
    data: Any = 1
    for _ in range(levels):
        data = {"a": data}
    found: dict[str, Any] = data
    return found


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (nested(301), DEEP),
        (b"[" * 400 + b"]" * 400, DEEP),
        (b"[" * 99_999, DEEP),
        ({"x": "a" * (MIB + 1)}, LONG),
        ({"a" * (MIB + 1): 1}, LONG),
        (b'{"x":"' + b"\\n" * (MIB // 2) + b' "}', LONG),
        ({str(n): n for n in range(10_001)}, ENTRIES),
        ({"x": {str(n): [n] for n in range(10_001)}}, ENTRIES),
        ({"x": list(range(10_001))}, ELEMENTS),
        (b' \n{"x":[' + b"{}," * 10_000 + b"1]}", ELEMENTS),
        ({"x": [list(range(9_000)), list(range(10_001))], "y": "a" * (MIB + 1)}, ELEMENTS),
        (b'{"a":1,"b":"\\"[{,' + b"x" * MIB, LONG),
    ],
)
def test_what_is_too_much_is_500(vault: Vault, ask: Ask, body: Any, why: str) -> None:
    """Whoever asks, for whatever, sealed or not."""
    assert said(ask("POST", "secret/data/a", body)) == (500, [why])
    vault.seal()
    assert said(ask("POST", "nope", body, token=None)) == (500, [why])
    assert said(ask("PUT", "sys/unseal", body, token=None)) == (500, [why])


@pytest.mark.parametrize(
    "data",
    [
        nested(299),
        {"x": ["\\" * 500_000]},
        {str(n): n for n in range(10_000)},
        {"x": list(range(10_000)), "y": list(range(10_000))},
        {"x": ["[,{" * 1000, *[[1], {"a": 2}] * 3000]},
    ],
)
def test_what_is_just_enough_is_stored(vault: Vault, ask: Ask, data: dict[str, Any]) -> None:
    """By the first version of KV, which takes it as it is."""
    vault.mount("kv1", version=1)

    assert ask("POST", "kv1/a", data).status_code == 204
    assert vault.get("kv1/a") == data


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'"' + b"a" * (MIB + 1) + b'"', 400),
        (b'{"x":1} [' + b"[" * 301, 204),
        (b'{"x":"' + b"a" * 700, 400),
        (b"x" * 2_000_000, 400),
        (b" " * 2_000_000, 400),
        (b'{"x":[' + b"1," * 9_000 + b'1],"y":[' + b"1," * 9_000, 400),
    ],
)
def test_what_is_no_object_or_list_is_not_measured(
    vault: Vault, ask: Ask, body: bytes, status: int
) -> None:
    """Nor what follows the first value."""
    vault.mount("kv1", version=1)

    assert ask("POST", "kv1/a", body).status_code == status


def test_quotas_count_first(ask: Ask) -> None:
    """What is too much has been asked, too."""
    ask("POST", "sys/quotas/rate-limit/all", {"rate": 1, "interval": "1m"}).raise_for_status()
    too_much = json.dumps(nested(301)).encode()

    statuses = [ask("POST", "secret/data/a", too_much).status_code for _ in range(2)]

    assert statuses == [500, 429]
