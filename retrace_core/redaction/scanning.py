"""Scanning: which secrets are in a recording that is there, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from retrace_core.codec import decode
from retrace_core.errors import TornRecording
from retrace_core.redaction.concealing import lane_bounds, regions_of, tag_of
from retrace_core.trace_file.frames import BODY, HEADER
from retrace_core.trace_file.unsealing import redaction_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.redaction.redactor import Redactor

__all__ = ["Found", "scan"]

_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])
_REDACTION = "redaction"
_PADDING = b"="
"""Of base64: a mask that has it (the hash of a password) is found without it as well."""


@dataclass(frozen=True, slots=True)
class Found:
    """One kind of secret at one place; never its value."""

    where: str
    rule: str
    times: int


def scan(frames: Sequence[tuple[int, bytes]], redactor: Redactor, name: str) -> list[Found]:
    """Return the secrets that are in clear text in a recording.

    Args:
        frames: (type, payload) of each, as they are in the file.
        redactor: knows what a secret is.
        name: what to call the recording in messages.

    Raises:
        TornRecording: it is damaged.
    """
    try:
        redaction = redaction_of(frames)
        header = b"".join(raw for kind, raw in frames if kind == HEADER)
        parts = [
            bytes(part)
            for kind, raw in frames
            if kind == BODY
            for part in _raws.decode(raw)
            if tag_of(bytes(part)) != _REDACTION
        ]
        masks = frozenset(redaction.masks if redaction is not None else ())
        known = frozenset(mask.rstrip(_PADDING) for mask in masks)
        data = b"".join((header, *parts))
        patches = redactor.redact(data, list(regions_of(header, parts)), (), masks).patches
        counted = Counter(
            (where, patch.rule)
            for where, patch in zip(
                _places([patch.place for patch in patches], header, parts), patches, strict=True
            )
            if patch.secret.rstrip(_PADDING) not in known
        )
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise TornRecording(f"{name} is damaged inside ({error}); fetch it again") from None
    return [Found(where, rule, times) for (where, rule), times in counted.items()]


def _places(places: list[int], header: bytes, parts: list[bytes]) -> Iterator[str]:
    """Yield in words where each place is."""
    bounds = [(0, len(header), "header", b"")]
    for part in parts:
        begin = bounds[-1][1]
        bounds.append((begin, begin + len(part), tag_of(part), part))
    for place in places:
        begin, tag, part = next((b, t, p) for b, e, t, p in bounds if b <= place < e)
        yield _event(place - begin, part) if tag == "lane" else tag


def _event(place: int, part: bytes) -> str:
    """Return in words which event of a lane is at a place."""
    begin, end = lane_bounds(part)
    _, (lane, _, count, _) = msgspec.msgpack.decode(part)
    events = _raws.decode(b"\xdd" + count.to_bytes(4, "big") + part[begin:end])
    for number, event in enumerate(events):
        begin += len(bytes(event))
        if place < begin:
            fields = decode(bytes(event))
            kind = fields[1] if len(fields) > 3 else "a read of entropy or a clock"
            return f"lane {lane}, event {number}, {kind}"
    return f"lane {lane}"
