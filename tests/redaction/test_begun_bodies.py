"""Packed bodies whose first chunks are single bytes, as `gzip.GzipFile` writes them."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from flask import Response

from retrace_core import replay
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = [f"{number}: sold to ann@example.com\n".encode() for number in range(20)]


def test_an_export_that_is_packed_as_it_is_sent(recordings: Path, tmp_path: Path) -> None:
    """It is no body that a server compressed: no header says how it is packed."""
    customers = tmp_path / "customers"
    customers.write_bytes(b"".join(LINES))

    class Sent(list[bytes]):
        write = list.append

    def export() -> Response:
        sent = Sent()

        def body() -> Iterator[bytes]:
            with gzip.GzipFile(fileobj=sent, mode="wb", mtime=0) as packer:  # type: ignore[call-overload]
                packer.write(customers.read_bytes())
            yield from sent

        return Response(body(), mimetype="application/octet-stream")

    app, recording = record_wsgi(recordings, export)
    assert recording.response is not None
    assert len(recording.response.body[0]) < 3
    said = zlib.decompressobj(31).decompress(b"".join(recording.response.body))
    assert b"ann@example.com" not in said
    assert said.count(b"@exam") == len(LINES)  # its end may have given way, to fit
    result = replay(recording, app)
    assert result.identical, result.summary()
