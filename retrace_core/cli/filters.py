"""Filters: which recordings a command is about, by time, trace, path and status."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

__all__ = [
    "Moment",
    "Status",
    "path_option",
    "since_option",
    "status_option",
    "trace_option",
    "until_option",
]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_STATUS = re.compile(r"[1-5]xx|[1-5]\d\d|error", re.IGNORECASE)


class Moment(_ParamType):
    """A point in time: "90s", "30m", "1h", "2d", "1w" ago, or a date and time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in Unix nanoseconds."""
        if isinstance(value, int):
            return value
        ago = _AGO.fullmatch(value)
        if ago is not None:
            return time.time_ns() - int(float(ago[1]) * _UNITS_S[ago[2]] * 1e9)
        try:
            return int(datetime.fromisoformat(value).timestamp() * 1e9)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: use 90s, 30m, 1h, 2d or 2026-01-31T12:00", param, ctx)


class Status(_ParamType):
    """A class of statuses ("5xx"), one status ("404"), or "error"."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it in lower case."""
        if _STATUS.fullmatch(value) is None:
            self.fail(f"{value!r} is no status: use 5xx, 500 or error", param, ctx)
        return str(value).lower()


trace_option = click.option(
    "--trace", metavar="ID", default="", help="Only this trace, or those that begin so."
)
since_option = click.option(
    "--since", metavar="TIME", type=Moment(), default=0, help="Not older: 90s, 1h, 2d, or a date."
)
until_option = click.option(
    "--until", metavar="TIME", type=Moment(), default=1 << 63, help="Not newer."
)
status_option = click.option(
    "--status",
    metavar="STATUS",
    type=Status(),
    default=None,
    help="5xx, 500, or error: failed or 5xx.",
)
path_option = click.option(
    "--path", metavar="GLOB", default="", help="Only requests whose path matches."
)
