"""sqlite3 beyond statements: what SQLite calls back, own types, blobs, copies of a database."""

from __future__ import annotations

import random
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import aiosqlite
import pytest

from retrace_core import installer
from tests.recorded import assert_identical, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPENED: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    """Close what the views have opened, recorded and replayed."""
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a database with five numbers, made before anything is recorded."""
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, p point)")
    connection.executemany("INSERT INTO t (a, p) VALUES (?, '1;2')", [(n,) for n in range(5)])
    connection.commit()
    connection.close()
    return path


def opened(file: Path, **options: Any) -> sqlite3.Connection:
    """Return a connection that the test closes."""
    connection = sqlite3.connect(file, **options)
    OPENED.append(connection)
    return connection


def answered_again(recordings: Path, file: Path, view: Callable[[], Any]) -> bytes:
    """Record a view, delete its database, replay it; return what it answered, as JSON."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    file.unlink()
    assert_identical(recording, app)
    return b"".join(recording.response.body)


def test_sql_functions_leave_behind_what_they_left(recordings: Path, file: Path) -> None:
    """An SQL function runs on replay as it ran, and sees the same clock and entropy."""

    def view() -> Any:
        seen: list[Any] = []

        def stamped(value: Any) -> float:
            seen.append([value, time.time(), random.random()])
            return time.perf_counter()

        connection = opened(file)
        connection.create_function("stamped", 1, stamped)
        rows = connection.execute("SELECT id, stamped(a) FROM t").fetchall()
        connection.create_function("stamped", 1, None)
        return [rows, seen, connection.execute("SELECT 1").fetchone()]

    assert answered_again(recordings, file, view).count(b".") > 10


def test_an_sql_function_may_ask_the_database(recordings: Path, file: Path) -> None:
    """What a function asks of another connection is an event of the request."""

    def view() -> Any:
        inner, connection, seen = opened(file), opened(file), []

        def looked_up(value: int) -> Any:
            asked = inner.execute("SELECT random() + a FROM t WHERE a = ?", (value,))
            seen.append(asked.fetchone())
            if value == 3:
                raise ValueError(value)
            return value

        connection.create_function("looked_up", 1, looked_up)
        try:
            connection.execute("SELECT looked_up(a) FROM t").fetchall()
        except sqlite3.OperationalError as error:
            return [str(error), seen]
        return []

    assert b"user-defined function raised exception" in answered_again(recordings, file, view)


def test_aggregates_windows_and_collations(recordings: Path, file: Path) -> None:
    """Instances of an aggregate are made, stepped and finished again, each on its own."""

    def view() -> Any:
        seen: list[Any] = []

        class Summed:
            def __init__(self) -> None:
                self.sum = 0
                seen.append("made")

            def step(self, value: int) -> None:
                self.sum += value

            def inverse(self, value: int) -> None:
                self.sum -= value

            def value(self) -> int:
                return self.sum

            def finalize(self) -> int:
                seen.append(self.sum)
                return self.sum

        def backwards(left: str, right: str) -> int:
            seen.append([left, right])
            return (left < right) - (left > right)

        connection = opened(file)
        connection.create_aggregate("summed", 1, Summed)
        connection.create_collation("backwards", backwards)
        found = [connection.execute("SELECT summed(a), a % 2 FROM t GROUP BY a % 2").fetchall()]
        if hasattr(connection, "create_window_function"):
            connection.create_window_function("moving", 1, Summed)
            window = "ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING"
            sql = f"SELECT moving(a) OVER ({window}) FROM t"
            found.append(connection.execute(sql).fetchall())
        sql = "SELECT a FROM t ORDER BY CAST(a AS TEXT) COLLATE backwards"
        return [*found, connection.execute(sql).fetchall(), seen]

    assert b'"made"' in answered_again(recordings, file, view)


def test_trace_progress_and_authorizer(recordings: Path, file: Path) -> None:
    """Logs of statements that the application keeps by callbacks are the same again."""

    def view() -> Any:
        log: list[Any] = []
        connection = opened(file)
        connection.set_trace_callback(log.append)

        def allowed(*args: Any) -> int:
            log.append(args)
            return sqlite3.SQLITE_DENY if args[1] == "sqlite_master" else sqlite3.SQLITE_OK

        connection.set_authorizer(allowed)
        connection.execute("INSERT INTO t (a) VALUES (?)", (random.random(),))
        connection.commit()
        try:
            connection.execute("SELECT * FROM sqlite_master")
        except sqlite3.DatabaseError as error:
            log.append(str(error))
        connection.set_authorizer(None)
        connection.set_progress_handler(lambda: log.append("goes on"), 100)
        counting = "SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50"
        sql = f"WITH RECURSIVE n(i) AS ({counting}) SELECT max(i) FROM n"
        return [connection.execute(sql).fetchall(), log]

    answer = answered_again(recordings, file, view)
    assert all(word in answer for word in (b"COMMIT", b"goes on", b"prohibited", b"INSERT"))


