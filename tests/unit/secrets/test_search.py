"""Every appearance of a secret is found, and nothing is that is none."""

import base64
import gzip
import html
import json
import random
import re
import string
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings, strategies as st

from pytest_resilience.secrets.search import Hit, Search
from pytest_resilience.secrets.value import Secret

SAFE = string.ascii_letters + string.digits
TOKEN = "hvs.CAESIJk3vQx7Lw9ZpR2mT5nB8cY1dF4gH6aS0eU"
KEY = "AIzaSyD-9tSrke72PouQMnMX_a7eZSW0jkFMBWY"
UUID = "6fa459ea-ee8a-3ca4-894e-db77e160355e"

minted = st.text(SAFE + "-_.", min_size=16, max_size=90).filter(lambda text: len(set(text)) > 6)
anything = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=16, max_size=60).filter(
    lambda text: len(set(text)) > 5
)
around = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(
    lambda text: not text.endswith(("\\", "%", "&"))
)


def _hexed(value: str, separator: str) -> str:
    return value.encode().hex(separator)


def _percented(value: str) -> str:
    return "".join(f"%{byte:02x}" for byte in value.encode())


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda v: v,
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda v: repr(v.encode()),
    "JSON": json.dumps,
    "JSON with every character": lambda v: json.dumps(v, ensure_ascii=False),
    "JSON within JSON": lambda v: json.dumps(json.dumps({"a": v})),
    "unicode escapes": lambda v: "".join(
        f"\\u{ord(c):04x}" if ord(c) < 0x10000 else json.dumps(c)[1:-1] for c in v
    ),
    "long escapes": lambda v: "".join(f"\\U{ord(c):08x}" for c in v),
    "JavaScript's escapes": lambda v: "".join(f"\\u{{{ord(c):x}}}" for c in v),
    "octal escapes": lambda v: "".join(f"\\{byte:03o}" for byte in v.encode()),
    "in colours": lambda v: "\x1b[1;36m".join([v[:3], v[3:9], v[9:], ""]),
    "the repr of colours": lambda v: repr(f"{v[:7]}\x1b[0m{v[7:]}"),
    "URL": lambda v: quote(v, safe=""),
    "URL, with slashes": quote,
    "URL, plus": quote_plus,
    "URL, lower case": lambda v: re.sub("%..", lambda match: match[0].lower(), quote(v, safe="")),
    "URL, every byte": _percented,
    "URL within JSON": lambda v: json.dumps({"url": "http://h/?x=" + quote(v, safe="")}),
    "URL within URL": lambda v: quote(quote(v, safe=""), safe=""),
    "HTML": html.escape,
    "HTML, numbers": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "HTML, hex": lambda v: "".join(f"&#x{ord(c):X};" for c in v),
    "base64": lambda v: base64.b64encode(v.encode()).decode(),
    "base64, one on": lambda v: base64.b64encode(b"u" + v.encode()).decode(),
    "base64, two on": lambda v: base64.b64encode(b"u:" + v.encode() + b"zz").decode(),
    "base64, URL-safe": lambda v: base64.urlsafe_b64encode(b"user:" + v.encode()).decode(),
    "base64 in lines": lambda v: base64.encodebytes(b"x" * 40 + v.encode()).decode(),
    "base64 in a URL": lambda v: quote(base64.b64encode(v.encode()).decode(), safe=""),
    "hex": lambda v: v.encode().hex(),
    "hex, upper case": lambda v: v.encode().hex().upper(),
    "hex, colons": lambda v: _hexed(v, ":"),
    "hex, blanks": lambda v: _hexed(v, " ").upper(),
    "hex, 0x": lambda v: ", ".join(f"0x{byte:02x}" for byte in v.encode()),
    "hex, escapes": lambda v: "".join(f"\\x{byte:02X}" for byte in v.encode()),
    "numbers": lambda v: str(list(v.encode())),
    "gzip": lambda v: repr(gzip.compress(b"something else " + v.encode())),
    "gzip in base64": lambda v: base64.b64encode(gzip.compress(v.encode())).decode(),
    "gzip in hex": lambda v: gzip.compress(v.encode()).hex(),
    "zlib": lambda v: repr(zlib.compress(v.encode())),
    "zlib in base64": lambda v: base64.urlsafe_b64encode(zlib.compress(v.encode(), 9)).decode(),
    "zlib in hex": lambda v: zlib.compress(v.encode()).hex().upper(),
    "JSON in gzip": lambda v: repr(gzip.compress(json.dumps({"a": v}).encode())),
}


