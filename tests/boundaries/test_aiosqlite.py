"""aiosqlite: what its thread read comes back to the task that waited for it."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import aiosqlite

from tests.recorded import assert_identical, record_asgi

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_and_errors_come_back_without_the_file(recordings: Path, tmp_path: Path) -> None:
    """Rows, row count, last id and an integrity error, with the database deleted."""
    file = tmp_path / "shop.db"

    async def handler() -> dict[str, Any]:
        async with aiosqlite.connect(file) as connection:
            await connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE)")
            cursor = await connection.execute("INSERT INTO t (a) VALUES (hex(randomblob(8)))")
            await connection.execute("INSERT INTO t (a) VALUES ('twice')")
            await connection.commit()
            try:
                await connection.execute("INSERT INTO t (a) VALUES ('twice')")
            except sqlite3.IntegrityError as error:
                failed = str(error)
            rows = [row async for row in await connection.execute("SELECT * FROM t ORDER BY id")]
        return {"id": cursor.lastrowid, "count": cursor.rowcount, "rows": rows, "error": failed}

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert b"UNIQUE constraint failed" in b"".join(recording.response.body)
    file.unlink()
    assert_identical(recording, app)
    assert not file.exists()


def test_two_connections_at_once_answer_in_recorded_order(recordings: Path, tmp_path: Path) -> None:
    """Tasks that query side by side are woken in the order in which they were."""
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as setup:
        setup.execute("CREATE TABLE t (a)")

    async def handler() -> list[Any]:
        order: list[Any] = []

        async def one(number: int) -> None:
            async with aiosqlite.connect(file) as connection:
                async with connection.execute("SELECT ?, hex(randomblob(4))", (number,)) as cursor:
                    order.append(await cursor.fetchone())

        await asyncio.gather(*(one(number) for number in range(5)))
        return order

    app, recording = record_asgi(recordings, handler)
    file.unlink()
    assert_identical(recording, app, times=5)
