"""Earlier: the recordings that the same process made before a given one.

What a process keeps in memory (a cache filled by hand, a session, a counter) came from its
earlier requests. Where they were recorded too, running them first brings it back. Of a service that
is sampled the first request of each kind was, its warm-ups (`retrace_core.boot.warm_ups`).

Of requests that were under way at the same time nobody can say what each had seen of the other:
that is tried, and only the same outcome tells that it was so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from retrace_core.boot.recording import METHOD
from retrace_core.errors import RecordingError
from retrace_core.ids import names_boot_tape
from retrace_core.store import DirectoryStore
from retrace_core.trace_file import load, load_header

if TYPE_CHECKING:
    from retrace_core.recording import Header, Recording

__all__ = ["SAID", "WHICH", "Which", "count_earlier", "earlier", "ways_to_warm"]

Which = Literal["warm-ups", "begun", "overlapping", "ended"]
"""Its warm-ups alone; all that had begun before it, or that began before it ended, or that had
ended before it began."""
WHICH: Final[tuple[Which, ...]] = ("warm-ups", "begun", "overlapping", "ended")
"""In the order in which they are worth a try."""
SAID: Final[dict[Which, str]] = {
    "warm-ups": "requests of its process, the first of their kind,",
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
        most: how many to return at most besides the warm-ups, the latest.
    """
    others = _others(path, recording.header, which)
    warm = [one for one in others if one.warms]
    rest = sorted((one for one in others if not one.warms), key=_began)[-most:]
    found: list[Recording] = []
    for place in [one.place for one in sorted(warm + rest, key=_began)]:
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
    others = _others(path, header, "overlapping")
    found: dict[Which, int] = {}
    for which in WHICH:
        count = sum(_is_one(one, header, which) for one in others)
        if count and count not in found.values():
            found[which] = count
    return found


@dataclass(frozen=True, slots=True)
class _Other:
    """What its process recorded besides."""

    header: Header
    place: Path
    warms: bool
    """True for a warm-up, which lies beside the boot tape."""


def _began(one: _Other) -> int:
    return one.header.started_ns


def _others(path: Path, header: Header, which: Which) -> list[_Other]:
    """Return what its process recorded besides, each request once."""
    parents = path.absolute().parents
    if not header.boot or len(parents) < 3:
        return []
    store = DirectoryStore(parents[2])
    of_process = header.boot.partition("/")[0]
    found: dict[str, _Other] = {}
    for stored in store.list(service=header.service, boot_tapes=True):
        warms = names_boot_tape(stored.folder)
        if warms and stored.folder != of_process:
            continue
        place = Path(store.root, stored.path)
        try:
            other = load_header(place)
        except RecordingError:
            continue
        one = _Other(other, place, warms)
        same = other.boot == header.boot and other.method != METHOD
        # A warm-up that was kept as a recording too is in the store twice.
        if same and _is_one(one, header, which) and (one.warms or other.span_id not in found):
            found[other.span_id] = one
    return list(found.values())


def _is_one(one: _Other, header: Header, which: Which) -> bool:
    other = one.header
    if other.span_id == header.span_id:
        return False
    if which == "ended":
        return other.started_ns + other.duration_ns <= header.started_ns
    if which == "overlapping":
        return other.started_ns < header.started_ns + header.duration_ns
    return other.started_ns < header.started_ns and (one.warms or which == "begun")
