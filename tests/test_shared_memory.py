"""What `multiprocessing` shares with its children is memory, and no file of the world."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

_MORE_THAN_IS_FREE = 8_000_000
"""Bytes that no piece of memory shared before has left, so that new memory is asked for."""


def test_shared_memory_may_be_had_on_replay(recordings: Path) -> None:
    """A `Value` or `Array`, which is a file in /dev/shm for a moment, is made on replay too."""

    def view() -> dict[str, Any]:
        numbers = multiprocessing.Array("c", _MORE_THAN_IS_FREE, lock=False)
        numbers[0] = b"x"
        return {"first": numbers[0].decode(), "length": len(numbers)}

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
