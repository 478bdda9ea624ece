"""Astray: which of the earlier requests that are run first diverged.

The first of them may have led all others: what it should have left in memory is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.recording import Recording
    from retrace_core.replay.player import Player

__all__ = ["ASTRAY", "astray"]

ASTRAY = " earlier requests run first, "
"""What such a note has in it."""


def astray(earlier: Sequence[tuple[Recording, Player]]) -> list[str]:
    """Return in a note how many diverged, and where the first did; none where none has.

    Args:
        earlier: the requests that were run first, and who answered them.
    """
    found = [(recording.header, one.divergence) for recording, one in earlier if one.divergence]
    if not found:
        return []
    header, divergence = found[0]
    return [
        f"of {len(earlier)}{ASTRAY}{len(found)} diverged; the first was {header.trace_id}"
        f" ({header.method} {header.path}): {divergence.summary()}"
    ]
