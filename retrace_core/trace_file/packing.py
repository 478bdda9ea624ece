"""Packing: a draft as one piece of memory, holding on to nothing else, and back again.

What is packed is not compressed and has no frames: it never leaves the process.
"""

from __future__ import annotations

import msgspec

from retrace_core.recording import Environment
from retrace_core.trace_file.draft import Draft
from retrace_core.trace_file.dump import encode

__all__ = ["pack", "unpack"]

_decoder = msgspec.msgpack.Decoder(Draft)
_NO_ENVIRONMENT = Environment()


def pack(draft: Draft) -> bytes:
    """Return a draft as bytes, without its environment: all of a process share that.

    They take no more memory than `sys.getsizeof` says.

    Raises:
        TypeError: something in it can't be encoded; it could not be written either.
    """
    header = msgspec.structs.replace(draft.header, environment=_NO_ENVIRONMENT)
    data = encode(msgspec.structs.replace(draft, header=header))
    return bytes(memoryview(data))  # a copy: the encoder's own bytes keep up to twice their room


def unpack(data: bytes, environment: Environment) -> Draft:
    """Return the draft that `pack` was given; `dump` makes the same file of either."""
    draft = _decoder.decode(data)
    draft.header = msgspec.structs.replace(draft.header, environment=environment)
    return draft
