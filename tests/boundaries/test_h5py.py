"""h5py: files that HDF5 opens by their name replay without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import pytest

from tests.recorded import replays_without

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mode", ["r", "r+", "a"])
def test_a_file_is_read_and_added_to_again(data: Path, recordings: Path, mode: str) -> None:
    """As it was when the request opened it."""
    with h5py.File(data / "fruit.h5", "w") as file:
        file["quince"] = [1, 2]

    def view() -> str:
        with h5py.File("data/fruit.h5", mode) as file:
            if mode != "r":
                file["medlar"] = [3]
            return f"{file.filename} {[(name, file[name][:].tolist()) for name in file]}"

    replays_without(data, recordings, view)


@pytest.mark.parametrize("mode", ["w", "a", "x"])
def test_what_is_written_is_read_again(data: Path, recordings: Path, mode: str) -> None:
    """Whether the file was there matters to some modes."""

    def view() -> str:
        with h5py.File("data/fruit.h5", mode) as file:
            file["quince"] = [1, 2]
        with h5py.File(data / "fruit.h5") as again:
            found = again["quince"][:].tolist()
        try:
            h5py.File("data/fruit.h5", "x")
        except FileExistsError:
            return f"{found} there"
        return "not there"

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"[1, 2] there"]
