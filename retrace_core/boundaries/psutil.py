"""psutil: what the system and its processes are doing, as status pages and health checks say it.

Readings of the moment: one more or less is no divergence, as with files. A process that an
application holds has the recorded number on replay, where it may be anybody's or nobody's; so
what is read of it is recorded below `psutil.Process`, and replay builds such objects too.

Hooks: the functions of `psutil` that ask, the readings of the platform's own `Process`, and
`cpu_percent` and `cpu_times_percent`, which compare with the last time anybody asked. What
changes or awaits a process is left as it is. Read in psutil 5.9 to 7.2.
"""

from __future__ import annotations

import enum
import functools
import socket
from typing import TYPE_CHECKING, Any

import psutil

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ASK = (
    *("virtual_memory", "swap_memory", "cpu_times", "cpu_percent", "cpu_times_percent"),
    *("cpu_count", "cpu_stats", "cpu_freq", "getloadavg", "net_io_counters", "net_connections"),
    *("net_if_addrs", "net_if_stats", "disk_io_counters", "disk_partitions", "disk_usage"),
    *("sensors_temperatures", "sensors_fans", "sensors_battery", "users", "boot_time", "pids"),
    *("pid_exists", "heap_info"),
)
_ASK_A_PROCESS = (
    *("name", "exe", "cmdline", "environ", "terminal", "io_counters", "cpu_times", "cpu_num"),
    *("create_time", "memory_info", "memory_full_info", "memory_maps", "cwd", "num_ctx_switches"),
    *("num_threads", "threads", "nice_get", "cpu_affinity_get", "ionice_get", "status"),
    *("open_files", "net_connections", "connections", "num_fds", "ppid", "uids", "gids"),
)
_SINCE_LAST = ("cpu_percent",)
_platform: Any = vars(psutil)["_psplatform"]
_PLACES: tuple[Any, ...] = tuple(
    place
    for place in (
        getattr(psutil, "_ntuples", None),
        getattr(psutil, "_common", None),
        _platform,
        psutil,
    )
    if place is not None
)
"""Where the classes of what is returned are found by their names."""


def _encode(value: Any) -> Any:
    """Return a reading as plain data: [class, parts] for what has a class of its own."""
    if isinstance(value, enum.Enum):
        return {"enum": type(value).__name__, "of": value.value, "in": type(value).__module__}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"tuple": type(value).__name__, "of": [_encode(part) for part in value]}
    if isinstance(value, dict):
        return {"dict": [[name, _encode(part)] for name, part in value.items()]}
    if isinstance(value, list | tuple):
        made = [_encode(part) for part in value]
        return made if isinstance(value, list) else tuple(made)
    return value


def _decode(kept: Any) -> Any:
    if isinstance(kept, dict):
        if "dict" in kept:
            return {name: _decode(part) for name, part in kept["dict"]}
        if "enum" in kept:
            kind = getattr(socket, kept["enum"], None) if kept["in"] == "socket" else None
            return (kind or _class(kept["enum"]))(kept["of"])
        return _class(kept["tuple"])(*map(_decode, kept["of"]))
    if isinstance(kept, list | tuple):
        return type(kept)(map(_decode, kept))
    return kept


@functools.cache
def _class(name: str) -> Any:
    """Return a class of psutil's by its name; raises AttributeError where there is none."""
    for place in _PLACES:
        found = getattr(place, name, None)
        if isinstance(found, type) and issubclass(found, (tuple, enum.Enum)):
            return found
    raise AttributeError(f"this psutil has no {name}: install the version that was recorded")


def _asking(original: Callable[..., Any], kind: str, *, of_process: bool) -> Callable[..., Any]:
    @functools.wraps(original)
    def asking(*args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return original(*args, **kwargs)
        key = [args[0].pid, args[1:], kwargs] if of_process else [args, kwargs]
        live = functools.partial(original, *args, **kwargs)
        return call_free(lane, kind, key, live, _encode, _decode)

    return asking


def _patches() -> Iterator[Patch]:
    for owner, names, below in (
        (psutil, _ASK, ""),
        (psutil, ("_ppid_map",), ""),  # whose children there are
        (_platform.Process, _ASK_A_PROCESS, "Process."),
        (psutil.Process, _SINCE_LAST, "Process."),
    ):
        for name in names:
            if hasattr(owner, name):
                kind = f"free.psutil.{below}{name}"
                factory = functools.partial(_asking, kind=kind, of_process=bool(below))
                yield Patch(owner, name, factory)


BOUNDARY = Boundary(
    kind="psutil",
    supports="psutil>=5.9",
    errors=("psutil",),
    hooks=tuple(_patches()),
)
