"""Trace file: a recording to bytes and back; the format is in docs/format.md."""

from __future__ import annotations

from retrace_core.trace_file.draft import Draft
from retrace_core.trace_file.dump import dump, dump_all
from retrace_core.trace_file.frames import TRACE_VERSION
from retrace_core.trace_file.load import load, load_header, recover
from retrace_core.trace_file.packing import pack, unpack

__all__ = [
    "TRACE_VERSION",
    "Draft",
    "dump",
    "dump_all",
    "load",
    "load_header",
    "pack",
    "recover",
    "unpack",
]
