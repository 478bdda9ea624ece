"""Seconds: a length of time as an option: "5s", "500ms", "2m", "1h"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _ParamType = click.ParamType[float]
else:
    _ParamType = click.ParamType

__all__ = ["Seconds"]

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", re.ASCII)
_UNITS_S = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Seconds(_ParamType):
    """A length of time, in seconds.

    Args:
        least: the shortest that is allowed.
    """

    name = "time"

    def __init__(self, least: float = 0.0) -> None:
        self._least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return it in seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        match = _SPAN.fullmatch(value)
        seconds = float(match[1]) * _UNITS_S[match[2]] if match else -1.0
        if seconds < self._least:
            least = f", {self._least:g} s or longer" if self._least else ""
            self.fail(f"{value!r} is no length of time: use 500ms, 5s, 2m or 1h{least}", param, ctx)
        return seconds
