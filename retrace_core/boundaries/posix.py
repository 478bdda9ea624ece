"""`posix`: what the machine has and is, and as whom the process runs, as `os` says it.

How many threads a pool has, and in how many pieces it is given its work, goes by the count of
processors; a status page says the rest.

Hooks: `os.cpu_count`, by which `multiprocessing.cpu_count` comes too, and others of `os` below.
Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary
from retrace_core.reading import readings

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_THE_MACHINE: dict[str, Callable[[Any], Any] | None] = {
    "cpu_count": None,
    "process_cpu_count": None,
    "sched_getaffinity": set,
    "getloadavg": tuple,
    "times": os.times_result,
}
_OF_THE_PROCESS: dict[str, Callable[[Any], Any] | None] = {
    "getlogin": None,
    **dict.fromkeys(("getuid", "geteuid", "getgid", "getegid")),
    "getgroups": list,
    "sysconf": None,
}

BOUNDARY = Boundary(
    kind="posix",
    supports="cpython>=3.11,<3.14",
    hooks=(
        *readings(os, "free.resource", _OF_THE_MACHINE),
        *readings(os, "free.posix", _OF_THE_PROCESS),
    ),
)
