"""Event loops of libraries, in threads of their own, work for the requests that hand them work."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from typing import TYPE_CHECKING

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def started() -> asyncio.AbstractEventLoop:
    """Return a loop that runs in a thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


LOOP = started()


def test_a_file_that_is_read_there(recordings: Path, tmp_path: Path) -> None:
    """As zarr and fsspec read: the file's content is in the request's recording."""
    file = tmp_path / "numbers.txt"
    file.write_text("1 2 3")

    async def read() -> str:
        file.parent.mkdir(exist_ok=True)
        return await asyncio.to_thread(file.read_text)

    def view() -> str:
        future = asyncio.run_coroutine_threadsafe(read(), LOOP)
        done, _ = concurrent.futures.wait([future])
        return done.pop().result()

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"1 2 3"], recording.failure
    file.unlink()
    assert_identical(recording, app)


def test_calls_at_once(recordings: Path, tmp_path: Path) -> None:
    """Several that are handed over, and wait for each other there, as fsspec's bulk reads do."""
    for name in "abc":
        (tmp_path / name).write_text(name * 3)

    async def read(name: str) -> str:
        found = await asyncio.to_thread((tmp_path / name).read_text)
        await asyncio.sleep(0.001)
        return found

    async def read_all() -> list[str]:
        return await asyncio.gather(*map(read, "abc"))

    def view() -> str:
        first = asyncio.run_coroutine_threadsafe(read_all(), LOOP)
        second = asyncio.run_coroutine_threadsafe(read("c"), LOOP)
        return repr([second.result(10), first.result(10), os.urandom(2)])

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    for name in "abc":
        (tmp_path / name).unlink()
    assert_identical(recording, app)
