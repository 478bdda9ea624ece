"""aiormq: a connection, which on replay connects to nothing; so aio-pika's, too.

Hooks: `connect`, `channel` and `close` of `Connection`, which are events only when they fail, and
whose tasks are of the process; `__init__`, since what waits for the end is, too; `update_secret`,
whose secret is in no event. Read in aiormq 6.8 to 7.2.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from aiormq.connection import Connection
from pamqp import commands

from retrace_core.boundary import Boundary, Patch
from retrace_core.brokers.amqp.aiormq_asking import ask, only_failing
from retrace_core.brokers.amqp.aiormq_frames import frame, packed
from retrace_core.masked import masked
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_CAPABILITIES = (
    *("basic.nack", "consumer_cancel_notify", "exchange_exchange_bindings"),
    *("publisher_confirms", "connection.blocked", "authentication_failure_close"),
)
_CHANNELS, _FRAME_BYTES = 2047, 131_072
"""What RabbitMQ offers unless it is told otherwise."""


async def _nothing_comes() -> None:
    await asyncio.get_running_loop().create_future()


def _stand_in(connection: Any) -> bool:
    """Bring a connection into the state that it has when the server has greeted."""
    connection.connection_tune = commands.Connection.Tune(
        channel_max=_CHANNELS, frame_max=_FRAME_BYTES, heartbeat=connection.heartbeat_timeout
    )
    connection.server_properties = {
        "product": "RabbitMQ",
        "capabilities": dict.fromkeys(_CAPABILITIES, True),
    }
    connection._reader_task = connection.create_task(_nothing_comes())
    connection._writer_task = connection.create_task(_nothing_comes())
    connection._Connection__connection_unblocked.set()
    connection.connected.set()
    return True


def _hooked_update_secret(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def update_secret(self: Any, *args: Any, **options: Any) -> Any:
        live = functools.partial(original, self, *args, **options)
        return await ask(
            current(),
            "aiormq.connection.updatesecret",
            None,
            live,
            commands.Connection.UpdateSecretOk,
            packed,
            frame,
        )

    return update_secret


BOUNDARY = Boundary(
    kind="aiormq",
    supports="aiormq>=6.8",
    hooks=(
        Patch(Connection, "__init__", masked),
        Patch(Connection, "connect", only_failing("aiormq.connect", _stand_in)),
        Patch(Connection, "channel", only_failing("aiormq.channel")),
        Patch(Connection, "close", only_failing("aiormq.close")),
        Patch(Connection, "update_secret", _hooked_update_secret),
    ),
    errors=("aiormq.exceptions",),
)
