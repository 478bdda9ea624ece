"""The names of the headers that carry a trace, and what a trace's name means in bits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retrace_core.ids import to_trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DECISION_HEADER",
    "TRACE_HEADER",
    "TraceHeaders",
    "name_of",
    "root_of_amazon",
    "trace_bits_of",
]

TRACE_HEADER = "X-Trace-ID"
"""Names the trace; whoever sends it asks for a recording."""
DECISION_HEADER = "X-Retrace"
"""The caller's recording decision: "yes", "no" or "tail"."""

_OWN = ("x-trace-id", "traceparent", "tracestate", "x-retrace")
_AMAZON = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24})(?:;|$)", re.ASCII)
_AMAZON_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})", re.ASCII)


class TraceHeaders:
    """Which headers of a request carry its trace.

    Args:
        custom: names in addition to X-Trace-ID, in order of preference; text as the setting
            `trace_header` has it, separated by commas.
    """

    __slots__ = ("custom", "in_asgi", "in_wsgi")

    def __init__(self, custom: str = "") -> None:
        names = tuple(filter(None, (name.strip() for name in custom.split(","))))
        self.custom = tuple(name for name in names if name.lower() not in _OWN)
        """As the user spells them."""
        wanted = (*_OWN, *(name.lower() for name in self.custom))
        self.in_asgi: Mapping[bytes, str] = {name.encode("latin-1"): name for name in wanted}
        """A name as ASGI gives it -> in lower case."""
        self.in_wsgi = tuple((f"HTTP_{name.upper().replace('-', '_')}", name) for name in wanted)
        """(key in environ, name in lower case)."""


def root_of_amazon(value: str) -> str:
    """Return the Root of an X-Amzn-Trace-Id header, 1-xxxxxxxx-(24 digits), or ""."""
    match = _AMAZON.search(value[:1024])
    return match[1].lower() if match else ""


def name_of(value: str) -> str:
    """Return the name that a custom trace header gives: a load balancer's Root, or all of it."""
    return root_of_amazon(value) or value.strip(" \t")


def trace_bits_of(name: str) -> int:
    """Return the trace id that a trace's name stands for, always the same one."""
    lower = name.lower()
    amazon = _AMAZON_ROOT.fullmatch(lower)
    if amazon is not None and int(amazon[1] + amazon[2], 16):
        return int(amazon[1] + amazon[2], 16)
    return int(to_trace_id(lower if to_trace_id(lower) == lower else name), 16)
