"""prometheus_client: what the other processes of a service have counted, in their files.

A server of several processes has each write its counts into a folder, and the one that is asked for
metrics adds them up. Those of the process itself alone are no events: a replay counts as it did.

Hooks: `MultiProcessCollector`, which is made for each page, and its `collect`. Read in
prometheus_client 0.26.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from prometheus_client.multiprocess import MultiProcessCollector

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.metric_families import collects
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = "free.prometheus_client.folder"


def _making(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def make(collector: Any, registry: Any, path: Any = None) -> None:
        lane = current()
        if lane is None:
            return original(collector, registry, path)

        def live() -> str:
            original(collector, registry, path)
            return str(collector._path)

        def again(folder: str) -> str:
            collector._path = folder  # which is not there, and need not be
            if registry:
                registry.register(collector)
            return folder

        call_free(lane, _FOLDER, None, live, decode=again)

    return make


BOUNDARY = Boundary(
    kind="prometheus_client",
    supports="prometheus_client>=0.14",
    hooks=(
        Patch(MultiProcessCollector, "__init__", _making),
        collects(MultiProcessCollector, "prometheus_client.collect"),
    ),
)
