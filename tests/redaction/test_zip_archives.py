"""ZIP archives (sheets, documents): masked within, and the same on replay but for their sizes."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_core.documents import zip_archive
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core import Recording

ADDRESS = "dora.diaz@mail.example"
LINE = "<row><c>{}</c><c>{}</c></row>"


class Unseekable(io.RawIOBase):
    """A stream to which checksums can only be written after the members."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any, /) -> int:
        """Keep it."""
        self.parts.append(bytes(data))
        return len(data)


def deflated(text: str, *, seekable: bool = True) -> bytes:
    """Return one whose members are packed."""
    out: Any = io.BytesIO() if seekable else Unseekable()
    rows = "".join(LINE.format(number, text) for number in range(20))
    with zipfile.ZipFile(out, "w") as made:
        for name, content in (("a.xml", "<a/>" * 50), ("b.xml", rows), ("c.xml", "<c/>" * 50)):
            info = zipfile.ZipInfo(name, (2026, 1, 5, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, content)
    return out.getvalue() if seekable else b"".join(out.parts)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yield it in pieces."""
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def app_of(*, seekable: bool, size: int, name: str = "") -> flask.Flask:
    """Return one that exports the address it is given, and says the digest of that."""
    app = flask.Flask("shop")

    @app.post("/")
    def export() -> Any:
        body = deflated(name or flask.request.form["email"], seekable=seekable)
        tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        headers = {"ETag": f'"{tag}"', "Content-Length": str(len(body))}
        return flask.Response(pieces(body, size), headers=headers)

    return app


def recorded(app: flask.Flask, recordings: Path) -> Recording:
    """Return a recording of its export."""
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"email": ADDRESS}, buffered=True)
    return only_recording(recordings)


@pytest.mark.parametrize("size", [1 << 20, 100], ids=["whole", "in pieces"])
@pytest.mark.parametrize("seekable", [True, False], ids=["", "checksums after"])
def test_is_masked_and_replays(recordings: Path, size: int, seekable: bool) -> None:
    """Whoever opens the recorded one finds pseudonyms, and no checksum that is wrong."""
    app = app_of(seekable=seekable, size=size)
    recording = recorded(app, recordings)
    assert recording.response is not None

    with zipfile.ZipFile(io.BytesIO(b"".join(recording.response.body))) as kept:
        assert kept.testzip() is None
        text = kept.read("b.xml").decode()
    assert ADDRESS not in text
    assert text.count("<row>") == 20

    result = replay(recording, app)
    assert result.identical, result.summary()


def test_a_digest_where_pseudonyms_are_shortened(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is recorded is packed of shorter ones, if need be; what is made again is hashed."""
    for number in range(60):  # by its key it is chance whether one can be packed as small
        folder = recordings / str(number)
        monkeypatch.setenv("RETRACE_RECORDING_PATH", str(folder))
        monkeypatch.setenv("RETRACE_REDACT_KEY", f"{number:032}")
        app = app_of(seekable=True, size=1 << 20)
        recording = recorded(app, folder)
        assert recording.redaction is not None
        if len(recording.redaction.masks) > 1:
            break
    else:
        pytest.fail("no pseudonym had to be shortened")
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_one_in_a_packed_answer_is_masked_and_replays(recordings: Path) -> None:
    """A middleware packs every answer, whatever it is."""
    app = flask.Flask("shop")

    @app.post("/")
    def export() -> Any:
        body = deflated(flask.request.form["email"])
        return flask.Response(gzip.compress(body), headers={"Content-Encoding": "gzip"})

    recording = recorded(app, recordings)
    assert recording.response is not None

    body = gzip.decompress(b"".join(recording.response.body))
    with zipfile.ZipFile(io.BytesIO(body)) as kept:
        assert kept.testzip() is None
        assert ADDRESS not in kept.read("b.xml").decode()
        assert kept.read("b.xml").count(b"<row>") == 20
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_another_content_differs(recordings: Path) -> None:
    """Only what is masked may be another."""
    recording = recorded(app_of(seekable=True, size=1 << 20), recordings)
    result = replay(recording, app_of(seekable=True, size=1 << 20, name="nobody"))
    assert "body" in {one.what for one in result.differences}


def test_an_upload_is_masked(recordings: Path) -> None:
    """In the part of a form, with another file behind it."""
    app = flask.Flask("shop")

    @app.post("/")
    def view() -> Any:
        with zipfile.ZipFile(flask.request.files["sheet"]) as sheet:
            return sheet.read("b.xml").decode()

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    sheets = {"sheet": deflated(ADDRESS), "other": deflated(ADDRESS, seekable=False)}
    form = {name: (io.BytesIO(data), f"{name}.xlsx") for name, data in sheets.items()}
    app.test_client().post("/", data=form, buffered=True)
    recording = only_recording(recordings)

    body = b"".join(recording.request.body)
    for member in zip_archive.members(body, 0, len(body), 1 << 20):
        assert ADDRESS.encode() not in member.plain
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize("cut", [10, 100, 400])
def test_a_torn_one_says_nothing(cut: int) -> None:
    """It is compared as it is."""
    whole = deflated(ADDRESS)
    said = zip_archive.said(whole, 1 << 20)
    assert said is not None
    assert ADDRESS.encode() in said
    assert zip_archive.said(whole[:-cut], 1 << 20) is None
    assert zip_archive.said(whole, 10) is None
