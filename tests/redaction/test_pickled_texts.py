"""Pickles in base64, as Django's cache in a database has them: secrets in them are masked."""

from __future__ import annotations

import base64
import pickle
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import replay
from tests.recorded import only_recording, record_wsgi
from tests.redaction.raw import raw
from tests.redaction.test_finding import masked

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "ann.of.the.shop@example.com"


def _written(value: object, protocol: int) -> str:
    return base64.b64encode(pickle.dumps(value, protocol)).decode()


def _read(data: bytes) -> Any:
    found = re.search(rb"gA[SW]V[A-Za-z0-9+/]+=*", data)
    assert found is not None
    return pickle.loads(base64.b64decode(found[0]))


@pytest.mark.parametrize("protocol", [4, 5])
def test_it_stays_a_pickle_of_the_same(protocol: int) -> None:
    """What is no secret is read as before, and so is how long each text is."""
    read = _read(masked({"value": _written({"page": f"<b>{ADDRESS}</b>", "n": 7}, protocol)}))
    assert read.keys() == {"page", "n"}
    assert read["n"] == 7
    assert ADDRESS not in read["page"]
    assert re.fullmatch(r"<b>[^<>@]+@example\.com</b>", read["page"])


def test_what_looks_alike_is_left() -> None:
    text = "gASV" + base64.b64encode(b"no pickle at all, of whatever").decode()
    assert text.encode() in masked({"value": text})


def test_a_cache_in_a_database_replays(recordings: Path, tmp_path: Path) -> None:
    """The code pickles the pseudonym, and writes what the recording has."""
    database = tmp_path / "shop.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE customers (email)")
        connection.execute("CREATE TABLE cache (cache_key, value)")
        connection.execute("INSERT INTO customers VALUES (?)", (ADDRESS,))

    def view() -> str:
        with closing(sqlite3.connect(database)) as connection, connection:
            (email,) = connection.execute("SELECT email FROM customers").fetchone()
            kept = _written({"page": f"<li>{email}</li>"}, 5)
            connection.execute("INSERT INTO cache VALUES ('customers', ?)", (kept,))
        return "kept"

    app, _ = record_wsgi(recordings, view)
    database.unlink()
    value = _written({"page": f"<li>{ADDRESS}</li>"}, 5)
    assert value.rstrip("=").encode() not in raw(recordings)
    result = replay(only_recording(recordings), app)
    assert result.identical, result.summary()
