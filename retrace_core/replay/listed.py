"""Listed: masks that the code lists in order, which may be another than that of the true texts.

`sorted(addresses)` of pseudonyms is not in the order in which the true ones were stored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["in_recorded_order"]

_GAP = re.compile(rb"(?:<[^<>]{0,64}>|[^A-Za-z0-9<]){1,64}")
"""What stands between two of one list: marks, but no words, which would tell one from the other."""


def in_recorded_order(
    recorded: bytes, asked: bytes, masked: Iterable[tuple[int, bytes]]
) -> bytes | None:
    """Return what was asked with its lists as they are recorded, None where that changes nothing.

    A list counts whose masks are in order in what was asked, and are the recorded ones.

    Args:
        recorded, asked: texts of one length.
        masked: place and text of the masks in the recorded one, in order.
    """
    made = asked
    for begin, gap, texts in _lists(recorded, masked):
        was = gap.join(texts)
        end = begin + len(was)
        now = asked[begin:end]
        if now != was and now in (gap.join(sorted(texts)), gap.join(sorted(texts, reverse=True))):
            made = made[:begin] + was + made[end:]
    return None if made is asked else made


def _lists(
    recorded: bytes, masked: Iterable[tuple[int, bytes]]
) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """Yield where several masks stand with the same between each two, that, and the masks."""
    begin = end = last = 0
    gap, texts = b"", list[bytes]()
    for place, text in masked:
        between = recorded[end:place]
        if not texts or not _GAP.fullmatch(between):
            if len(texts) > 1:
                yield begin, gap, texts
            begin, texts = place, [text]
        elif len(texts) == 1 or between == gap:
            gap = between
            texts.append(text)
        else:
            yield begin, gap, texts
            begin, gap, texts = last, between, [texts[-1], text]
        last, end = place, place + len(text)
    if len(texts) > 1:
        yield begin, gap, texts
