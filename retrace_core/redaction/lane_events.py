"""Events of a lane as they stand in an encoded recording: kind, key and value of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from retrace_core.native import hard_events
from retrace_core.redaction.messagepack import token_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_core.redaction.replacing import Region

__all__ = ["LaneEvent", "lane_events", "own_numbers", "soft_values"]

_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])
_HARD = 0x97
"""An array of seven."""
_SOFT = 0x93
"""An array of three."""


class LaneEvent(NamedTuple):
    """One hard event, and where its parts stand."""

    kind: str
    key: int
    value: int
    end: int
    """Of the value."""


def lane_events(data: bytes, region: Region) -> Iterator[LaneEvent]:
    """Yield the hard events of a lane that returned, in order.

    Raises:
        ValueError: the region is no lane.
    """
    for event in hard_events(data, region.begin, region.end):
        yield LaneEvent(*event)


def own_numbers(data: bytes, region: Region) -> Iterator[tuple[int, int]]:
    """Yield where the numbers of the events themselves stand: their place, times, sites.

    Raises:
        ValueError: the region is no lane.
    """
    for place, event in _events(data, region):
        fields = _raws.decode(event)
        if event[0] == _HARD:
            yield place, place + 1 + _length(fields[:3])
            yield place + 1 + _length(fields[:5]), place + len(event)
        else:
            yield place, place + 1 + _length(fields[:2])


def soft_values(data: bytes, region: Region) -> Iterator[tuple[int, int, int]]:
    """Yield of each soft event the number of its kind, and where its value stands.

    Raises:
        ValueError: the region is no lane.
    """
    for place, event in _events(data, region):
        if event[0] == _SOFT:
            fields = _raws.decode(event)
            kind = msgspec.msgpack.decode(fields[0])
            yield kind, place + 1 + _length(fields[:2]), place + len(event)


def _events(data: bytes, region: Region) -> Iterator[tuple[int, memoryview]]:
    after = token_at(data, region.end)
    if after.kind != "int":
        raise ValueError(f"no number of events at byte {region.end}")
    single = after.end == after.begin + 1
    count = data[after.begin] if single else int.from_bytes(data[after.begin + 1 : after.end])
    framed = b"\xdd" + count.to_bytes(4, "big") + data[region.begin : region.end]
    place = region.begin
    for event in _raws.decode(framed):
        raw = memoryview(event)
        yield place, raw
        place += len(raw)


def _length(fields: list[msgspec.Raw]) -> int:
    return sum(len(memoryview(field)) for field in fields)
