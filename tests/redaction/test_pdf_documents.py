"""PDFs: masked within, and the same on replay but for sizes and places."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_core.documents import pdf_document
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core import Recording

ADDRESS = "dora.diaz@mail.example"


def document(text: str, *, in_ascii: bool) -> bytes:
    """Return one of a page, as ReportLab (in ASCII) or fpdf2 would write it."""
    says = f"BT /F1 12 Tf 72 720 Td (Invoice for {text}) Tj ET\n".encode() + b"0 0 m\n" * 40
    packed = zlib.compress(says)
    filters = b"/FlateDecode"
    if in_ascii:
        packed = base64.a85encode(packed) + b"~>"
        filters = b"[ /ASCII85Decode /FlateDecode ]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [ ] /Count 0 >>",
        b"<< /Filter %s /Length %d >>\nstream\n%s%sendstream"
        % (filters, len(packed), packed, b"" if in_ascii else b"\n"),
        b"<< /Size 9 >>",
    ]
    made, places = b"%PDF-1.4\n", list[int]()
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    name = hashlib.sha1(made, usedforsecurity=False).hexdigest().encode()
    end = b"trailer\n<< /Size 5 /Root 1 0 R /ID [<%s><%s>] >>\nstartxref\n%d\n%%%%EOF\n"
    head = b"xref\n0 5\n0000000000 65535 f \n"
    return made + head + table + end % (name, name, len(made))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield it in pieces."""
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def app_of(*, in_ascii: bool, size: int = 1 << 20, name: str = "") -> flask.Flask:
    """Return one that writes an invoice to the address it is given, and says the digest of that."""
    app = flask.Flask("shop")

    @app.post("/")
    def invoice() -> Any:
        body = document(name or flask.request.form["email"], in_ascii=in_ascii)
        tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        headers = {"ETag": f'"{tag}"', "Content-Length": str(len(body))}
        return flask.Response(pieces(body, size), headers=headers)

    return app


def recorded(app: flask.Flask, recordings: Path) -> Recording:
    """Return a recording of its invoice."""
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"email": ADDRESS}, buffered=True)
    return only_recording(recordings)


@pytest.mark.parametrize("size", [1 << 20, 100], ids=["whole", "in pieces"])
@pytest.mark.parametrize("in_ascii", [True, False], ids=["ASCII", "packed"])
def test_is_masked_and_replays(recordings: Path, size: int, in_ascii: bool) -> None:
    """Whoever opens the recorded one finds a pseudonym."""
    app = app_of(in_ascii=in_ascii, size=size)
    recording = recorded(app, recordings)
    assert recording.response is not None

    body = b"".join(recording.response.body)
    (stream,) = pdf_document.streams(body, 1 << 20)
    assert ADDRESS.encode() not in stream.plain
    assert b"(Invoice for " in stream.plain
    assert stream.is_text is in_ascii

    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize("in_ascii", [True, False], ids=["ASCII", "packed"])
def test_another_content_differs(recordings: Path, in_ascii: bool) -> None:
    """Only what is masked may be another."""
    recording = recorded(app_of(in_ascii=in_ascii), recordings)
    result = replay(recording, app_of(in_ascii=in_ascii, name="nobody"))
    assert "body" in {one.what for one in result.differences}


def test_what_it_says_has_no_sizes_and_places() -> None:
    said = pdf_document.said(document(ADDRESS, in_ascii=True), 1 << 20)
    assert said is not None
    assert f"(Invoice for {ADDRESS})".encode() in said
    assert b"/Size 9" in said
    for gone in (b"/Length 1", b"0000000000", b"/ID", b"startxref"):
        assert gone not in said


@pytest.mark.parametrize("broken", [b"", b"%PD", b"PK"])
def test_another_body_says_nothing(broken: bytes) -> None:
    assert pdf_document.said(broken, 1 << 20) is None


def test_a_torn_one_is_left_as_it_is() -> None:
    whole = document(ADDRESS, in_ascii=False)
    torn = whole[: whole.index(b"stream") + 30]
    said = pdf_document.said(torn, 1 << 20)
    assert said is not None
    assert said.endswith(torn[-30:])
