"""`resource`: what the machine has, and what the process has used, as pools are sized by it.

How many threads a pool has, and in how many pieces it is given its work, goes by the count of
processors; a status page says the rest. It has no place in the order of a request's other calls.

Hooks: `resource.getrusage`; `os.cpu_count`, by which `multiprocessing.cpu_count` comes too,
`process_cpu_count`, `sched_getaffinity`, `getloadavg` and `times`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import os
import resource
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_THE_MACHINE: dict[str, Callable[[Any], Any] | None] = {
    "cpu_count": None,
    "process_cpu_count": None,
    "sched_getaffinity": set,
    "getloadavg": tuple,
    "times": os.times_result,
}
"""Function of `os` -> what makes its answer of a list; None: it is a plain value."""


def _hooked(name: str, rebuild: Callable[[Any], Any] | None) -> Any:
    def factory(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asking(*args: Any) -> Any:
            lane = current()
            if lane is None:
                return original(*args)
            live = functools.partial(original, *args)
            kind = f"free.resource.{name}"
            if rebuild is None:
                return call_free(lane, kind, list(args), live)
            return call_free(lane, kind, list(args), live, list, rebuild)

        return asking

    return factory


BOUNDARY = Boundary(
    kind="resource",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(resource, "getrusage", _hooked("getrusage", resource.struct_rusage)),
        *(
            Patch(os, name, _hooked(name, rebuild))
            for name, rebuild in _OF_THE_MACHINE.items()
            if hasattr(os, name)
        ),
    ),
)