def labels(hits: list[Hit]) -> set[str]:
    return {hit.label for hit in hits}


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=5, deadline=None)
@given(value=minted, before=around, after=around)
def test_a_minted_value_is_found_however_it_is_written(
    spelling: str, value: str, before: str, after: str
) -> None:
    """No spelling hides it, whatever stands around; and masked, nothing is left to be found."""
    search = Search([Secret.of("it", value, minted=True)])
    text = f"{before} {SPELLINGS[spelling](value)} {after}"

    assert search.anything_in(["", text])
    assert labels(search.hits(text)) == {"it"}
    assert search.hits(search.mask(text)) == []


@pytest.mark.parametrize("spelling", SPELLINGS)
@settings(max_examples=5, deadline=None)
@given(value=anything)
@example(value='s3cr3t/+ with "quotes", <é>, \\ and 100%')
@example(value="0000000000012'\\r")
@example(value="00000000000¡¨\xa01\U0002a2ca")
@example(value="a b%00 and \xa0 and more")
@example(value="like %41 and &lt; \\u0041 'it")
@example(value="üöäß€ -- ein langes Paßwort 😀")
def test_a_value_of_any_characters_is_found_however_it_is_written(
    spelling: str, value: str
) -> None:
    """Blanks, quotes, backslashes and letters of all the world make no difference."""
    search = Search([Secret.of("it", value)], strict=False)
    text = f"so it is: {SPELLINGS[spelling](value)} !"

    assert labels(search.hits(text)) == {"it"}
    assert value not in search.mask(text)


@settings(max_examples=25, deadline=None)
@given(value=minted, data=st.data())
def test_twelve_characters_of_a_minted_value_are_proof(value: str, data: st.DataObject) -> None:
    """Wherever in it they stand; eleven are not."""
    start = data.draw(st.integers(0, len(value) - 12))
    search = Search([Secret("it", value, parts=True)])

    (hit,) = search.hits(f"<<{value[start : start + 12]}>>")
    assert (hit.start, hit.end) == (2, 14)
    assert search.hits(f"<<{value[start : start + 11]}>>") == [] or value.count(
        value[start : start + 11]
    )


@settings(max_examples=25, deadline=None)
@given(value=minted.filter(lambda v: len(v) >= 24), data=st.data())
def test_sixteen_bytes_of_a_minted_value_are_proof_in_base64_and_hex(
    value: str, data: st.DataObject
) -> None:
    """A header that a log has cut is a leak all the same."""
    start = data.draw(st.integers(0, len(value) - 18))
    part = value[start : start + 18].encode()
    search = Search([Secret("it", value, parts=True)])

    for text in (
        base64.b64encode(b"Bearer" + part).decode(),
        base64.b64encode(b"B" + part).decode(),
        part.hex(),
        part.hex(" "),
    ):
        assert labels(search.hits(text)) == {"it"}


@settings(max_examples=25, deadline=None)
@given(
    value=minted, size=st.integers(1, 11), glue=st.sampled_from(['", "', "', '", " ", "\n", "|"])
)
def test_a_value_that_was_split_is_found(value: str, size: int, glue: str) -> None:
    """Pieces too short to be proof are put together again: arguments, lists, lines."""
    pieces = [value[i : i + size] for i in range(0, len(value), size)]

    assert labels(Search([Secret("it", value, parts=True)]).hits(glue.join(pieces))) == {"it"}


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=2_000), st.binary(max_size=2_000)))
def test_random_text_shows_nothing(content: str | bytes) -> None:
    """And no text makes the search fail."""
    secrets = [Secret.of(text, text, minted=True) for text in (TOKEN, KEY, UUID)]

    assert Search([*secrets, Secret.of("s3cr3t", "s3cr3t")]).hits(content) == []


