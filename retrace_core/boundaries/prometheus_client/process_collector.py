"""prometheus_client: what the process is at the moment, as each page of metrics says of itself.

Its memory, its files, when it began, and how often garbage was collected: on replay it is another
process. What the application itself has counted is no event: a replay counts as it did.

Hooks: `collect` of `ProcessCollector`, `GCCollector` and `PlatformCollector`. Read in
prometheus_client 0.26.
"""

from __future__ import annotations

from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from retrace_core.boundary import Boundary
from retrace_core.metric_families import collects

BOUNDARY = Boundary(
    kind="prometheus_client",
    supports="prometheus_client>=0.14",
    hooks=(
        collects(ProcessCollector, "prometheus_client.process"),
        collects(GCCollector, "prometheus_client.garbage"),
        collects(PlatformCollector, "prometheus_client.platform"),
    ),
)
