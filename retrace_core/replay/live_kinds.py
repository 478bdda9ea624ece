"""Live kinds: which boundaries can ask the real world in the midst of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.declared.switch import declared_kinds
from retrace_core.errors import ReplayError
from retrace_core.installer import in_place

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_live", "is_among"]


def check_live(kinds: Iterable[str]) -> None:
    """Make sure that calls of these kinds can be made live.

    Raises:
        ReplayError: no boundary in use has such a kind, or what it needs is stubbed.
    """
    able = {one.kind: one.live_on_miss for one in in_place()} | dict.fromkeys(
        declared_kinds(), True
    )
    for kind in kinds:
        home = next((one for one in able if is_among((one,), kind)), None)
        if home is not None and able[home]:
            continue
        why = (
            f"no boundary of the application has the kind {kind!r}"
            if home is None
            else f"{home} keeps a connection, which is a stub during replay"
        )
        can = ", ".join(sorted(one for one, live in able.items() if live)) or "none"
        raise ReplayError(f"live on miss is not possible for {kind!r}: {why}; possible is: {can}")


def is_among(kinds: Iterable[str], kind: str) -> bool:
    """Return True for a kind that is named, whole or by its boundary."""
    return any(kind == one or kind.startswith(f"{one}.") for one in kinds)