@pytest.mark.parametrize("alphabet", [SAFE, SAFE + "+/=", SAFE + "-_", "0123456789abcdef", "01"])
def test_long_texts_of_the_alphabets_of_secrets_show_nothing(alphabet: str) -> None:
    """A hundred thousand characters that look like keys are not this key."""
    text = "".join(random.Random(7).choices(alphabet, k=100_000))
    secrets = [Secret.of(text, text, minted=True) for text in (TOKEN, KEY, UUID)]

    assert not Search([*secrets, Secret.of("s3cr3t", "s3cr3t")]).anything_in([text])


def test_a_dump_in_lines_is_found() -> None:
    """``hexdump -C`` puts an address before and a picture behind each 16 bytes."""
    data = b"GET / HTTP/1.1\r\nX-Vault-Token: " + TOKEN.encode()
    lines = [
        f"{i:08x}  {data[i : i + 8].hex(' ')}  {data[i + 8 : i + 16].hex(' ')}  |......|"
        for i in range(0, len(data), 16)
    ]

    hits = Search([Secret.of("token", TOKEN)]).hits("\n".join(lines))
    assert {hit.encoding for hit in hits} == {"hex"}


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (TOKEN, "plain"),
        ("".join(f"%{ord(c):02X}" for c in TOKEN), "URL-quoted"),
        ("".join(f"\\u{ord(c):04x}" for c in TOKEN), "unicode escapes"),
        ("".join(f"\\x{ord(c):02x}" for c in TOKEN), "repr"),
        ("".join(f"&#{ord(c)};" for c in TOKEN), "HTML entities"),
        (base64.b64encode(TOKEN.encode()).decode(), "base64"),
        (TOKEN.encode().hex(), "hex"),
        (str(list(TOKEN.encode())), "hex"),
        ('", "'.join(TOKEN), "split"),
    ],
)
def test_the_encoding_is_named(written: str, encoding: str) -> None:
    """A finding says how the secret was written."""
    if encoding == "hex" and written.startswith("["):
        encoding = "numbers"
    (hit,) = Search([Secret.of("token", TOKEN)]).hits(f"x {written} x")

    assert hit.encoding == encoding


@pytest.mark.parametrize(
    ("written", "encoding"),
    [
        (r"'it\'s a s3cr3t'", "repr"),
        (r'"it\u0027s a s3cr3t"', "unicode escapes"),
        ("it%27s%20a%20s3cr3t", "URL-quoted"),
        ("it's+a+s3cr3t", "URL-quoted"),
        ("it&#x27;s a s3cr3t", "HTML entities"),
        (r"it's\ a\ s3cr3t", "JSON escapes"),
    ],
)
def test_the_encoding_of_a_passphrase_is_named(written: str, encoding: str) -> None:
    """The same for one that only a few characters give away."""
    (hit,) = Search([Secret.of("it", "it's a s3cr3t")], strict=False).hits(written)

    assert hit.encoding == encoding


@pytest.mark.parametrize("value", [TOKEN, UUID, "open$esame/1"])
def test_utf_16_is_read(value: str) -> None:
    """As bytes and as their repr."""
    search = Search([Secret.of("it", value, named=True)])
    encoded = f"a: {value}\n".encode("utf-16")

    assert [hit.whole for hit in search.hits(encoded)] == [True]
    assert [hit.whole for hit in search.hits(repr(encoded))] == [True]


def test_colours_have_a_name() -> None:
    """A renderer for terminals puts them anywhere."""
    (hit,) = Search([Secret.of("it", TOKEN)]).hits(f"x={TOKEN[:20]}\x1b[0m{TOKEN[20:]}.")

    assert (hit.encoding, hit.whole) == ("in colours", True)


