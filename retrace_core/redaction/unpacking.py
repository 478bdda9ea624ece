"""Unpacking: the compressed bodies of one region, found by the marks that they begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.redaction.compressed import Compressed, inflate, packed_bodies
from retrace_core.redaction.replacing import within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retrace_core.redaction.replacing import Region
    from retrace_core.redaction.secret_set import SecretSet

__all__ = ["open_bodies"]


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
        marked: (place of a mark, begin and end of its text, whether that is a name) in order; of
            the name "content-encoding" it is "br" after it.
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
