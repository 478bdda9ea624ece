"""Trace file: a recording to bytes and back; the format is in docs/format.md.

draft.py      a sealed scope as it is handed to the writer, its events still encoded
packing.py    a draft as one piece of memory, holding on to nothing else, and back again
frames.py     the layout that dump and load share
dump.py       drafts to the bytes of trace files
load.py       hostile bytes to a recording, or a typed error that says where they end
resealing.py  seals the true values in a recording to other keys
unsealing.py  puts the true values back into a recording, for who holds the key
"""

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
