"""From boot: the true texts of pseudonyms, where they stand on the boot tape that is replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.boot.texts import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.recording import OfBoot, Recording

__all__ = ["boot_texts"]


def boot_texts(
    places: Sequence[OfBoot], files: Sequence[Recording]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (pseudonym, what it stands for) of those that are found.

    Args:
        places: where they are.
        files: of the boot tape.
    """
    for one in places:
        for file in files:
            lane = file.lane(one.lane) if file.header.span_id == one.file else None
            text = text_at(lane.data, one.place, one.size, one.form) if lane is not None else b""
            if text:
                yield one.mask, text
