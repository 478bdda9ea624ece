"""Scratch names: paths of temporary files in what the code asks, as they were recorded.

`tempfile` makes its files in the scratch folder of a replay. Their own names are recorded; the
folder's must not make a difference, where the code writes a path into a table, say.
"""

from __future__ import annotations

import os
from typing import Any

from retrace_core import native
from retrace_core.codec import decode
from retrace_core.files.file_access import as_given, recorded_folder
from retrace_core.files.temporary_folder import temporary_folder

__all__ = ["as_recorded"]


def as_recorded(key: object) -> Any:
    """Return a key as a recording has it, with the recorded folder for temporary files in it."""
    data = native.encode(key)
    value = decode(data)
    scratch, was = temporary_folder(), recorded_folder()
    if not was or os.fsencode(scratch) not in data:
        return value
    return _replaced(value, scratch, was)


def _replaced(value: Any, now: str, was: str) -> Any:
    if isinstance(value, str):
        return as_given(value).replace(now, was)
    if isinstance(value, bytes):
        return value.replace(os.fsencode(now), os.fsencode(was))
    if isinstance(value, list | tuple):
        parts: list[Any] = [_replaced(one, now, was) for one in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {_replaced(name, now, was): _replaced(one, now, was) for name, one in value.items()}
    return value
