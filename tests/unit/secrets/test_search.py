"""Every appearance of a secret is found, and nothing is that is none."""

import base64
import binascii
import gzip
import html
import json
import quopri
import random
import re
import string
import unicodedata
import zlib
from collections.abc import Callable
from html.entities import html5
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


def _uuencoded(text: str) -> str:
    data = text.encode()
    lines = [binascii.b2a_uu(data[i : i + 45]).decode() for i in range(0, len(data), 45)]
    return "\nbegin 644 -\n" + "".join(lines) + "`\nend\n"


def _hexed(value: str, separator: str) -> str:
    return value.encode().hex(separator)


def _percented(value: str) -> str:
    return "".join(f"%{byte:02x}" for byte in value.encode())


def _quoted_printable(value: str) -> str:
    """As a mail has it, whose lines are no longer than 76 characters."""
    return quopri.encodestring(b"x" * 60 + value.encode()).decode()


def _quoted_head(value: str) -> str:
    """As the head of a mail has it."""
    return f"=?utf-8?Q?{quopri.encodestring(value.encode(), header=True).decode()}?="


def _dumped(value: str, line: str, size: int) -> str:
    """A dump: each line has an address, bytes in groups, and a picture of them."""
    data = b"X-Vault-Token: " + value.encode()
    return "\n".join(
        line.format(i, data[i : i + 16].hex(" ", size), "." * len(data[i : i + 16]))
        for i in range(0, len(data), 16)
    )


def _cut(encoded: bytes) -> list[str]:
    return [encoded[i : i + 10].decode() for i in range(0, len(encoded), 10)]