class Point:
    """A type of the application's own."""

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y

    def __conform__(self, protocol: Any) -> str | None:
        return f"{self.x};{self.y}" if protocol is sqlite3.PrepareProtocol else None


def test_types_of_the_applications_own(recordings: Path, file: Path) -> None:
    """Adapters, converters and text factories make the application's own objects, on replay too."""
    converted: list[float] = []

    def point(data: bytes) -> Point:
        converted.append(time.time())
        return Point(*map(float, data.split(b";")))

    sqlite3.register_converter("point", point)

    def view() -> Any:
        converted.clear()
        connection = opened(file, detect_types=sqlite3.PARSE_DECLTYPES)
        connection.row_factory = sqlite3.Row
        connection.execute("INSERT INTO t (p) VALUES (:p)", {"p": Point(3, random.random())})
        points = [row["p"] for row in connection.execute("SELECT p FROM t")]
        connection.text_factory = lambda data: [data.decode()]
        texts = connection.execute("SELECT 'ä', x'00', 1, typeof(p) FROM t").fetchone()
        found = connection.execute("SELECT count(*) FROM t WHERE p = ?", (Point(1, 2),)).fetchone()
        text = [part.hex() if isinstance(part, bytes) else part for part in texts]
        return [[[p.x, p.y] for p in points], text, list(found), converted]

    try:
        answer = answered_again(recordings, file, view)
    finally:
        del sqlite3.converters["POINT"]
    assert b"[1.0,2.0]" in answer.replace(b" ", b"")


def test_blobs_are_read_and_written_in_place(recordings: Path, file: Path) -> None:
    """Reads, writes, slices, places and errors of a blob come back."""

    def view() -> Any:
        connection = opened(file)
        connection.execute("INSERT INTO t VALUES (9, zeroblob(10), NULL)")
        with connection.blobopen("t", "a", 9) as blob:
            blob.write(str(random.random()).encode()[-4:])
            blob[8], blob[5:7] = 7, b"ab"
            blob.seek(0)
            seen = [blob.read(3).hex(), blob.tell(), len(blob), blob[8], blob[4:8].hex()]
            try:
                blob[20] = 1
            except IndexError as error:
                seen.append(str(error))
        try:
            connection.blobopen("t", "missing", 9)
        except sqlite3.OperationalError as error:
            seen.append(str(error))
        return seen

    assert b"no such column" in answered_again(recordings, file, view)


def test_copies_of_a_database(recordings: Path, file: Path) -> None:
    """Backups, with their progress, dumps, scripts and serialized databases come back."""

    def view() -> Any:
        seen: list[Any] = []
        connection, other = opened(file), opened(":memory:")
        connection.executescript("CREATE TABLE n (a); INSERT INTO n VALUES (random());")
        connection.backup(other, pages=1, progress=lambda *state: seen.append(state), sleep=0)
        seen += [list(connection.iterdump()), other.execute("SELECT * FROM n").fetchall()]
        if hasattr(connection, "serialize"):
            data = connection.serialize()
            other.deserialize(data)
            seen += [len(data), other.execute("SELECT * FROM n").fetchall()]
        return seen

    assert b"INSERT INTO" in answered_again(recordings, file, view)


def test_callbacks_through_aiosqlite(recordings: Path, file: Path) -> None:
    """Functions run on the connection's thread, in the lane of the task that waits for it."""
    installer.install()

    async def handler() -> Any:
        seen: list[Any] = []

        def stamped(value: Any) -> float:
            seen.append([value, time.time()])
            return random.random()

        async with aiosqlite.connect(file) as db:
            await db.create_function("stamped", 1, stamped)
            await db.set_trace_callback(seen.append)
            async with db.execute("SELECT stamped(a) FROM t") as cursor:
                rows = [tuple(row) async for row in cursor]
            dump = [line async for line in db.iterdump()]
            async with aiosqlite.connect(":memory:") as other:
                await db.backup(other, pages=1, progress=lambda *state: seen.append(state))
        return [rows, seen, dump]

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    file.unlink()
    assert_identical(recording, app)
