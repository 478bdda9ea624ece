"""Long texts that a server packed as tightly as zlib does: a mask in them finds room."""

from __future__ import annotations

import gzip
import random
import zlib
from typing import TYPE_CHECKING, Any

from retrace_core import replay
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789(){};=.,"


def _script() -> bytes:
    """Return a text of many parts, each of few letters, as different as parts of a script are."""
    drawn = random.Random(7)
    parts = [
        "".join(drawn.choices(drawn.sample(_LETTERS, 8), k=drawn.randrange(2000, 9000)))
        for _ in range(20)
    ]
    return "".join(("\n/* by Kenny Wong <wowohoo@example.com> */\n", *parts)).encode()


def test_an_address_in_a_long_script(recordings: Path) -> None:
    """It is masked, the rest of the body is kept, and the replay is identical."""
    text = _script()
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(text) + packer.flush()

    def view() -> Any:
        return packed, 200, {"Content-Encoding": "gzip", "Content-Type": "text/javascript"}

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.redaction is not None
    body = b"".join(recording.response.body)
    assert len(body) == len(packed)
    says = gzip.decompress(body)
    assert b"wowohoo" not in says
    assert says[-50_000:] == text[-50_000:]
    assert "unfit" not in recording.redaction.masked
    result = replay(recording, app)
    assert result.identical, result.summary()
