"""prometheus_client: what the other processes of a service have counted, in their files.

A server of several processes has each write its counts into a folder, and the one that is asked for
metrics adds them up. Those of the process itself alone are no events: a replay counts as it did.

Hooks: `MultiProcessCollector`, which is made for each page, and its `collect`. Read in
prometheus_client 0.26.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.samples import Sample

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FOLDER, _COLLECT = "free.prometheus_client.folder", "free.prometheus_client.collect"
_PLAIN = 3
"""So many fields of a sample have what was counted: files have no time of a sample's own."""


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


def _collecting(original: Callable[[Any], Iterable[Metric]]) -> Callable[[Any], Iterable[Metric]]:
    @functools.wraps(original)
    def collect(collector: Any) -> Iterable[Metric]:
        lane = current()
        if lane is None:
            return original(collector)
        live = functools.partial(original, collector)
        return call_free(lane, _COLLECT, None, live, _plain, _rebuilt)

    return collect


def _plain(metrics: Iterable[Metric]) -> object:
    return [
        [one.name, one.documentation, one.type, [list(sample[:_PLAIN]) for sample in one.samples]]
        for one in metrics
    ]


def _rebuilt(value: Any) -> list[Metric]:
    found: list[Metric] = []
    for name, documentation, kind, samples in value:
        metric = Metric(name, documentation, kind)
        metric.samples = [Sample(*sample) for sample in samples]
        found.append(metric)
    return found


BOUNDARY = Boundary(
    kind="prometheus_client",
    supports="prometheus_client>=0.14",
    hooks=(
        Patch(MultiProcessCollector, "__init__", _making),
        Patch(MultiProcessCollector, "collect", _collecting),
    ),
)
