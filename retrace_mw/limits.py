"""Limits: what recording may cost, above all deciders."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.setting_rows.limit_settings import LIMIT_SETTINGS, LimitSettings
from retrace_core.setting_rows.setting import MIB

if TYPE_CHECKING:
    from retrace_core.settings import Settings

__all__ = ["Limits", "limits_of"]

_PREFIX = "limits_"
_ROWS = {setting.name.removeprefix(_PREFIX): setting for setting in LIMIT_SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What recording may cost in one process; each limit by itself, 0 for none.

    Raises:
        ConfigurationError: a limit is no number, or out of its range.
    """

    per_second: float = 100.0
    """Recordings kept per second; twice as many at once."""
    at_once: int = 500
    """Requests recorded at the same time, provisionally or not."""
    share: float = 0.3
    """Ceiling of the share of requests that are kept, from 0.0 to 1.0, over the last minute.
    A minute of fewer than 500 requests is never too full of recordings."""
    bytes_per_hour: int = 1024 * MIB
    """Bytes written in an hour."""
    disk_bytes: int = 0
    """Bytes in the folder of the recordings, of all services and processes."""
    free_bytes: int = 256 * MIB
    """Bytes that stay free on the disk of the recordings."""
    overhead: float = 0.05
    """Part of the process's CPU time that recording may take, from 0.0 to 1.0."""
    per_route_per_minute: int = 1200
    """Recordings kept of one route in a minute."""
    per_failure_per_hour: int = 60
    """Recordings kept of one exception, by type and place, in an hour; the first always."""

    def __post_init__(self) -> None:
        for name, row in _ROWS.items():
            value = getattr(self, name)
            allowed_kind = int if row.kind is int else int | float
            low, high = row.low or 0, row.high or 0
            if isinstance(value, bool) or not isinstance(value, allowed_kind):
                raise ConfigurationError(f"Limits.{name}", value, _allowed(name), "argument")
            if not low <= value <= high:
                raise ConfigurationError(f"Limits.{name}", value, _allowed(name), "argument")


def _allowed(name: str) -> str:
    row = _ROWS[name]
    kind = "whole number" if row.kind is int else "number"
    return f"a {kind} from {row.low or 0:g} to {row.high or 0:g}, 0 for no limit"


def limits_of(settings: Settings) -> Limits:
    """Return the limits that environment and file ask for."""
    return Limits(
        **{
            field.name.removeprefix(_PREFIX): getattr(settings, field.name)
            for field in fields(LimitSettings)
        }
    )
