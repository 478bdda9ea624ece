"""Files that aiofile has the kernel read and write come again with the files gone."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from retrace_core import installer
from tests.recorded import answer_of, assert_identical, record_asgi

pytest.importorskip("aiofile")

import aiofile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def hooks() -> None:
    """Have the hooks in place before any context is made."""
    installer.install()


def test_a_file_is_read_by_parts(recordings: Path, tmp_path: Path) -> None:
    """What is done at the same time comes in the recorded order."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "trees.txt").write_text("apple\npear\n" * 3000)

    async def handler() -> list[str]:
        seen: list[str] = []

        async def read(name: str) -> None:
            async with aiofile.async_open(state / "trees.txt", "rb") as file:
                async for part in file.iter_chunked(8192):
                    seen.append(f"{name} {len(part)}")

        await asyncio.gather(read("first"), read("second"))
        return seen

    app, recording = record_asgi(recordings, handler)
    assert len(answer_of(recording)) == 10
    shutil.rmtree(state)
    assert_identical(recording, app)


def test_what_is_written_is_read_again(recordings: Path, tmp_path: Path) -> None:
    """By the request itself, in the replay's own folder; nothing is written elsewhere."""
    state = tmp_path / "state"
    state.mkdir()

    async def handler() -> str:
        async with aiofile.async_open(state / "note.txt", "w+") as file:
            await file.write("plums")
            file.seek(0)
            return str(await file.read())

    app, recording = record_asgi(recordings, handler)
    assert answer_of(recording) == "plums"
    shutil.rmtree(state)
    assert_identical(recording, app)
    assert not state.exists()
