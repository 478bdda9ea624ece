"""Mercurial's own questions to the file system, in C: of which kind it is.

By that it decides whether a backup is a hard link; the folder is not there on replay.

Hook: `getfstype`, which `util` calls by way of the module. Read in Mercurial 7.2.
"""

from __future__ import annotations

from mercurial.cext import osutil

from retrace_core.boundary import Boundary
from retrace_core.reading import readings

BOUNDARY = Boundary(
    kind="mercurial",
    supports="mercurial>=6.0",
    hooks=tuple(readings(osutil, "file", {"getfstype": None})),
)
