"""h5py: files that HDF5 opens and makes by their name; pandas' and xarray's by way of h5netcdf too.

Hooks: `h5py.h5f.open` and `create`, by which `h5py.File` comes. Read in h5py 3.14.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import READS, UPDATES, WRITES, opening

h5f: Any = sys.modules["h5py.h5f"]


def _is_object(args: tuple[Any, ...]) -> bool:
    """Return True for an open file of Python's, which HDF5 calls by its `repr`."""
    return bool(args) and isinstance(args[0], bytes) and args[0].startswith(b"<")


def _opens(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    if _is_object(args):
        return None
    flags = args[1] if len(args) > 1 else kwargs.get("flags", h5f.ACC_RDWR)
    return UPDATES if flags & h5f.ACC_RDWR else READS


def _creates(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    if _is_object(args):
        return None
    flags = args[1] if len(args) > 1 else kwargs.get("flags", h5f.ACC_TRUNC)
    return UPDATES if flags & h5f.ACC_EXCL else WRITES


BOUNDARY = Boundary(
    kind="file",
    supports="h5py>=3",
    hooks=(
        *opening(h5f, "open", 0, "name", _opens, in_bytes=True),
        *opening(h5f, "create", 0, "name", _creates, in_bytes=True),
    ),
)
