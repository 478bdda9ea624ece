"""pymongo for asyncio: the servers that a client knows of. Read in pymongo 4.9 to 4.20.

Hooks: `Topology.select_servers`, which may wait for the monitors, and fails after a while; what
makes ids of clients and sessions, which are no request's.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pymongo.asynchronous.settings import TopologySettings
from pymongo.asynchronous.topology import Topology

from retrace_core.boundary import (
    Boundary,
    Patch,
    attempt_async,
    call_async,
    in_replay,
    mask,
    on_boot_tape,
)
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
    from collections.abc import Awaitable, Callable

_SELECT, _SERVERS = "pymongo.select", "pymongo.servers"


async def _told(topology: Any) -> Any:
    """Return what the boot tape tells of the servers; put it there where it records."""
    key = seeds_of(topology)

    async def known() -> Any:
        return kept(topology)

    with on_boot_tape(_SERVERS, key):
        lane = current()
        return await (known() if lane is None else call_async(lane, _SERVERS, key, known))


def _hooked_select(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def select_servers(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        live = functools.partial(original, self, *args, **kwargs)
        replays = in_replay()
        if lane is None:
            servers = None if replays else await live()
        else:
            servers = await attempt_async(lane, _SELECT, None, live)
        if replays:
            if not is_known(self):
                for description in descriptions_from(await _told(self)):
                    await self.on_change(description)
            with mask():
                return await live()
        if is_news(self):
            await _told(self)
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
