"""Amount: spans of time and sizes as people write them, "30d" and "50GB"."""

from __future__ import annotations

import re

__all__ = ["parse_size", "parse_span", "span_words"]

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
    """Return a span of time in nanoseconds, "250ms", "1.5h", "30d"; None: it is none."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    found = round(float(match[1]) * _UNITS_NS[match[2]])
    return found if found <= _MOST_NS else None


def parse_size(text: str) -> int | None:
    """Return a size in bytes, "4096", "10GB", "1.5 MiB"; None: it is none."""
    match = _SIZE.fullmatch(text)
    if match is None or (match[2] or "B") not in _UNITS_BYTES:
        return None
    found = float(match[1]) * _UNITS_BYTES[match[2] or "B"]
    return round(found) if found < 1 << 62 else None


def span_words(span_ns: int) -> str:
    """Return a span of time in the largest unit that divides it, "30d"."""
    for unit in ("d", "h", "m", "s"):
        if span_ns % _UNITS_NS[unit] == 0:
            return f"{span_ns // _UNITS_NS[unit]}{unit}"
    return f"{span_ns / 1e9:g}s"
