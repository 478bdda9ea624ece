"""Bodies that came by gzip, zstd and brotli: looked into, and as long as they were."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
import zlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
import httpx
import pytest
import requests
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from retrace_core import load, native, replay, stats, writer
from retrace_core.codec import encode
from retrace_core.redaction import brotli_streams, gzip_streams, zlib_streams, zstd_frames
from retrace_core.redaction.bodies import bodies_of_lane
from retrace_core.redaction.compressed import MARKS, content
from retrace_core.redaction.gzip_streams import refit
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region
from retrace_core.redaction.scanning import scan
from retrace_core.trace_file.load import read_plain
from retrace_mw import RetraceMiddleware
from tests.http_origin import origin
from tests.recorded import record_wsgi
from tests.redaction.raw import files, raw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NAMES = Names()
REDACTOR = Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES))
BODY = json.dumps(
    {"access_token": "s3cret-s3cret-s3cret", "lines": [{"n": n} for n in range(50)]}
).encode()
PACKED = gzip.compress(BODY)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "br": brotli.compress,
    "deflate": zlib.compress,
}
CODINGS: dict[str, Any] = {
    "gzip": gzip_streams,
    "zstd": zstd_frames,
    "br": brotli_streams,
    "deflate": zlib_streams,
}


def unpacked(packed: bytes, coding: str) -> bytes:
    """Return what is in a body, as the libraries see it that applications use."""
    if coding == "gzip":
        return gzip.decompress(packed)
    if coding == "deflate":
        return zlib.decompress(packed)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    return bytes(brotli.decompress(packed))


def chunked(packed: bytes, size: int) -> bytes:
    """Return bytes in chunks of HTTP."""
    pieces = [packed[begin : begin + size] for begin in range(0, len(packed), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in [*pieces, b""])


def answers(coding: str) -> dict[str, bytes]:
    """Return answers with a body in it."""
    packed = PACKERS[coding](BODY)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n" % coding.encode()
    sized = head + b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "whole": head + b"\r\n" + packed,
        "one chunk": sized + chunked(packed, 1000),
        "chunks": sized + chunked(packed, 40),
    }


ANSWERS = answers("gzip")


@pytest.mark.parametrize("coding", PACKERS)
@pytest.mark.parametrize("name", ANSWERS)
def test_is_masked(name: str, coding: str) -> None:
    """What comes out of the answer is masked, and the answer as long as it was."""
    answer = answers(coding)[name]
    # As an event of a lane, where reads of HTTP are.
    event = b"\x97\x01" + encode("http.bytes") + b"\x00\xc0" + encode(answer) + b"\x01\x01"
    data = event + encode(1)
    out = REDACTOR.redact(data, [Region(0, len(event), lane=True)], ()).data
    assert len(out) == len(data)
    (body,) = bodies_of_lane(out, Region(0, len(event), lane=True))
    plain = unpacked(b"".join(out[begin:end] for begin, end in body.spans), coding)
    assert b"s3cret" not in plain
    assert json.loads(plain)["lines"][-1] == {"n": 49}


@pytest.mark.parametrize("coding", ["zstd", "br"])
@given(st.binary(max_size=2000), st.integers(0, 40))
def test_fits_sizes_that_are_large_enough(coding: str, plain: bytes, more: int) -> None:
    """Empty blocks fill what is left; a frame of zstd may take eight bytes more to fit."""
    refit = {"zstd": zstd_frames.refit, "br": brotli_streams.refit}[coding]
    size = len(PACKERS[coding](plain)) + 24 + more
    packed = refit(plain, size)
    assert packed is not None and len(packed) == size
    assert unpacked(packed, coding) == plain
    assert content(packed, brotli=coding == "br") == plain
    assert content(packed + b"x", brotli=coding == "br") is None
    assert refit(plain, 2) is None


@pytest.mark.parametrize("unpack", [one.unpack for one in CODINGS.values()])
@given(st.sampled_from([b"", *MARKS]), st.binary(max_size=60))
def test_no_bytes_break_it(unpack: Any, mark: bytes, data: bytes) -> None:
    """What is no stream is none."""
    assert unpack(mark + data, 100) is None or isinstance(unpack(mark + data, 100), tuple)


@pytest.mark.parametrize("coding", PACKERS)
def test_what_says_too_much_is_left(coding: str) -> None:
    """A small body of many noughts is not unpacked to its end."""
    assert inflate_all(PACKERS[coding](bytes(64 << 20)), coding) is None


def inflate_all(packed: bytes, coding: str) -> Any:
    """Return what is made of a body."""
    return CODINGS[coding].unpack(packed, 4 << 20)


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
    packed = zlib_streams.refit(plain, size)
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


@pytest.mark.parametrize("coding", PACKERS)
def test_a_body_in_pieces_and_a_client_of_another(recordings: Path, coding: str) -> None:
    """A response that is sent in pieces, and an answer that came in such: masked, identical."""
    packed = PACKERS[coding](BODY)

    class Upstream(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", coding)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(chunked(packed, 50))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with origin(Upstream) as (base, _):

        def show(_: Any) -> Any:
            raw = requests.get(base, timeout=5, stream=True).raw.read(decode_content=False)
            one = json.loads(unpacked(raw, coding))
            other = httpx.get(base, timeout=5).json()
            body = PACKERS[coding](json.dumps([one, other, random.random()]).encode())
            pieces = [body[place : place + 64] for place in range(0, len(body), 64)]
            return StreamingResponse(_each(pieces), headers={"content-encoding": coding})

        app: Any = RetraceMiddleware(Starlette(routes=[Route("/", show)]))
        with TestClient(app) as client:
            with client.stream("GET", "/") as got:
                said = json.loads(unpacked(b"".join(got.iter_raw()), coding))
            assert said[0]["access_token"].startswith("s3cret")
        assert writer.flush(10)
    recording = load(files(recordings)[0])
    assert recording.response is not None
    kept = unpacked(b"".join(recording.response.body), coding)
    assert b"s3cret" not in kept and json.loads(kept)[0]["lines"]
    assert not scan(read_plain(files(recordings)[0]), REDACTOR, "it")
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_a_secret_in_several_bodies_is_one_text(recordings: Path) -> None:
    """It repeats itself, its pseudonym does not: in one body that fits, in another it may not."""

    class Upstream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = {"n": random.random(), "path": self.path, "card": "4242424242424242"}
            packed = gzip.compress(json.dumps(said).encode())
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with origin(Upstream) as (base, _):

        def show(_: Any) -> Any:
            return JSONResponse([httpx.get(f"{base}/{n}", timeout=5).json() for n in range(6)])

        app: Any = RetraceMiddleware(Starlette(routes=[Route("/", show)]))
        with TestClient(app) as client:
            assert client.get("/").json()[0]["card"] == "4242424242424242"
        assert writer.flush(10)
    result = replay(load(files(recordings)[0]), app)
    assert result.identical, result.summary()


async def _each(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_brotli_without_the_library(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can look into it: noughts stand in its place, counted; handed on it is the same."""
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    brotli_streams._library.cache_clear()
    packed = PACKERS["br"](BODY)

    async def proxy(request: Any) -> Any:
        body = await request.body()
        return Response(body, headers={"content-encoding": "br"})

    app: Any = RetraceMiddleware(Starlette(routes=[Route("/", proxy, methods=["POST"])]))
    before = stats().get("redaction.blanked_body", 0)
    try:
        with TestClient(app) as client:
            with client.stream(
                "POST", "/", content=packed, headers={"content-encoding": "br"}
            ) as got:
                assert b"".join(got.iter_raw()) == packed
        assert writer.flush(10)
        recording = load(files(recordings)[0])
        assert recording.response is not None
        assert b"".join(recording.request.body) == bytes(len(packed))
        assert b"".join(recording.response.body) == bytes(len(packed))
        assert stats()["redaction.blanked_body"] == before + 2
        result = replay(recording, app)
        assert result.identical, result.summary()
    finally:
        brotli_streams._library.cache_clear()


