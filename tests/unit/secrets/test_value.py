"""How much of a value is proof."""

import random
import string

import pytest

from pytest_resilience.secrets.names import is_public, masked_value, tells
from pytest_resilience.secrets.search import Search
from pytest_resilience.secrets.value import Secret, looks_random


@pytest.mark.parametrize(
    "value",
    [
        "s3cr3t",
        "hunter2",
        "p@ssw0rd",
        "correct horse battery staple",
        "Tr0ub4dor&3",
        "pa55word",
        "ch4nge-m3",
    ],
)
def test_passwords_are_proof(value: str) -> None:
    """Six characters that are no mere word are enough, and so are sixteen of any kind."""
    assert Secret.of("it", value).proof
    assert not Secret.of("it", value).parts


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "test-token-1",
        "my-secret-key",
        "dummy_api_key_for_tests",
        "password1",
        "app/config",
        "s3c",
        "secret",
        "password",
        "production",
        "changeme",
        "123456",
        "12.5s",
        "0x1f90",
        "aaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "8200",
        "2026-11-21",
        "00:00:10",
        "1e-5",
    ],
)
def test_words_and_numbers_are_no_proof(value: str) -> None:
    """A log is full of them."""
    assert not Secret.of("it", value).proof


@pytest.mark.parametrize(
    "value",
    [
        "hvs.CAESIJk3vQx7Lw9ZpR2mT5nB8cY1dF4gH6aS0eU",
        "AIzaSyD-9tSrke72PouQMnMX_a7eZSW0jkFMBWY",
        "6fa459ea-ee8a-3ca4-894e-db77e160355e",
        "canary-0123456789abcdef0123456789abcdef",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "kX9+vRt2/LpQ7ZsBn4Wc8Yd1JmHg6FaTqUeE0o3i",
    ],
)
def test_of_what_chance_has_made_a_part_is_proof(value: str) -> None:
    """Keys and tokens as services make them."""
    assert Secret.of("it", value).parts


@pytest.mark.parametrize(
    "value",
    [
        "correct horse battery staple",
        "my-database-password-2024",
        "https://db.example.com:5432/x1y2",
        "ProductionDatabase1",
        "the.quick.brown.fox.1",
    ],
)
def test_of_what_a_person_has_made_the_whole_is_proof(value: str) -> None:
    """Its parts are words."""
    assert not Secret.of("it", value).parts


@pytest.mark.parametrize(
    "alphabet",
    [
        string.ascii_letters + string.digits,
        string.ascii_letters + string.digits + "-_",
        string.ascii_lowercase + string.digits,
        string.ascii_uppercase + "234567",
        "0123456789abcdef",
    ],
)
def test_what_chance_makes_looks_random(alphabet: str) -> None:
    """In nearly all cases, whatever it is made of: some letters happen to read like a word."""
    chance = random.Random(7)
    values = ["".join(chance.choices(alphabet, k=28)) for _ in range(500)]

    assert sum(map(looks_random, values)) > 480


@pytest.mark.parametrize(
    "value",
    [
        "eu-west-1-prod-cluster-02",
        "registry.example.com:5000/app",
        "registry.example.com/app@sha256:6fa459eaee8a3ca4894edb77e160355e",
        "arn:aws:iam::123456789012:role/My-Role9X",
        "postgres12-replica-0.db.svc.cluster.local",
        "db01.eu-central-1.rds.amazonaws.com",
        "Datenbankpasswort2024",
        "motDePasseDeLaBase1",
        "UPPER_CASE_SETTING_1",
        "claude-3-5-sonnet-20241022",
        "x86_64-unknown-linux-gnu",
        "v1.2.3-rc4+build.20240101",
        "2026-11-22T03:00:00.123456789Z",
        "20260101-120000-0001-000002",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334/64",
        "vpc-0a1b2c3d4e5f67890",
        "ami-0c55b159cbfafe1f0",
        "pk_live_51H8abcDEFghiJKLmno",
    ],
)
def test_what_people_write_does_not_look_random(value: str) -> None:
    """Names of hosts, models and versions are stored beside passwords, and logged."""
    assert not looks_random(value)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("hvs.CAESIJk3vQx7Lw9ZpR2mT5nB8cY1dF4g", "hvs.CAESI"),
        ("hvs.ab", ""),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.",  # Claims are alike, and all may read them.
        ),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "eyJhbGciOiJub25lIn0."),
        ("s3cr3t", ""),
    ],
)
def test_what_all_of_a_kind_begin_with_is_known(value: str, known: str) -> None:
    """It is no proof, unless there is next to nothing else."""
    assert value[: Secret.of("it", value).known] == known


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("c232ab00-9414-11f0-b3c8-9f6bdeced846", False),
        ("1f09414c-232a-6b00-b3c8-9f6bdeced846", False),
        ("019f22e2-79b0-7cc3-98c4-dc0c0c07398f", False),
        ("919108f7-52d1-4320-9bac-f847db4148a8", True),
        ("b9da2742-2f88-13c6-85ca-4b65a4ae1db5", True),
        ("b9da2742-2f88-73c6-85ca-4b65a4ae1db5", True),
    ],
)
def test_a_uuid_made_of_the_time_is_proof_as_a_whole(value: str, parts: bool) -> None:  # noqa: FBT001 -- a case
    """Most of it is the same in all that were made on this machine at this time."""
    other = f"a{value[1:]}"

    assert Secret.of("it", value).parts == parts
    assert bool(Search([Secret.of("it", value, named=True)]).hits(other)) == parts


def test_a_secret_does_not_show_itself() -> None:
    """Its repr has its label alone."""
    assert repr(Secret.of("the token", "hvs.x")) == "<Secret 'the token'>"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "PASSWD",
        "apiKey",
        "api-key",
        "access_token",
        "token",
        "client_secret",
        "secret_id",
        "accesstoken",
        "dbPassword",
        "aws_secret_access_key",
        "private_key",
        "VAULT_TOKEN",
        "GEMINI_API_KEY",
        "DB_PASS",
        "smtpPass",
        "pw",
    ],
)
def test_names_that_tell(name: str) -> None:
    """A value of this name is a credential."""
    assert tells(name)
    assert not is_public(name)


@pytest.mark.parametrize(
    "name",
    [
        "pageToken",
        "next_page_token",
        "token_type",
        "totalTokenCount",
        "max_tokens",
        "accessor",
        "token_ttl",
        "secret_path",
        "monkey",
        "author",
        "keyboard",
        "tokenizer",
        "",
        "tokens_url",
        "key_id",
        "aws_access_key_id",
        "AccessKeyId",
        "secretary",
        "secret_name",
        "key_version",
        "pass_rate",
        "bypass",
        "pw_hash_type",
    ],
)
def test_names_that_do_not_tell(name: str) -> None:
    """Pages, counts and paths are not."""
    assert not tells(name)


@pytest.mark.parametrize(
    "name", ["user", "db_host", "url", "client_id", "created_at_date", "hosts", "tenant", "Images"]
)
def test_public_names(name: str) -> None:
    """A value of this name may be spoken of."""
    assert is_public(name)
    assert not is_public("blob")


def test_a_header_is_masked_by_its_name() -> None:
    """Its scheme may be shown."""
    assert masked_value("Accept", "*/*") == "*/*"
    assert masked_value("Authorization", "Bearer abc") == "Bearer ***"
    assert masked_value("X-Vault-Token", "abc") == "***"
