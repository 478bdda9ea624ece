"""Metric families of prometheus_client's as plain values, for the boundaries of its collectors."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from retrace_core.boundary import Patch, call_free
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["collects"]

_PLAIN = 3
"""So many fields of a sample have what was counted: what is recorded has no time of its own."""


def collects(owner: Any, kind: str) -> Patch:
    """Return the hook of a collector's `collect`, of which the answer is recorded.

    Args:
        owner: the collector's class.
        kind: what its events are called, after "free.".
    """

    def factory(original: Callable[[Any], Iterable[Metric]]) -> Callable[[Any], Iterable[Metric]]:
        @functools.wraps(original)
        def collect(collector: Any) -> Iterable[Metric]:
            lane = current()
            if lane is None:
                return original(collector)
            live = functools.partial(original, collector)
            return call_free(lane, f"free.{kind}", None, live, _plain, _rebuilt)

        return collect

    return Patch(owner, "collect", factory)


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
