"""Stores of content name folders by the beginnings of digests; masked digests, masked folders."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from retrace_core import replay
from tests.recorded import record_wsgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LETTERS = [f"From: ann{number}@example.com" for number in range(3)]
OTHER = "nothing of anybody"


def name_of(content: str) -> str:
    """Return the digest by which a store keeps something."""
    return hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()


def kept_letters(recordings: Path, store: Path, place_of: Callable[[str], str]) -> None:
    """Have letters kept in a store, and replay it; no digest of one is in the recording.

    Args:
        recordings: where it is recorded.
        store: an empty folder.
        place_of: gets a digest; makes the folders for it and returns the path of the file.
    """
    post = store / "post"
    post.write_text("\n".join([*LETTERS, OTHER]))

    def view() -> str:
        with open(post) as file:
            letters = file.read().splitlines()
        for letter in letters:
            with open(place_of(name_of(letter)), "w") as file:
                file.write(letter)
        return "kept"

    app, recording = record_wsgi(recordings, view)
    for letter in LETTERS:
        assert name_of(letter)[2:].encode() not in raw(recordings)
    result = replay(recording, app)
    assert result.identical, result.summary()


@pytest.mark.parametrize("cuts", [(2,), (2, 4)], ids=["as Git", "as caches"])
def test_a_folder_of_masked_content(
    recordings: Path, tmp_path_factory: pytest.TempPathFactory, cuts: tuple[int, ...]
) -> None:
    """It is made before what is put there, and named without the rest of the digest."""
    store = tmp_path_factory.mktemp("store", numbered=True)

    def place_of(name: str) -> str:
        folder, done = str(store), 0
        for cut in cuts:
            folder, done = os.path.join(folder, name[done:cut]), cut
            if not os.path.exists(folder):
                os.mkdir(folder)
        return os.path.join(folder, name[done:])

    kept_letters(recordings, store, place_of)
    assert f"{store}/{name_of(OTHER)[:2]}".encode() in raw(recordings)


def test_folders_by_ever_longer_beginnings(
    recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As Beaker keeps what has the digest 8b1a..., in 8/8b/8b1a..., of which each is made first."""
    store = tmp_path_factory.mktemp("store", numbered=True)

    def place_of(name: str) -> str:
        folder = os.path.join(store, name[:1], name[:2])
        if not os.access(folder, os.F_OK):
            os.makedirs(folder)
        return os.path.join(folder, f"{name}.cache")

    kept_letters(recordings, store, place_of)
    for letter in LETTERS:
        assert name_of(letter).encode() not in raw(recordings)
    clear = os.path.join(os.path.basename(store), name_of(OTHER)[:1], name_of(OTHER)[:2])
    assert clear.encode() in raw(recordings)
