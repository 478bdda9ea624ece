"""Bodies that came by gzip: looked into, and as long as they were."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from retrace_core import load, replay, writer
from retrace_core.codec import encode
from retrace_core.redaction.compressed import MARKS, inflate, refit
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacing import Region
from retrace_core.redaction.scanning import scan
from retrace_core.redaction.secret_set import Forms
from retrace_core.trace_file.load import read_plain
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files

if TYPE_CHECKING:
    from pathlib import Path

NAMES = Names()
REDACTOR = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES))
BODY = json.dumps(
    {"access_token": "s3cret-s3cret-s3cret", "lines": [{"n": n} for n in range(50)]}
).encode()
PACKED = gzip.compress(BODY)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
DEFLATE = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n"


def chunked(packed: bytes, size: int) -> bytes:
    """Return bytes in chunks of HTTP."""
    pieces = [packed[begin : begin + size] for begin in range(0, len(packed), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in [*pieces, b""])


ANSWERS = {
    "whole": HEAD + b"\r\n" + PACKED,
    "one chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(PACKED, 1000),
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(PACKED, 40),
    "deflate": DEFLATE + b"\r\n" + zlib.compress(BODY),
    "deflate in chunks": DEFLATE + b"\r\n" + chunked(zlib.compress(BODY, 1), 40),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_is_masked(name: str) -> None:
    """What comes out of the answer is masked, and the answer as long as it was."""
    answer = ANSWERS[name]
    data = encode(answer)
    out = REDACTOR.redact(data, [Region(0, len(data))], ()).data
    assert len(out) == len(data)
    place = next(out.index(mark) for mark in MARKS if mark in out)
    found = inflate(out, out.index(b"HTTP"), place, len(out))
    assert found is not None
    assert b"s3cret" not in found.plain
    assert json.loads(found.plain)["lines"][-1] == {"n": 49}


@given(st.binary(max_size=300), st.integers(0, 40))
def test_fits_any_size_that_is_large_enough(plain: bytes, more: int) -> None:
    """A name of a file fills what is left."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    size = len(packer.compress(plain) + packer.flush()) + 18 + more
    packed = refit(plain, size)
    assert packed is not None and len(packed) == size
    assert gzip.decompress(packed) == plain
    assert refit(plain, size - more - 1) is None


@given(st.binary(max_size=300), st.integers(9, 40))
def test_zlib_fits_too(plain: bytes, more: int) -> None:
    """Empty blocks fill what is left, unless that is very little."""
    size = len(zlib.compress(plain, 9)) + more
    packed = refit(plain, size, gzip=False)
    assert packed is not None and len(packed) == size
    assert zlib.decompress(packed) == plain


def test_zlib_within_a_document_is_left() -> None:
    """Pictures are made of it, with checksums."""
    data = encode(b"IDAT" + zlib.compress(BODY))
    assert not REDACTOR.redact(data, [Region(0, len(data))], ()).patches


def test_a_response_that_the_middleware_sees_compressed(recordings: Path) -> None:
    """It replays: what is inside is compared, not how it was packed."""

    async def show(_: Any) -> Any:
        token = random.choice(["s3cret-one-s3cret", "s3cret-two-s3cret"])
        return JSONResponse({"token": token, "more": ["x"] * 300})

    app: Any = Starlette(routes=[Route("/", show)])
    app = RetraceMiddleware(GZipMiddleware(app, minimum_size=10))
    with TestClient(app) as client:
        assert client.get("/").json()["token"].startswith("s3cret")
    assert writer.flush(10)
    recording = load(files(recordings)[0])
    assert recording.response is not None
    assert b"s3cret" not in gzip.decompress(b"".join(recording.response.body))
    assert not scan(read_plain(files(recordings)[0]), REDACTOR, "it")
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_scan_looks_into_it() -> None:
    """What slipped through is found inside of gzip, too."""
    data = encode(ANSWERS["whole"])
    assert REDACTOR.redact(data, [Region(0, len(data))], ()).patches
