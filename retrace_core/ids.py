"""Trace ids and span ids: make, parse, and tell what is safe as a folder name."""

from __future__ import annotations

import hashlib
import os
import random
import re

from retrace_core.forked import after_fork

__all__ = [
    "BOOT_PREFIX",
    "call_span_id",
    "is_trace_id",
    "names_boot_tape",
    "names_trace",
    "new_span_id",
    "new_trace_id",
    "safe_folder",
    "to_trace_id",
    "valid_service",
]

# Never the application's `random`: its next numbers must not depend on us.
_random = random.Random(os.urandom(32))  # noqa: S311
after_fork(lambda: _random.seed(os.urandom(32)))

BOOT_PREFIX = "boot-"
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def new_trace_bits() -> int:
    """Return 128 random bits, not all zero."""
    return _random.getrandbits(128) or 1


def new_trace_id() -> str:
    """Return a fresh trace id, 32 lower-case hex digits. Source: W3C Trace Context §3.2.2.3."""
    return f"{new_trace_bits():032x}"


def new_span_id() -> str:
    """Return a fresh span id, 16 lower-case hex digits. Source: W3C Trace Context §3.2.2.4.

    The last four are 0: in them the outgoing calls of its request are numbered.
    """
    return f"{_random.getrandbits(48) or 1:012x}0000"


def call_span_id(span_id: str, number: int) -> str:
    """Return the span id of an outgoing call: its request's, with the call's number in it.

    Args:
        span_id: the request's own.
        number: from 0 on; two that are 65,535 apart give the same.
    """
    return f"{span_id[:12]}{number % 0xFFFF + 1:04x}"


def is_trace_id(text: str) -> bool:
    """Return True for 32 lower-case hex digits that are not all zero."""
    return _TRACE_ID.fullmatch(text) is not None


def safe_folder(text: str) -> bool:
    """Return True when `text` may name a folder of a store."""
    return _FOLDER.fullmatch(text) is not None


def names_boot_tape(folder: str) -> bool:
    """Return True for a folder of a store that holds no trace, but the boot tape of a process."""
    return folder.startswith(BOOT_PREFIX)


def names_trace(text: str) -> bool:
    """Return True when a trace id from outside may name a folder."""
    return safe_folder(text) and not names_boot_tape(text)


def to_trace_id(text: str) -> str:
    """Return the 32 hex digits that stand for an X-Trace-ID of another shape, always the same."""
    if is_trace_id(text):
        return text
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def valid_service(text: str) -> bool:
    """Return True when `text` can name a service (and its folder)."""
    return _SERVICE.fullmatch(text) is not None
