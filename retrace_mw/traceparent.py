"""The traceparent header: trace id, parent span id and flags.

Source: W3C Trace Context level 2, §3.2.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["RANDOM", "SAMPLED", "Traceparent", "format_traceparent", "parse_traceparent"]

SAMPLED = 0x01
"""The caller may have recorded the trace."""
RANDOM = 0x02
"""The low 56 bits of the trace id are random."""

_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?",
    re.ASCII,
)


class Traceparent(NamedTuple):
    """What a valid traceparent header says."""

    trace_id: str
    """32 lower-case hex digits, not all zero."""
    span_id: str
    """The caller's span, 16 lower-case hex digits, not all zero."""
    flags: int
    """`SAMPLED` and `RANDOM`; bits that no version has defined yet are taken off."""


def parse_traceparent(value: str) -> Traceparent | None:
    """Return what a traceparent header says, or None when it is invalid.

    Version ff is invalid, version 00 has exactly four fields, later ones may have more.
    """
    match = _TRACEPARENT.fullmatch(value.strip(" \t"))
    if match is None or (match[1] == "00" and match[5]):
        return None
    return Traceparent(match[2], match[3], int(match[4], 16) & (SAMPLED | RANDOM))


def format_traceparent(trace_id: str, span_id: str, flags: int) -> str:
    """Return the header's value, in version 00."""
    return f"00-{trace_id}-{span_id}-{flags:02x}"
