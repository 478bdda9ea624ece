"""pymongo: the servers that a client knows of. Read in pymongo 4.9 to 4.20.

Hooks: `Topology.select_servers`, which may wait for the monitors, and fails after a while; what
makes ids of clients and sessions, which are no request's.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pymongo.synchronous.settings import TopologySettings
from pymongo.synchronous.topology import Topology

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay, mask, on_boot_tape
from retrace_core.databases.mongodb.topology import (
    descriptions_from,
    is_known,
    is_news,
    kept,
    seeds_of,
)
from retrace_core.masked import masked
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_SELECT, _SERVERS = "pymongo.select", "pymongo.servers"


def _told(topology: Any) -> Any:
    """Return what the boot tape tells of the servers; put it there where it records."""
    key = seeds_of(topology)
    with on_boot_tape(_SERVERS, key):
        lane = current()
        known: Callable[[], Any] = functools.partial(kept, topology)
        return known() if lane is None else call(lane, _SERVERS, key, known)


def _hooked_select(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def select_servers(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **kwargs)

        def replayed() -> Any:
            if not is_known(self):
                for description in descriptions_from(_told(self)):
                    self.on_change(description)
            with mask():
                return live()

        if in_replay():
            return replayed() if lane is None else attempt(lane, _SELECT, None, live, replayed)
        servers = live() if lane is None else attempt(lane, _SELECT, None, live)
        if is_news(self):
            _told(self)
        return servers

    return select_servers


BOUNDARY = Boundary(
    kind="pymongo",
    supports="pymongo>=4.9",
    hooks=(
        Patch(Topology, "select_servers", _hooked_select),
        Patch(Topology, "get_server_session", masked),
        Patch(TopologySettings, "__init__", masked),
    ),
    errors=("pymongo.errors",),
)
