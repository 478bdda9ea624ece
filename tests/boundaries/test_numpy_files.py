"""numpy: files that it opens replay without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.recorded import replays_without

if TYPE_CHECKING:
    from pathlib import Path


def test_arrays_are_read_again(data: Path, recordings: Path) -> None:
    """By Python's `open`, and by one that numpy held before it was hooked (`loadtxt`)."""
    fruit = np.arange(4.0)
    np.save(data / "fruit.npy", fruit)
    np.savetxt(data / "fruit.txt", fruit)
    np.savetxt(data / "fruit.txt.gz", fruit)
    fruit.tofile(data / "fruit.raw")

    def view() -> str:
        found = (
            np.load("data/fruit.npy"),
            np.load("data/fruit.npy", mmap_mode="r"),
            np.memmap("data/fruit.raw"),
            np.fromfile("data/fruit.raw"),
            np.loadtxt("data/fruit.txt"),
            np.genfromtxt("data/fruit.txt.gz"),
        )
        return str([one.tolist() for one in found])

    replays_without(data, recordings, view)
