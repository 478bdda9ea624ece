"""Earlier: the recordings that the same process made before a given one.

What a process keeps in memory (a cache filled by hand, a session, a counter) came from its
earlier requests. Where they were recorded too, running them first brings it back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core.boot_recording import METHOD
from retrace_core.errors import RecordingError
from retrace_core.store import DirectoryStore
from retrace_core.trace_file import load, load_header

if TYPE_CHECKING:
    from retrace_core.recording import Header, Recording

__all__ = ["count_earlier", "earlier"]


def earlier(path: Path, recording: Recording, *, most: int = 1000) -> list[Recording]:
    """Return what the process of a recording recorded before it, oldest first.

    Args:
        path: of the recording's trace file, in the folder of its trace in the store.
        recording: what is in it.
        most: how many to return at most, the latest.
    """
    found: list[Recording] = []
    for _, place in _places(path, recording.header)[-most:]:
        try:
            found.append(load(place))
        except RecordingError:
            continue
    return found


def count_earlier(path: Path, recording: Recording) -> int:
    """Return how many recordings `earlier` has."""
    return len(_places(path, recording.header))


def _places(path: Path, header: Header) -> list[tuple[int, Path]]:
    parents = path.absolute().parents
    if not header.boot or len(parents) < 3:
        return []
    store = DirectoryStore(parents[2])
    found: list[tuple[int, Path]] = []
    for stored in store.list(service=header.service):
        place = Path(store.root, stored.path)
        try:
            other = load_header(place)
        except RecordingError:
            continue
        same = other.boot == header.boot and other.method != METHOD
        if same and other.started_ns < header.started_ns:
            found.append((other.started_ns, place))
    return sorted(found)
