"""Terms: under which a worker of `retrace verify` replays, and the verdict when it could not."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = ["Terms", "unusable"]

_UNUSABLE = 2


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker replays: the same for all recordings that it is given."""

    app: str
    app_dir: str
    program: bool = False
    """The recorded program is started, which `app` says in words."""
    mode: Literal["strict", "tolerant"] = "strict"
    timeout_s: float = 120.0
    ignore: list[str] = []
    isolate: str = "fork"
    warm: bool = True
    """The application may be imported once for all: no boot tape answers what it asks then."""
    earlier: Literal["auto", "never", "warm-ups", "begun", "overlapping", "ended"] = "auto"
    """Which other requests of its process run first; "auto": when it diverges alone, by turns."""


def unusable(path: str, why: str) -> dict[str, Any]:
    """Return the verdict on a recording that could not be replayed."""
    return {
        "file": path,
        "identical": False,
        "exact": False,
        "same_outcome": False,
        "exit_status": _UNUSABLE,
        "unusable": why,
        "ignore_met": [],
    }
