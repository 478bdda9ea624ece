"""The settings of the limits; `retrace_mw.Limits` has them under the same names in code.

In the file they stand in a table of their own, `[retrace.limits]`, without the prefix.
"""

from __future__ import annotations

from dataclasses import dataclass

from retrace_core.setting_rows.setting import MIB, Setting

__all__ = ["LIMIT_SETTINGS", "LimitSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What recording may cost, each process by itself; 0 for no limit."""

    limits_per_second: float = 100.0
    limits_at_once: int = 500
    limits_share: float = 0.3
    limits_bytes_per_hour: int = 1024 * MIB
    limits_disk_bytes: int = 0
    limits_free_bytes: int = 256 * MIB
    limits_overhead: float = 0.05
    limits_per_route_per_minute: int = 1200
    limits_per_failure_per_hour: int = 60


LIMIT_SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="limits_per_second",
        variable="RETRACE_LIMITS_PER_SECOND",
        kind=float,
        default=100.0,
        unit="recordings per second",
        low=0.0,
        high=1e6,
        doc="How many recordings are kept per second; twice as many at once. 0 for no limit.",
    ),
    Setting(
        name="limits_at_once",
        variable="RETRACE_LIMITS_AT_ONCE",
        kind=int,
        default=500,
        unit="requests",
        low=0,
        high=1_000_000,
        doc="How many requests are recorded at the same time. 0 for no limit.",
    ),
    Setting(
        name="limits_share",
        variable="RETRACE_LIMITS_SHARE",
        kind=float,
        default=0.3,
        low=0.0,
        high=1.0,
        doc="Ceiling of the share of requests that are kept, over the last minute; it"
        " counts from 500 requests a minute on. 0 for no limit.",
    ),
    Setting(
        name="limits_bytes_per_hour",
        variable="RETRACE_LIMITS_BYTES_PER_HOUR",
        kind=int,
        default=1024 * MIB,
        unit="bytes",
        low=0,
        high=1 << 50,
        doc="How much is written in an hour. 0 for no limit.",
    ),
    Setting(
        name="limits_disk_bytes",
        variable="RETRACE_LIMITS_DISK_BYTES",
        kind=int,
        default=0,
        unit="bytes",
        low=0,
        high=1 << 60,
        doc="How much the folder of the recordings may hold; its size is found out by"
        " walking it. 0 for no limit.",
    ),
    Setting(
        name="limits_free_bytes",
        variable="RETRACE_LIMITS_FREE_BYTES",
        kind=int,
        default=256 * MIB,
        unit="bytes",
        low=0,
        high=1 << 60,
        doc="How much stays free on the disk of the recordings. 0 for no limit.",
    ),
    Setting(
        name="limits_overhead",
        variable="RETRACE_LIMITS_OVERHEAD",
        kind=float,
        default=0.05,
        low=0.0,
        high=1.0,
        doc="Part of the process's CPU time that recording may take; beyond it new"
        " recordings pause. 0 for no limit.",
    ),
    Setting(
        name="limits_per_route_per_minute",
        variable="RETRACE_LIMITS_PER_ROUTE_PER_MINUTE",
        kind=int,
        default=1200,
        unit="recordings",
        low=0,
        high=1_000_000,
        doc="How many recordings of one route are kept in a minute. 0 for no limit.",
    ),
    Setting(
        name="limits_per_failure_per_hour",
        variable="RETRACE_LIMITS_PER_FAILURE_PER_HOUR",
        kind=int,
        default=60,
        unit="recordings",
        low=0,
        high=1_000_000,
        doc="How many recordings of one exception, by type and place, are kept in an hour;"
        " the first is kept always. 0 for no limit.",
    ),
)
