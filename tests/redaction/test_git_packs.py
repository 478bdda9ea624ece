"""Git's packs (clones, fetches, pushes): masked within, and the same on replay but for sizes."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_core.documents import git_pack
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording

ADDRESS = "dora.diaz@mail.example"
COMMIT = "tree 1\nauthor Dora <{0}> 1767225600 +0000\n\nLemons are in.\nSaid-by: <{0}>\n" * 3
RESULT = "application/x-git-upload-pack-result"


def packed(*texts: str) -> bytes:
    """Return a pack of commits."""
    made = git_pack.MARK + len(texts).to_bytes(4, "big")
    for text in map(str.encode, texts):
        made += bytes((0x90 | len(text) & 15, len(text) >> 4)) + zlib.compress(text, 1)
    return made + hashlib.sha1(made, usedforsecurity=False).digest()


def in_packets(pack: bytes, size: int) -> bytes:
    """Return it as Git's server sends it, with a line before it and one of its progress."""
    parts = [pack[begin : begin + size] for begin in range(0, len(pack), size)]
    said = [b"NAK\n", b"\2Counting: 2, done.\n", *(b"\1" + part for part in parts)]
    return b"".join(b"%04x%b" % (len(line) + 4, line) for line in said) + b"0000"


def app_of(size: int) -> flask.Flask:
    """Return one that sends a pack of who wrote something; size: of a packet, 0 for none."""
    app = flask.Flask("code")

    @app.post("/")
    def fetch() -> Any:
        text = COMMIT.format(flask.request.form["email"])
        pack = packed(text, "tree 2\n\nNobody's.\n" * 3)
        body = in_packets(pack, size) if size else pack
        return flask.Response(body, content_type=RESULT)

    return app


def recorded(app: flask.Flask, recordings: Path) -> Recording:
    """Return a recording of its answer."""
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data={"email": ADDRESS}, buffered=True)
    return only_recording(recordings)


@pytest.mark.parametrize("size", [0, 1000, 7], ids=["as it is", "in a packet", "in many"])
def test_is_masked_and_replays(recordings: Path, size: int) -> None:
    """Whoever unpacks the recorded one finds pseudonyms; the replayed one says the same."""
    app = app_of(size)
    recording = recorded(app, recordings)
    assert recording.response is not None

    said = git_pack.said(b"".join(recording.response.body), 1 << 20)
    assert said is not None
    assert ADDRESS.encode() not in said
    assert said.count(b"Lemons are in.") == 3

    result = replay(recording, app)
    assert result.identical, result.summary()


def test_another_text_in_it_is_another_response(recordings: Path) -> None:
    """What a pack says is compared, and not only that it is one."""
    recording = recorded(app_of(1000), recordings)
    other = flask.Flask("code")

    @other.post("/")
    def fetch() -> Any:
        text = COMMIT.replace("Lemons", "Apples").format(flask.request.form["email"])
        body = in_packets(packed(text, "tree 2\n\nNobody's.\n" * 3), 1000)
        return flask.Response(body, content_type=RESULT)

    assert not replay(recording, other).identical


def test_in_another_order_it_is_the_same(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a set of objects; a note says so."""
    monkeypatch.setenv("RETRACE_REDACT", "0")
    texts = ["tree 1\n" * 3, "tree 2\n" * 3]
    app = flask.Flask("code")

    @app.post("/")
    def fetch() -> Any:
        return flask.Response(in_packets(packed(*texts), 9), content_type=RESULT)

    recording = recorded(app, recordings)
    texts.reverse()
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert any("order of the objects" in note for note in result.notes)


def test_one_that_breaks_off_is_none() -> None:
    """Nothing is said of what is not whole, nor of packets that are none."""
    pack = packed(COMMIT, COMMIT)
    assert git_pack.said(pack[: len(pack) // 2], 1 << 20) is None
    assert git_pack.said(in_packets(pack, 50)[:90], 1 << 20) is None
    assert git_pack.said(b"0008NAK\n", 1 << 20) is None