def _entity(character: str) -> str:
    """As a browser would write it that has a name for it."""
    names = [name for name, meant in html5.items() if meant == character and name[-1] == ";"]
    return f"&{names[0]}" if names else character.replace("&", "&amp;")


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
    "base64 in a list": lambda v: json.dumps(_cut(base64.b64encode(b"me:" + v.encode()))),
    "base64 in a URL": lambda v: quote(base64.b64encode(v.encode()).decode(), safe=""),
    "hex": lambda v: v.encode().hex(),
    "hex, upper case": lambda v: v.encode().hex().upper(),
    "hex, colons": lambda v: _hexed(v, ":"),
    "hex, blanks": lambda v: _hexed(v, " ").upper(),
    "JSON in hex, blanks": lambda v: _hexed(json.dumps({"a": v}), " ").upper(),
    "base64 in hex, a number before it": lambda v: (
        "of 81 " + _hexed(base64.b64encode(v.encode()).decode(), " ")
    ),
    "base64 in hex, colons": lambda v: _hexed(base64.b64encode(v.encode()).decode(), ":"),
    "HTML in base64, in lines": lambda v: base64.encodebytes(
        ("\u00e9" * 30 + html.escape(v)).encode()  # Of whose first line the end is half of one.
    ).decode(),
    "hex, 0x": lambda v: ", ".join(f"0x{byte:02x}" for byte in v.encode()),
    "hex, escapes": lambda v: "".join(f"\\x{byte:02X}" for byte in v.encode()),
    "numbers": lambda v: str(list(v.encode())),
    "gzip": lambda v: repr(gzip.compress(b"something else " + v.encode())),
    "gzip in base64": lambda v: base64.b64encode(gzip.compress(v.encode())).decode(),
    "gzip in hex": lambda v: gzip.compress(v.encode()).hex(),
    "zlib": lambda v: repr(zlib.compress(v.encode())),
    "zlib in base64": lambda v: base64.urlsafe_b64encode(zlib.compress(v.encode(), 9)).decode(),
    "zlib in hex": lambda v: zlib.compress(v.encode()).hex().upper(),
    "zlib, quickly, in base64": lambda v: base64.b64encode(zlib.compress(v.encode(), 1)).decode(),
    "zlib, at level 5": lambda v: repr(zlib.compress(v.encode(), 5)),
    "gzip in hex with colons": lambda v: gzip.compress(v.encode()).hex(":").upper(),
    "gzip as numbers": lambda v: json.dumps(list(gzip.compress(v.encode()))),
    "gzip in base64, in lines": lambda v: base64.encodebytes(
        gzip.compress(v.encode() * 3)
    ).decode(),
    "gzip in base64, behind a path": lambda v: (
        "/v1/" + base64.urlsafe_b64encode(gzip.compress(v.encode())).decode()
    ),
    "numbers without blanks": lambda v: json.dumps(list(v.encode()), separators=(",", ":")),
    "numbers in lines": lambda v: json.dumps(list(v.encode()), indent=1),
    "JSON in base64": lambda v: base64.b64encode(json.dumps({"a": v}).encode()).decode(),
    "a JSON web token": lambda v: (
        "eyJhbGciOiJub25lIn0."
        + base64.urlsafe_b64encode(json.dumps({"a": v}).encode()).decode().rstrip("=")
        + "."
    ),
    "base64 twice": lambda v: base64.b64encode(base64.b64encode(v.encode())).decode(),
    "names of characters": lambda v: "".join(
        f"\\N{{{unicodedata.name(c)}}}" if unicodedata.name(c, "") else c for c in v
    ),
    "HTML, every name": lambda v: "".join(_entity(c) for c in v),
    "HTML without semicolons": lambda v: "".join(f"&#{ord(c)}" for c in v),
    "percents and u": lambda v: "".join(
        f"%u{ord(c):04x}" if ord(c) < 0x10000 else quote(c) for c in v
    ),
    "style sheets": lambda v: "".join(f"\\{ord(c):x} " for c in v),
    "style sheets, six digits": lambda v: "".join(f"\\{ord(c):06X}" for c in v),
    "printf's octals": lambda v: "".join(f"\\0{byte:03o}" for byte in v.encode()),
    "quoted-printable": _quoted_printable,
    "quoted-printable, every byte": lambda v: "".join(f"={byte:02X}" for byte in v.encode()),
    "quoted-printable, in a head": _quoted_head,
    "hexdump -C": lambda v: _dumped(v, "{:08x}  {}  |{}|", 1),
    "xxd": lambda v: _dumped(v, "{:08x}: {}  {}", -2),
    "od": lambda v: _dumped(v, "{:06x} {}  >{}<", 1),
    "numbers of characters": lambda v: " ".join(
        f"U+{int.from_bytes(v.encode('utf-16-be')[i : i + 2]):04X}"
        for i in range(0, len(v.encode("utf-16-be")), 2)
    ),
    "tcpdump": lambda v: _dumped(v, "\t0x{:04x}:  {}  {}", -2),
    "UTF-16 in base64": lambda v: base64.b64encode(f"-{v}-".encode("utf-16-le")).decode(),
    "UTF-16 in hex": lambda v: v.encode("utf-16-be").hex(),
    "the repr of UTF-16": lambda v: repr(v.encode("utf-16")),
    "misread as latin-1": lambda v: v.encode().decode("latin-1"),
    "JSON in gzip": lambda v: repr(gzip.compress(json.dumps({"a": v}).encode())),
}