def test_a_body_that_does_not_fit_any_more_is_not_kept(recordings: Path) -> None:
    """Its masks take more room than what they stand for: noughts stand there, counted."""
    text = "".join(f"<a{n} class='mountain{n % 7}'>mountain-{n * n}</a>" for n in range(400))
    page = (text[:3000] + '{"password": "mountain"}' * 40 + text[3000:]).encode()
    packed = gzip.compress(page, 9)

    def view() -> Any:
        return packed, 200, {"Content-Encoding": "gzip", "Content-Type": "text/html"}

    before = stats().get("redaction.blanked_body", 0)
    _, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.redaction is not None
    assert b"".join(recording.response.body) == bytes(len(packed))
    assert stats()["redaction.blanked_body"] > before
    assert "unfit" in recording.redaction.masked


def test_scan_looks_into_it() -> None:
    """What slipped through is found inside of gzip, too."""
    data = encode(ANSWERS["whole"])
    assert REDACTOR.redact(data, [Region(0, len(data))], ()).patches


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback records no digests")
@pytest.mark.parametrize("before", [b"", b"its parents' digests"], ids=["alone", "after-another"])
def test_a_digest_of_what_was_packed(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    """As in a store of content: what is hashed has the pseudonym that could be packed."""
    plain = json.dumps({"password": "ab" * 40, "lines": list(range(20))}).encode()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "object").write_bytes(zlib.compress(plain))
    (tmp_path / hashlib.sha1(before + plain).hexdigest()).write_text("where it is")

    def view() -> str:
        content = zlib.decompress(Path("object").read_bytes())
        return Path(hashlib.sha1(before + content).hexdigest()).read_text()

    app, _ = record_wsgi(recordings, view)
    assert b"abababababab" not in raw(recordings)
    for path in tmp_path.glob("[0-9a-o]*"):
        path.unlink() if path.is_file() else None
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback records no digests")
def test_a_digest_in_what_was_packed_is_looked_up(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a commit names its parent: other pseudonyms are shortened where they don't all fit."""
    monkeypatch.chdir(tmp_path)
    address = "ann.of.the.shop@example.com"
    parent = hashlib.sha1(f"by {address}".encode()).hexdigest()
    (tmp_path / "who").write_text(f"by {address}")
    commit = json.dumps({"parent": parent, "password": "ab" * 40}).encode()
    packer = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)  # which leaves some room
    (tmp_path / "commit").write_bytes(packer.compress(commit) + packer.flush())
    (tmp_path / parent[:2]).mkdir()
    (tmp_path / parent[:2] / parent[2:]).write_text("the first")

    def view() -> str:
        hashlib.sha1(Path("who").read_bytes()).digest()
        named = json.loads(zlib.decompress(Path("commit").read_bytes()))["parent"]
        return Path(named[:2], named[2:]).read_text()

    app, _ = record_wsgi(recordings, view)
    assert parent.encode() not in raw(recordings)
    for name in ("who", "commit", f"{parent[:2]}/{parent[2:]}"):
        (tmp_path / name).unlink()
    (path,) = files(recordings)
    result = replay(path, app)
    assert result.identical, result.summary()
