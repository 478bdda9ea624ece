"""OpenCV: pictures and videos that it opens by their name replay without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tests.recorded import replays_without

if TYPE_CHECKING:
    from pathlib import Path

_CODEC = cv2.VideoWriter.fourcc(*"MJPG")


def _write_video(path: str) -> None:
    writer = cv2.VideoWriter(path, _CODEC, 5, (16, 16))
    for shade in (0, 100, 200):
        writer.write(np.full((16, 16, 3), shade, np.uint8))
    writer.release()


def test_pictures_and_videos_are_read_again(data: Path, recordings: Path) -> None:
    """One that is not there is None again."""
    cv2.imwrite("data/red.png", np.full((2, 2, 3), (0, 0, 255), np.uint8))
    _write_video("data/film.avi")

    def view() -> str:
        film = cv2.VideoCapture("data/film.avi")
        frames = [film.read()[1].mean().round() for _ in range(3)]
        picture = cv2.imread("data/red.png")
        return f"{picture.tolist()} {cv2.imread('data/absent.png')} {frames} {film.isOpened()}"

    replays_without(data, recordings, view)


def test_what_is_written_is_read_again(data: Path, recordings: Path) -> None:
    """And what could not be written, since there is no such folder, can not be again."""

    def view() -> str:
        white = np.full((2, 2, 3), 255, np.uint8)
        done = [cv2.imwrite(f"data/{name}", white) for name in ("a.png", "no/such/folder.png")]
        _write_video("data/film.avi")
        written = (data / "a.png").read_bytes(), (data / "film.avi").stat().st_size
        return f"{done} {written}"

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert recording.response.body[0].startswith(b"[True, False]")
