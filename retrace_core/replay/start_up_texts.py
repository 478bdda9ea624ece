"""Start-up texts: which pseudonyms the start-up was told, in a file of settings or a variable.

The code has the pseudonym then, and compares with that, though the true text happens to stand in a
module as well, as a common word does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.codec import encode
from retrace_core.recording import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from retrace_core.recording import Recording

__all__ = ["told_at_start"]

_LEAST = 5
"""A shorter one stands somewhere by chance."""
_SURROUNDINGS = "surroundings"


def told_at_start(masks: Iterable[bytes], boot: Sequence[Recording]) -> frozenset[bytes]:
    """Return those that the start-up was told, and has not said itself.

    What it said (a user whom it writes into a database), its code has.

    Args:
        masks: as they are written.
        boot: the files of the boot tape.
    """
    wanted = {mask for mask in masks if len(mask) >= _LEAST}
    told, said = set[bytes](), set[bytes]()
    for file in boot if wanted else ():
        given = encode(file.request.extra.get(_SURROUNDINGS))
        told.update(mask for mask in wanted if mask in given)
        for lane in file.lanes:
            some = [mask for mask in wanted if mask in lane.data]
            for event in lane.events if some else ():
                if isinstance(event, Event):
                    key, value = encode(event.key), encode(event.value)
                    told.update(mask for mask in some if mask in value)
                    said.update(mask for mask in some if mask in key)
    return frozenset(told - said)