BASE32: dict[str, Callable[[str], str]] = {
    "one on": lambda v: base64.b32encode(b"u" + v.encode()).decode(),
    "four on, lower case": lambda v: base64.b32encode(b"me: " + v.encode()).decode().lower(),
    "without padding": lambda v: base64.b32encode(v.encode()).decode().rstrip("="),
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


@pytest.mark.parametrize("spelling", BASE32)
@settings(max_examples=5, deadline=None)
@given(value=minted)
def test_a_minted_value_is_found_in_base32(spelling: str, value: str) -> None:
    """Thirteen bytes of it are proof, at each alignment."""
    text = BASE32[spelling](value)

    assert labels(Search([Secret.of("it", value, minted=True)]).hits(f"<{text}>")) == {"it"}


RARER: dict[str, Callable[[str], str]] = {
    "base85": lambda v: base64.b85encode(v.encode()).decode(),
    "a field in base85": lambda v: "data=" + base64.b85encode(f"token: {v}".encode()).decode(),
    "base85 and a sign": lambda v: (
        base64.b85encode((v + " " * (-len(v) % 4)).encode()).decode() + "!"
    ),
    "base85 of PDF": lambda v: base64.a85encode(b"x" + v.encode(), adobe=True).decode(),
    "uuencode": lambda v: _uuencoded(f"the token is {v}, and some more to fill a line"),
    "UTF-32 in hex": lambda v: v.encode("utf-32-be").hex(),
    "base64 in hex": lambda v: base64.b64encode(v.encode()).hex(),
    "URL in hex": lambda v: f"?x={quote(v, safe='')}".encode().hex().upper(),
    "numbers, blanks": lambda v: " ".join(str(byte) for byte in v.encode()),
    "numbers, dashes": lambda v: "-".join(str(byte) for byte in v.encode()),
}


@pytest.mark.parametrize("spelling", RARER)
@pytest.mark.parametrize("value", ["hvs.CAESIHk3fT9sQ2vLr8Xw5Zp1", "dGhpc-IsQ_0uZ8xWvK2m"])
def test_a_minted_value_is_found_in_rarer_alphabets(spelling: str, value: str) -> None:
    """And masked there, wherever it stands."""
    search = Search([Secret.of("it", value, minted=True)])
    text = f"so {RARER[spelling](value)} is it, and {RARER[spelling](value)}"

    assert labels(search.hits(text)) == {"it"}
    assert search.hits(search.mask(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "(it is no base85, since all of five characters are too much: ~~~~~~~~~~~~~~~~~~~~",
        "nor are bytes that nobody can read: (~$!u0000000000(~$!u00000000000",
        "<~ zz~~ is none of PDF's ~>",
        "<~zzuuuuu~>",
        "begin 644 x\n#ABCDXYZ\nend",
    ],
)
def test_what_only_looks_like_a_rarer_alphabet_is_let_be(text: str) -> None:
    """It says nothing."""
    assert Search([Secret.of("it", "hvs.CAESIHk3fT9sQ2vLr8Xw5Zp1")]).hits(text) == []


def test_signs_are_found_in_seven_bits() -> None:
    """UTF-7 writes letters as they are; what only looks like it stays as it is."""
    search = Search([Secret.of("it", "pa$$ wörd+1", named=True)])

    assert labels(search.hits("pa$$ wörd+1é".encode("utf-7").decode())) == {"it"}
    assert search.hits("pa+////////////-") == []


def test_a_line_of_a_mail_may_go_on_with_a_blank() -> None:
    """Where it was broken to be no longer than 76 characters."""
    search = Search([Secret.of("it", 'correct "horse" battery', named=True)])

    assert labels(search.hits('it is correct=\n "horse" battery')) == {"it"}


def test_the_numbers_of_characters_are_found() -> None:
    """Those of their bytes are not the same, where there are several."""
    search = Search([Secret.of("it", "wörd-€-and-more", named=True)])

    assert labels(search.hits(str([ord(c) for c in "wörd-€-and-more"]))) == {"it"}
    assert labels(search.hits(" ".join(hex(ord(c)) for c in "wörd-€-and-more"))) == {"it"}


@pytest.mark.parametrize("value", ["1234", "ö234"])
def test_the_numbers_of_a_few_characters_prove_nothing(value: str) -> None:
    """Eight digits are in any text by accident."""
    text = "".join(str(ord(c)) for c in value)

    assert Search([Secret.of("it", value, named=True)]).hits(text) == []


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


@pytest.mark.parametrize("written", ["7333 6372 3374 2D37", "73:33:63:72:33:74:2d:37"])
def test_a_short_value_is_found_in_hex_with_separators(written: str) -> None:
    """The whole of it, however its digits are grouped."""
    (hit,) = Search([Secret.of("it", "s3cr3t-7")]).hits(f"it is {written}.")

    assert (hit.encoding, hit.whole) == ("hex", True)


def test_a_value_in_a_box_is_found() -> None:
    """A renderer of tracebacks draws lines beside the locals, and wraps them."""
    search = Search([Secret.of("it", "pÄss w0rd/=&%41<'x", named=True)])

    assert labels(search.hits("│ pÄss w0rd/ │\n│ =&%41<'x   │")) == {"it"}


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
    without_mark = base64.b64encode(encoded[2:] * 2)
    assert labels(search.hits(without_mark)) == {"it"}


@pytest.mark.parametrize("value", ["Paßwört über 7", "ключ-48-секрет"])
def test_other_bytes_of_the_same_characters_are_found(value: str) -> None:
    """Headers have latin-1 where it will do; UTF-16 has no bytes in common with UTF-8."""
    search = Search([Secret.of("it", value, named=True)])
    written = [value.encode("utf-16-le"), value.encode("utf-16-be")]
    if value.startswith("P"):
        latin = value.encode("latin-1")
        written += [latin, base64.b64encode(b"user:" + latin), quote(latin).encode()]

    for content in written:
        assert labels(search.hits(b"<" + content + b">")) == {"it"}


NAMED = "a-word-and-the-Nex7-one"


def test_of_a_long_value_that_was_named_three_quarters_are_proof() -> None:
    """What a mask leaves of it is less; of an address, the host is what all may know."""
    search = Search([Secret.of("it", NAMED, named=True)])
    address = "postgres://somebody@db.example.com/pw-1"

    for shown in (NAMED[:-4] + "****", NAMED[5:], f"<{NAMED[2:-3]}>"):
        (hit,) = search.hits(shown)
        assert not hit.whole
    assert search.hits(f"{NAMED[:8]}...{NAMED[-8:]}") == []
    assert search.hits(NAMED[:16]) == []
    assert Search([Secret.of("it", NAMED)]).hits(NAMED[:-4]) == []
    assert Search([Secret.of("it", address, named=True)]).hits(address[:-3]) == []


@pytest.mark.parametrize(
    "text",
    [
        "\\N{NO SUCH CHARACTER} &nosuchname; &#xfffffff",
        "7801 785e 78:9c:00:11:22:33:44:55:66:77:88",
        "1f8b08" * 9,
        "1, 2, 3, 4, 5, 256, 7, 8, 9",
        "x, 1, 2, 3, 4, 5",
        "x^2 + x^3, eJwabcdefghijklmnopq",
        "/" * 32,
        "AQEB" * 8,
        "eyJeyJeyJeyJeyJeyJeyJ" * 3,
        base64.b64encode(b"just something that is readable, and has nothing in it").decode(),
    ],
)
def test_what_only_looks_packed_is_let_be(text: str) -> None:
    """It cannot be unpacked, or has nothing in it."""
    assert Search([Secret.of("it", TOKEN)]).hits(text) == []


def test_deflate_without_a_head_is_unpacked_in_base64() -> None:
    """As single sign-on has it in its URLs."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(TOKEN.encode()) + packer.flush()

    hits = Search([Secret.of("it", TOKEN)]).hits(base64.b64encode(packed).decode())
    assert labels(hits) == {"it"}


def test_what_is_packed_is_found_each_time() -> None:
    """And masked each time, in lines of which not all are of it as well."""
    search = Search([Secret.of("it", "käse/um 7", named=True)])
    packed = base64.b64encode(json.dumps({"some": "thing", "a": "käse/um 7"}).encode()).decode()
    text = f"{packed}, {packed}\nnot-of-it\n"

    assert [(hit.encoding, hit.start) for hit in search.hits(text)] == [
        ("base64", 0),
        ("base64", len(packed) + 2),
    ]
    assert packed not in search.mask(text)


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
