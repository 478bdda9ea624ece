"""Paths: the names of recordings in a store, made and told apart."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from retrace_core.errors import StoreError
from retrace_core.ids import names_boot_tape, safe_folder, valid_service

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FIRST_NAMES",
    "candidates",
    "check_names",
    "check_path",
    "day_of",
    "file_stem",
    "path_of",
    "safe_names",
    "split_path",
    "unsafe_names",
]

FIRST_NAMES = ("trace.bin", "boot.bin")
"""Names of the files that claimed their place first; those of all others have the span id."""

_NAME = re.compile(r"(trace|boot)(\.[0-9a-f]{16}(\.\d{1,9})?)?\.bin", re.ASCII)
_SPAN_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


def file_stem(folder: str) -> str:
    """Return how the files of a folder are called: those of a trace, or those of a boot tape."""
    return "boot" if names_boot_tape(folder) else "trace"


def path_of(folder: str, service: str, span_id: str = "") -> str:
    """Return the logical path of the first recording of a place, or the one with a span id."""
    span = f".{span_id}" if span_id else ""
    return f"{folder}/{service}/{file_stem(folder)}{span}.bin"


def day_of(time_ns: int) -> str:
    """Return the day of a time in UTC, as the folders are called."""
    return time.strftime("%Y-%m-%d", time.gmtime(time_ns / 1e9))


def split_path(path: str) -> tuple[str, str, str] | None:
    """Return folder, service and file name of a recording's logical path; None: it is no such."""
    parts = path.split("/")
    if len(parts) != 3:
        return None
    folder, service, name = parts
    safe = safe_folder(folder) and valid_service(service) and _NAME.fullmatch(name)
    return (folder, service, name) if safe else None


def check_path(path: str) -> tuple[str, str, str]:
    """Return folder, service and file name of a recording's logical path.

    Raises:
        StoreError: it is no such path.
    """
    parts = split_path(path)
    if parts is None:
        raise StoreError(f"{path!r} is no path of a recording; see retrace ls")
    return parts


def safe_names(folder: str, service: str, span_id: str) -> bool:
    """Return True when a recording by these names can be kept, and listed after that."""
    return safe_folder(folder) and valid_service(service) and bool(_SPAN_ID.fullmatch(span_id))


def check_names(folder: str, service: str, span_id: str) -> None:
    """Do nothing where the names of a recording are safe.

    Raises:
        StoreError: they are not.
    """
    if not safe_names(folder, service, span_id):
        raise unsafe_names(folder, service)


def unsafe_names(folder: str, service: str) -> StoreError:
    """Return the error of names by which no recording can be kept."""
    return StoreError(f"{folder!r}/{service!r} is no safe path; nothing was written")


def candidates(folder: str, span_id: str) -> Iterator[str]:
    """Yield the file names that a recording may get, without end, the best first."""
    stem = file_stem(folder)
    yield f"{stem}.bin"
    yield f"{stem}.{span_id}.bin"
    number = 2
    while True:
        yield f"{stem}.{span_id}.{number}.bin"
        number += 1
