"""Tasks and futures that a request creates, on asyncio's event loops.

Hook: `BaseEventLoop.create_task`, to which `asyncio.create_task`, `gather`, `TaskGroup`,
`ensure_future` and anyio's task groups all come: tasks run in lanes of their own. And
`BaseEventLoop.create_future`, where the application calls it itself: whose result other work of
the process may set (`handed_futures`). And `call_soon_threadsafe`, by which its threads tell
it what to call (`told_loop`). And `subprocess_exec` and `subprocess_shell`, by which anyio
starts programs (`loop_program`). And `create_connection`, `create_datagram_endpoint`,
`start_tls` and `create_server`, for protocols that no boundary stands above (`own_transport`). Read
in CPython 3.11 to 3.13.
"""

from __future__ import annotations

from asyncio.base_events import BaseEventLoop

from retrace_core.boundary import Boundary, Patch
from retrace_core.concurrency.carrying import carry_task
from retrace_core.concurrency.handed_futures import carry_future_result
from retrace_core.concurrency.start_up_timers import carry_timer
from retrace_core.concurrency.told_loop import carry_telling
from retrace_core.programs.loop_program import carry_program
from retrace_core.sockets.looked_up import carry_looking_up
from retrace_core.sockets.own_transport.accepting import carry_server
from retrace_core.sockets.own_transport.opening import carry_connection, carry_datagrams, carry_tls

BOUNDARY = Boundary(
    kind="task",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(BaseEventLoop, "create_task", carry_task),
        Patch(BaseEventLoop, "create_future", carry_future_result),
        Patch(BaseEventLoop, "call_at", carry_timer),  # to which `call_later` comes, too
        Patch(BaseEventLoop, "call_soon_threadsafe", carry_telling),
        Patch(BaseEventLoop, "getaddrinfo", carry_looking_up),
        Patch(BaseEventLoop, "subprocess_exec", carry_program),
        Patch(BaseEventLoop, "subprocess_shell", carry_program),
        Patch(BaseEventLoop, "create_connection", carry_connection),
        Patch(BaseEventLoop, "create_datagram_endpoint", carry_datagrams),
        Patch(BaseEventLoop, "start_tls", carry_tls),
        Patch(BaseEventLoop, "create_server", carry_server),
    ),
)
