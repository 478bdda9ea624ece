"""The settings of stores: the spool in which recordings wait, and how they are shipped."""

from __future__ import annotations

from dataclasses import dataclass

from retrace_core.setting_rows.decision_settings import DecisionSettings
from retrace_core.setting_rows.setting import MIB, Setting

__all__ = ["STORE_SETTINGS", "StoreSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings(DecisionSettings):
    """How recordings get to a store that is not this machine's own folder."""

    spool: str = ""
    spool_bytes: int = 1024 * MIB
    ship: bool = True
    ship_exit_s: float = 5.0
    pack_from: int = 8


STORE_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="spool",
        variable="RETRACE_SPOOL",
        kind=str,
        default="",
        doc="The folder in which recordings wait to be shipped. By default one below /var/tmp for"
        " a cloud's store, and none for a folder; set it where that folder is on a slow network.",
    ),
    Setting(
        name="spool_bytes",
        variable="RETRACE_SPOOL_BYTES",
        kind=int,
        default=1024 * MIB,
        unit="bytes",
        low=MIB,
        high=1024 * 1024 * MIB,
        doc="What may wait there; beyond it the oldest successes are dropped, failures last.",
    ),
    Setting(
        name="ship",
        variable="RETRACE_SHIP",
        kind=bool,
        default=True,
        doc="Ship from the spool by a thread of this process; off where `retrace ship` does it.",
    ),
    Setting(
        name="ship_exit_s",
        variable="RETRACE_SHIP_EXIT_S",
        kind=float,
        default=5.0,
        unit="seconds",
        low=0.0,
        high=3600.0,
        doc="How long a process that ends goes on shipping; the rest is left to the next.",
    ),
    Setting(
        name="pack_from",
        variable="RETRACE_PACK_FROM",
        kind=int,
        default=8,
        unit="recordings",
        low=0,
        high=1e6,
        doc="From how many recordings in one step (a tenth of a second) on they are one object of"
        " a cloud's store, a pack; 0 for never.",
    ),
)