def test_the_place_is_given_in_characters() -> None:
    """Of a text; of bytes it is given in bytes."""
    search = Search([Secret.of("token", TOKEN)])
    text = f"ä€ {TOKEN}."

    (hit,) = search.hits(text)
    assert text[hit.start : hit.end] == TOKEN
    (hit,) = search.hits(text.encode())
    assert text.encode()[hit.start : hit.end] == TOKEN.encode()


def test_every_appearance_is_found() -> None:
    """Not just the first one."""
    hits = Search([Secret.of("token", TOKEN)]).hits(f"{TOKEN} and {TOKEN[:30]}, {TOKEN}")

    assert [hit.whole for hit in hits] == [True, False, True]


def test_of_two_secrets_the_longer_gives_the_name() -> None:
    """Where one is part of the other, nothing is left of either."""
    search = Search([Secret.of("short", "s3cr3t"), Secret.of("long", "s3cr3t and more")])
    strict = Search([Secret.of("short", "s3cr3t")])

    assert search.mask("it is s3cr3t and more, s3cr3t!") == "it is <long>, s3cr3t!".replace(
        "s3cr3t!", "<short>!"
    )
    assert strict.mask("s3cr3t, xs3cr3tx", name=str.upper) == "SHORT, xs3cr3tx"


def test_overlapping_secrets_are_masked_as_one() -> None:
    """The union of both places, under the name of the longer one, whichever comes first."""
    longer_last = Search(
        [Secret.of("a", "alpha-1-beta"), Secret.of("b", "beta-2-gamma-3")], strict=False
    )
    longer_first = Search(
        [Secret.of("a", "one-alpha-1-beta"), Secret.of("b", "beta-2-x")], strict=False
    )

    assert longer_last.mask("<alpha-1-beta-2-gamma-3>") == "<<b>>"
    assert longer_first.mask("<one-alpha-1-beta-2-x>") == "<<a>>"


def test_nothing_to_look_for_is_nothing_found() -> None:
    """Values whose finding would prove nothing are not looked for."""
    search = Search([Secret.of("word", "password"), Secret.of("short", "s3c")])

    assert not search
    assert search.hits("password s3c") == []
    assert not search.anything_in(["password s3c"])
    assert search.mask("password s3c") == "password s3c"


def test_masking_takes_words_too() -> None:
    """What proves nothing may still be a secret: in our own reports it does not show."""
    assert Search([Secret.of("p", "password")], strict=False).mask("my passwords") == "my <p>s"


@pytest.mark.parametrize(
    "text",
    [
        "hvs.CAESI",
        "hvs.CAESI...",
        "AIzaSy",
        TOKEN[:20],
        f"****{TOKEN[-4:]}",
        f"hvs.****{TOKEN[-8:]}",
        UUID[:8],
        TOKEN.lower()[9:],
        "\\ud800 \\U00110000 &#1114112;",
        "\\u12 %zz \\x0 100% &",
        "H4sIAAAAAAAA eJwAAAAAAAAAAAAA 789cffffffffffffffffffff x\x9c",
    ],
)
def test_masks_and_beginnings_are_no_leaks(text: str) -> None:
    """What all tokens begin with says nothing, and the last 4 characters are a usual mask."""
    search = Search([Secret.of("t", TOKEN), Secret.of("u", UUID), Secret.of("k", KEY)])

    assert search.hits(text) == []


def test_megabytes_are_read_in_one_pass() -> None:
    """Forty secrets cost next to nothing over one: they are looked up, not searched one by one."""
    line = '2026-11-21 23:48:28 DEBUG pool http://127.0.0.1 "GET /v1/secret/data/app" 200 None\n'
    secrets = [Secret.of(f"t{i}", f"hvs.{i:04}{TOKEN[8:]}") for i in range(40)]

    assert not Search(secrets).anything_in([line * 12_000])
    assert Search(secrets).anything_in([line * 12_000, secrets[7].value])
