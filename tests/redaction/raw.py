"""Raw: all that can be read of the files of recordings, decompressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.trace_file.frames import read_frames

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["files", "raw"]


def files(folder: Path) -> list[Path]:
    """Return the recordings in a folder, oldest first, without boot tapes."""
    found = [path for path in folder.glob("*/*/*.bin") if not path.name.startswith("boot")]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def raw(folder: Path) -> bytes:
    """Return the decompressed content of all files, boot tapes among them."""
    return b"".join(
        payload
        for path in folder.glob("*/*/*.bin")
        for _, payload in read_frames(path.read_bytes(), path.name)
    )
