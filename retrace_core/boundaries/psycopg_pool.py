"""psycopg's pools: getting a connection and giving it back is infrastructure, not the request's.

Whether a connection is warm, is checked, is made anew or waited for depends on the process's
past, so all of it runs masked; only that none could be got is an event.

Hooks: `getconn` and `putconn` of both pools. Read in psycopg_pool 3.2 and 3.3.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from psycopg_pool import AsyncConnectionPool, ConnectionPool

from retrace_core.boundary import Boundary, Patch, attempt, attempt_async, mask, on_boot_tape
from retrace_core.masked import masked, masked_async
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECKOUT = "psycopg_pool.getconn"


def _hooked_getconn(getconn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(getconn)
    def getting(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return getconn(self, *args, **kwargs)

        def masked() -> Any:
            with mask(), on_boot_tape():
                return getconn(self, *args, **kwargs)

        return attempt(lane, _CHECKOUT, None, masked, masked)

    return getting


def _hooked_getconn_async(getconn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(getconn)
    async def getting(self: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return await getconn(self, *args, **kwargs)

        async def masked() -> Any:
            with mask(), on_boot_tape():
                return await getconn(self, *args, **kwargs)

        got = await attempt_async(lane, _CHECKOUT, None, masked)
        return got if got is not None else await masked()

    return getting


BOUNDARY = Boundary(
    kind="psycopg_pool",
    supports="psycopg-pool>=3.2",
    hooks=(
        Patch(ConnectionPool, "getconn", _hooked_getconn),
        Patch(ConnectionPool, "putconn", masked),
        Patch(AsyncConnectionPool, "getconn", _hooked_getconn_async),
        Patch(AsyncConnectionPool, "putconn", masked_async),
    ),
    errors=("psycopg_pool", "psycopg", "psycopg.errors"),
)
