"""Amounts: spans of time, sizes and tags as options write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

__all__ = ["Size", "Span", "TagPair"]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType

_UNITS_NS = {
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
    "w": 7 * 86400 * 10**9,
}
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(us|ms|s|m|h|d|w)", re.ASCII)
_UNITS_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS_BYTES |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?) ?([kKMGT]?i?B)?", re.ASCII)
_MOST_NS = 1000 * 366 * 86400 * 10**9


def parse_span(text: str) -> int | None:
    """Return a span of time in nanoseconds, "1.5h", "30d"; None: it is none."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    found = int(float(match[1]) * _UNITS_NS[match[2]])
    return found if found <= _MOST_NS else None


def parse_size(text: str) -> int | None:
    """Return a size in bytes, "4096", "10GB", "1.5 MiB"; None: it is none."""
    match = _SIZE.fullmatch(text)
    if match is None or (match[2] or "B") not in _UNITS_BYTES:
        return None
    found = float(match[1]) * _UNITS_BYTES[match[2] or "B"]
    return int(found) if found < 1 << 62 else None


class Span(_ParamType):
    """A span of time, in nanoseconds: "250ms", "1s", "30m", "12h", "30d", "4w"."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in nanoseconds."""
        if isinstance(value, int):
            return value
        found = parse_span(value)
        if not found:
            self.fail(f"{value!r} is no span of time: use 250ms, 1s, 30m, 12h or 30d", param, ctx)
        return found


class Size(_ParamType):
    """A size, in bytes: "4096", "10kB", "50GB", "1GiB"."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in bytes."""
        if isinstance(value, int):
            return value
        found = parse_size(value)
        if not found:
            self.fail(f"{value!r} is no size: use 4096, 10kB, 50GB or 1GiB", param, ctx)
        return found


class TagPair(_ParamType):
    """A tag, "user=42", as (name, value)."""

    name = "tag"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return its name and its value."""
        if isinstance(value, tuple):
            return str(value[0]), str(value[1])
        name, equals, wanted = value.partition("=")
        if not (name and equals and wanted):
            self.fail(f"{value!r} is no tag: use name=value, as in user=42", param, ctx)
        return name, wanted
