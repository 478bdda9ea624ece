"""Unpacking: the compressed bodies of one region, found by the marks that they begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.redaction import gzip_streams
from retrace_core.redaction.compressed import (
    Compressed,
    inflate,
    is_stream,
    packed_bodies,
    packed_body,
)
from retrace_core.redaction.replacing import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retrace_core.redaction.replacing import Region
    from retrace_core.redaction.secret_set import SecretSet

__all__ = ["open_begun", "open_bodies"]


def open_begun(
    data: bytes,
    streams: Iterable[Sequence[tuple[int, int]]],
    joined: Iterable[bytes],
    found: SecretSet,
) -> list[bytes]:
    """Add bodies whose first chunk is less than what tells that they are packed.

    As `gzip.GzipFile` writes them, and so what packs archives by it: byte by byte at first.

    Args:
        data: a recording.
        streams: where the chunks of each body stand.
        joined: each body.
        found: gets them.

    Returns:
        What is in them.
    """
    begun = len(found.compressed)
    for spans, whole in zip(streams, joined, strict=True):
        if spans[0][1] - spans[0][0] < len(gzip_streams.MARK) and is_stream(whole):
            body = packed_body(data, spans)
            if body is not None:
                found.open(body)
    return [one.plain for one in found.compressed[begun:]]


def open_bodies(
    data: bytes,
    region: Region,
    marked: Iterable[tuple[int, int, int, bool]],
    found: SecretSet,
) -> None:
    """Add those that stand there, in one piece or in several.

    Args:
        data: a recording.
        region: which.
        marked: (place of a mark, begin and end of its text, whether that is a name) in order.
        found: gets them.
    """
    unopened = False
    for place, begin, end, is_name in marked:
        if within(place, found.opaque):
            continue  # it looks like a mark by chance
        body = None if is_name else inflate(data, begin, place, end)
        if body is None:
            unopened = True
        else:
            found.open(body)
    for spread in packed_bodies(data, region, found.compressed) if unopened else ():
        if isinstance(spread, Compressed):
            found.open(spread)
        else:
            found.blank(data, spread)
