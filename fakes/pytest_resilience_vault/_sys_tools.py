"""sys/tools: random bytes and hashes, for who has no better source of them."""

from __future__ import annotations

import base64
import hashlib
import secrets

from pytest_resilience_vault import _fields as fields
from pytest_resilience_vault._backend import WRITE, Backend, on
from pytest_resilience_vault._call import Call
from pytest_resilience_vault._errors import bad_request
from pytest_resilience_vault._reply import Reply

MOST_BYTES = 128 * 1024
SOURCES = ("platform", "seal", "all")
ALGORITHMS = {
    f"sha{family}-{bits}": f"sha{bits}" if family == 2 else f"sha3_{bits}"
    for family in (2, 3)
    for bits in (224, 256, 384, 512)
}
NO_SEAL = "no seal/entropy augmentation available, using platform entropy source"


class ToolPaths(Backend):
    """Random bytes and hashes."""

    type = "system"

    @on(WRITE, "tools/random(?:/(?P<source>[^/]+))?(?:/(?P<urlbytes>.+))?", fields.RANDOM)
    def random(self, call: Call, source: str | None, urlbytes: str | None) -> Reply:
        """As many bytes as are asked for (helper/random, HandleRandomAPI)."""
        if source and not urlbytes and source not in SOURCES:
            source, urlbytes = None, source
        count = call.whole("bytes", 32) if urlbytes is None else _count(urlbytes)
        if count < 1:
            raise bad_request("'bytes' cannot be less than 1")
        if count > MOST_BYTES:
            raise bad_request(f"'bytes' should be less than {MOST_BYTES}")
        encoded = _encoded(call, "base64", secrets.token_bytes(count), '"')
        if source is not None and source not in SOURCES:
            words = 'must be "platform" or "seal", or "all"'
            raise bad_request(f'unsupported entropy source "{source}"; {words}')
        return Reply({"random_bytes": encoded}, warnings=[NO_SEAL] if source == "seal" else [])

    @on(WRITE, "tools/hash(?:/(?P<urlalgorithm>.+))?", fields.HASH)
    def hash(self, call: Call, urlalgorithm: str | None) -> Reply:
        """Of what is given in base64."""
        try:
            given = base64.b64decode(call.text("input"), validate=True)
        except ValueError:
            words = "unable to decode input as base64: illegal base64 data at input byte"
            raise bad_request(f"{words} {first_bad(call.text('input'))}") from None
        name = urlalgorithm or call.text("algorithm", "sha2-256")
        _encoded(call, "hex", b"", "")
        if name not in ALGORITHMS:
            raise bad_request(f"unsupported algorithm {name}")
        return Reply({"sum": _encoded(call, "hex", hashlib.new(ALGORITHMS[name], given).digest())})


def _count(size: str) -> int:
    try:
        return int(size)
    except ValueError:
        words = f'strconv.Atoi: parsing "{size}": invalid syntax'
        raise bad_request(f"error parsing url-set byte count: {words}") from None


def _encoded(call: Call, default: str, data: bytes, quote: str = "") -> str:
    form = call.text("format", default)
    if form == "hex":
        return data.hex()
    if form == "base64":
        return base64.b64encode(data).decode()
    words = 'must be "hex" or "base64"'
    raise bad_request(f"unsupported encoding format {quote}{form}{quote}; {words}")


def first_bad(text: str) -> int:
    """Where Go's decoder stops: at the first byte that it does not know, or at the last four."""
    known = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    unknown = (at for at, one in enumerate(text) if one not in known)
    return next(unknown, len(text) // 4 * 4)
