"""What the code packs, with masked texts in it, comes out of a replay packed otherwise."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import native, replay
from tests.recorded import record_wsgi
from tests.redaction.raw import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CUSTOMERS = [f"{name}.of.the.shop@example.com" for name in ("ann", "bob", "carla", "dora")]


def packed_by_gzip(page: bytes) -> bytes:
    """Return a page as servers pack it."""
    return gzip.compress(page, mtime=0)


def _database(folder: Path) -> Path:
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (email)")
        connection.execute("CREATE TABLE cache (key, value)")
        rows = [(email,) for email in CUSTOMERS]
        connection.executemany("INSERT INTO customers VALUES (?)", rows)
    return path


def _page(connection: sqlite3.Connection) -> bytes:
    rows = connection.execute("SELECT email FROM customers").fetchall()
    return "".join(f"<li>{email}, a customer of the shop</li>\n" for (email,) in rows).encode()


@pytest.mark.parametrize("pack", [zlib.compress, packed_by_gzip], ids=["zlib", "gzip"])
def test_a_packed_value_is_compared_by_its_content(
    recordings: Path, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """As a cache with a compressor sends it to its server."""
    path = _database(tmp_path)

    def view() -> str:
        with closing(sqlite3.connect(path)) as connection, connection:
            value = pack(_page(connection))
            connection.execute("INSERT INTO cache VALUES ('customers', ?)", (value,))
        return "kept"

    assert _is_identical(recordings, view, path)


def test_another_packed_value_is_a_divergence(recordings: Path, tmp_path: Path) -> None:
    """What is not masked in it must be the same."""
    path = _database(tmp_path)
    words = iter(["first", "second"])

    def view() -> str:
        with closing(sqlite3.connect(path)) as connection, connection:
            value = zlib.compress(_page(connection) + next(words).encode())
            connection.execute("INSERT INTO cache VALUES ('customers', ?)", (value,))
        return "kept"

    assert not _is_identical(recordings, view, path)


@pytest.mark.skipif(native.IMPLEMENTATION != "c", reason="the fallback records no digests")
def test_a_digest_of_a_packed_page_is_that_of_its_content(recordings: Path, tmp_path: Path) -> None:
    """As the ETag of a page that was packed before it was made."""
    path = _database(tmp_path)

    def view() -> str:
        with closing(sqlite3.connect(path)) as connection:
            return hashlib.md5(packed_by_gzip(_page(connection))).hexdigest()

    assert _is_identical(recordings, view, path)


def _is_identical(recordings: Path, view: Callable[[], Any], database: Path) -> bool:
    app, _ = record_wsgi(recordings, view)
    database.unlink()
    (path,) = files(recordings)
    return replay(path, app).identical
