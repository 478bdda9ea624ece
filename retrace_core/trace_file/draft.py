"""Draft: a sealed scope as it is handed to the writer, its events still encoded."""

from __future__ import annotations

import msgspec

from retrace_core.recording import Failure, Header, Hole, Request, Response

__all__ = ["Draft"]


class Draft(msgspec.Struct):
    """One recording, not yet bytes."""

    header: Header
    request: Request
    response: Response | None
    failure: Failure | None
    lanes: list[tuple[str, bytes, int, bool]]
    """(lane id, encoded events, number of events, whether the lane had ended)."""
    sites: dict[int, str]
    """Call sites of soft events, by number."""
    holes: list[Hole] = []
    """What reached the world past all boundaries."""
    steps: list[tuple[int, int, int]] = []
    """As in a recording."""
