"""Memory databases of sqlite3: a cold replay makes anew what was there when the request came."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core import installer, replay
from retrace_core.databases.sqlite.memory import private_name
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def made(name: str) -> sqlite3.Connection:
    """Return a connection to a memory database with one row."""
    connection = sqlite3.connect(name, uri=True)
    connection.executescript("CREATE TABLE IF NOT EXISTS kept (a); DELETE FROM kept")
    with connection:
        connection.execute("INSERT INTO kept VALUES (7)")
    return connection


@pytest.mark.parametrize("name", [":memory:", "file:kept?mode=memory&cache=shared"])
def test_a_memory_database_is_made_anew(recordings: Path, name: str) -> None:
    """It was filled before the request; the replay fills its own, and reads what was recorded."""
    installer.install()
    kept = [made(name)]

    def view() -> str:
        if not kept:
            kept.append(made(name))
        row = kept[0].execute("SELECT a, random() FROM kept").fetchone()
        return str(row)

    app, recording = record_wsgi(recordings, view)
    for _ in range(2):
        kept.pop().close()
        assert_identical(recording, app, times=1)
    kept.pop().close()


def test_what_was_not_recorded_is_computed(recordings: Path) -> None:
    """A version that an earlier request had looked up is looked up."""
    known: list[Any] = ["3.x"]

    def view() -> str:
        if not known:
            with sqlite3.connect(":memory:") as connection:
                known.extend(connection.execute("SELECT 'computed' UNION SELECT 'too'"))
                assert connection.execute("SELECT 1").fetchall() == [(1,)]
            connection.close()
        return f"there are some: {bool(known)}"

    app, recording = record_wsgi(recordings, view)
    known.clear()
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert known == [("computed",), ("too",)]
    assert any("own database in memory answered" in note for note in result.notes)


@pytest.mark.parametrize("handler", ["no handler", "handler after", "handler before"])
@pytest.mark.parametrize("recorded_cold", [True, False])
def test_a_connection_is_set_up_once_more_or_once_less(
    recordings: Path, tmp_path: Path, recorded_cold: bool, handler: str
) -> None:
    """Which thread of a pool has a connection already is another time after time."""
    file = tmp_path / "here.db"
    kept: list[sqlite3.Connection] = []

    def connected() -> sqlite3.Connection:
        if not kept:
            kept.append(sqlite3.connect(file))
            if handler == "handler before":
                kept[0].set_progress_handler(lambda: 0, 1000)
            kept[0].execute("PRAGMA cache_size = 4000")
        return kept[0]

    def view() -> str:
        connection = connected()
        if handler == "handler after":
            connection.set_progress_handler(lambda: 0, 1000)
        found = [connection.execute("SELECT random()").fetchone() for _ in range(2)]
        if handler != "handler before":
            connection.set_progress_handler(None, 1000)
        return str(found)

    def forget() -> None:
        while kept:
            kept.pop().close()

    installer.install()
    if not recorded_cold:
        connected()
    app, recording = record_wsgi(recordings, view)
    forget()
    file.unlink()
    assert_identical(recording, app, times=3)
    forget()
    assert_identical(recording, app, times=1)
    forget()


def test_what_is_asked_of_a_file_is_no_setting(recordings: Path, tmp_path: Path) -> None:
    """A statement that was not recorded is a divergence, there."""
    file = tmp_path / "here.db"
    asked = iter(["SELECT 1", "SELECT 2"])

    def view() -> str:
        connection = sqlite3.connect(file)
        row = connection.execute(next(asked)).fetchone()
        connection.close()
        return str(row)

    app, recording = record_wsgi(recordings, view)
    assert replay(recording, app).divergence is not None


@pytest.mark.parametrize(
    ("database", "uri", "name"),
    [
        (":memory:", False, ":memory:"),
        ("", False, ":memory:"),
        ("file::memory:?cache=shared", True, "file::memory:?cache=shared"),
        ("file:a?mode=memory", True, "file:retrace-replay-a?mode=memory"),
        ("file:a?mode=memory", False, ""),
        ("file:a?mode=ro", True, ""),
        ("a.db", False, ""),
    ],
)
def test_names_of_memory_databases(database: str, uri: bool, name: str) -> None:
    """Only by a URI can one be named, and a replay's is not the application's own."""
    assert private_name(database, uri=uri) == name
