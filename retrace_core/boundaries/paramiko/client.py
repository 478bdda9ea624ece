"""paramiko's `SSHClient`: it connects and logs in, which is an event only when it fails.

Hooks: `SSHClient.connect` and `close`. On replay the client has a transport that leads to nobody;
policies for unknown keys of hosts are not asked there. Read in paramiko 3.4 to 5.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from paramiko import client, ssh_exception
from paramiko.transport import Transport

from retrace_core.boundary import Boundary, Patch, attempt, in_replay, mask
from retrace_core.masked import masked
from retrace_core.native import current
from retrace_core.secure_shell import make_stub, put_place

if TYPE_CHECKING:
    from collections.abc import Callable

_Client: Any = client.SSHClient
_SSH_PORT = 22


def _stand_in(own: Any, host: str, port: int, options: dict[str, Any]) -> None:
    """Give a client of a replay its transport."""
    make: Any = options.get("transport_factory") or Transport
    disabled = options.get("disabled_algorithms")
    transport = make(make_stub(host, port), disabled_algorithms=disabled)
    put_place(transport, host, port)
    transport.active = transport.initial_kex_done = transport.authenticated = True
    transport.__dict__["_retrace_user"] = options.get("username")
    own._transport = transport


def _hooked_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(self: Any, hostname: str, port: int = _SSH_PORT, *args: Any, **options: Any) -> Any:
        lane = current()
        given = {**dict(zip(("username",), args, strict=False)), **options}

        def live() -> Any:
            found = original(self, hostname, port, *args, **options)
            put_place(self._transport, hostname, port)
            return found

        def stub() -> None:
            with mask():
                _stand_in(self, hostname, port, given)

        if lane is None:
            return stub() if in_replay() else live()
        return attempt(
            lane, "paramiko.connect", [hostname, port, given.get("username")], live, stub
        )

    return connect


BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(
        Patch(_Client, "connect", _hooked_connect),
        Patch(_Client, "close", masked),
    ),
    errors=(ssh_exception.__name__,),
)
