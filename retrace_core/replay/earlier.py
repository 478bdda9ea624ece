"""Earlier: the recordings that the same process made before a given one.

What a process keeps in memory (a cache filled by hand, a session, a counter) came from its
earlier requests. Where they were recorded too, running them first brings it back.

Of requests that were under way at the same time nobody can say what each had seen of the other:
that is tried, and only the same outcome tells that it was so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from retrace_core.boot_recording import METHOD
from retrace_core.errors import RecordingError
from retrace_core.store import DirectoryStore
from retrace_core.trace_file import load, load_header

if TYPE_CHECKING:
    from retrace_core.recording import Header, Recording

__all__ = ["SAID", "WHICH", "Which", "count_earlier", "earlier", "ways_to_warm"]

Which = Literal["begun", "overlapping", "ended"]
"""Those that had begun before it, those that began before it ended, or those that had ended before
it began."""
WHICH: Final[tuple[Which, ...]] = ("begun", "overlapping", "ended")
"""In the order in which they are worth a try."""
SAID: Final[dict[Which, str]] = {
    "begun": "earlier requests of its process",
    "overlapping": "requests of its process that began earlier, or while it ran,",
    "ended": "requests of its process that were over when it began",
}
"""What they are, in words."""


def earlier(
    path: Path, recording: Recording, which: Which = "begun", *, most: int = 1000
) -> list[Recording]:
    """Return what the process of a recording recorded before it, oldest first.

    Args:
        path: of the recording's trace file, in the folder of its trace in the store.
        recording: what is in it.
        which: of those that ran before it, or at the same time.
        most: how many to return at most, the latest.
    """
    chosen = [(one.started_ns, place) for one, place in _others(path, recording.header, which)]
    found: list[Recording] = []
    for _, place in sorted(chosen)[-most:]:
        try:
            found.append(load(place))
        except RecordingError:
            continue
    return found


def count_earlier(path: Path, recording: Recording) -> int:
    """Return how many recordings `earlier` has."""
    return len(_others(path, recording.header, "begun"))


def ways_to_warm(path: Path, recording: Recording) -> dict[Which, int]:
    """Return what is worth a try where a recording diverges alone, and how many each has.

    They are in the order in which to try them; two have never the same requests.
    """
    header = recording.header
    others = [one for one, _ in _others(path, header, "overlapping")]
    found: dict[Which, int] = {}
    for which in WHICH:
        count = sum(_is_one(one, header, which) for one in others)
        if count and count not in found.values():
            found[which] = count
    return found


def _others(path: Path, header: Header, which: Which) -> list[tuple[Header, Path]]:
    """Return headers and files of what its process recorded besides."""
    parents = path.absolute().parents
    if not header.boot or len(parents) < 3:
        return []
    store = DirectoryStore(parents[2])
    found: list[tuple[Header, Path]] = []
    for stored in store.list(service=header.service):
        place = Path(store.root, stored.path)
        try:
            other = load_header(place)
        except RecordingError:
            continue
        same = other.boot == header.boot and other.method != METHOD
        if same and _is_one(other, header, which):
            found.append((other, place))
    return found


def _is_one(other: Header, header: Header, which: Which) -> bool:
    if other.span_id == header.span_id:
        return False
    if which == "ended":
        return other.started_ns + other.duration_ns <= header.started_ns
    if which == "overlapping":
        return other.started_ns < header.started_ns + header.duration_ns
    return other.started_ns < header.started_ns
