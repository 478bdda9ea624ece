"""paramiko's transports: made by hand, or by an `SSHClient`.

Hooks: `Transport.__init__`, which connects when it gets an address; what logs in; what opens a
channel; what is asked of the server. Its thread and the packets are below. On replay there is
no thread. Read in paramiko 3.4 to 5.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from paramiko.channel import Channel
from paramiko.pkey import PKey
from paramiko.transport import Transport

from retrace_core.boundary import Boundary, Patch, connected, mask
from retrace_core.native import current
from retrace_core.secure_shell import asking, is_stub, make_stub, outside, put_place, setting_up

if TYPE_CHECKING:
    from collections.abc import Callable

_Transport: Any = Transport
_Channel: Any = Channel
_SSH_PORT = 22


def _itself(transport: Any) -> Any:
    return transport


def _address(sock: Any) -> tuple[str, int] | None:
    """Return the address that a transport is to connect to; None where it gets a socket."""
    if isinstance(sock, tuple):
        return str(sock[0]), int(sock[1])
    if isinstance(sock, str):
        host, _, port = sock.partition(":")
        return host, int(port or _SSH_PORT)
    return None


def _hooked_init(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def __init__(self: Any, sock: Any, *args: Any, **options: Any) -> None:
        lane, address = current(), _address(sock)
        host, port = address or ("", 0)
        put_place(self, host, port)

        def live() -> None:
            with mask():
                original(self, sock, *args, **options)

        def stub() -> None:
            with mask():
                original(self, make_stub(host, port), *args, **options)

        connected(lane, "paramiko.connect", [host, port], live, stub)

    return __init__


def _started(transport: Any, *_: Any, **__: Any) -> None:
    transport.active = transport.initial_kex_done = True


def _logged_in(transport: Any, username: str = "", *_: Any, **__: Any) -> list[str]:
    transport.authenticated = True
    transport.__dict__["_retrace_user"] = username
    return []


def _connected(transport: Any, hostkey: Any = None, username: str = "", *_: Any, **__: Any) -> None:
    _started(transport)
    _logged_in(transport, username)


def _user(transport: Any, username: str = "", *_: Any, **__: Any) -> object:
    return username


def _opened(transport: Any, *_: Any, **__: Any) -> Any:
    """Return a channel of a replay."""
    with transport.lock:
        number = transport._next_channel()
        channel = _Channel(number)
        transport._channels.put(number, channel)
        channel._set_transport(transport)
        channel.active = True
    return channel


def _kind_of_channel(transport: Any, kind: str, dest_addr: Any = None, *_: Any, **__: Any) -> Any:
    return [kind, None if dest_addr is None else list(dest_addr)]


def _closed(transport: Any) -> None:
    transport.active = False
    for channel in list(transport._channels.values()):
        channel.closed = True


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _no_key(*_: Any, **__: Any) -> None:
    return None


def _hooked_is_authenticated(original: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(original)
    def is_authenticated(self: Any) -> bool:
        if is_stub(self):
            return bool(self.active and self.authenticated)
        return original(self)

    return is_authenticated


def _hooked_get_username(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def get_username(self: Any) -> Any:
        return self.__dict__.get("_retrace_user") if is_stub(self) else original(self)

    return get_username


def _said_key(_: Any, key: Any) -> list[Any]:
    return [key.get_name(), key.asbytes()]


def _told_key(_: Any, kept: Any) -> Any:
    return PKey.from_type_string(*kept)


def _as_tuple(_: Any, kept: Any) -> Any:
    return tuple(kept) if isinstance(kept, list) else kept


_LOGINS = ("auth_none", "auth_password", "auth_publickey", "auth_interactive")

BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(
        Patch(_Transport, "__init__", _hooked_init),
        Patch(_Transport, "start_client", setting_up("paramiko.start_client", _itself, _started)),
        Patch(_Transport, "connect", setting_up("paramiko.login", _itself, _connected)),
        *(
            Patch(_Transport, name, setting_up(f"paramiko.{name}", _itself, _logged_in, _user))
            for name in _LOGINS
        ),
        Patch(
            _Transport,
            "open_channel",
            setting_up("paramiko.open_channel", _itself, _opened, _kind_of_channel),
        ),
        Patch(_Transport, "close", outside(_itself, _closed)),
        Patch(_Transport, "set_keepalive", outside(_itself, _nothing)),
        Patch(_Transport, "use_compression", outside(_itself, _nothing)),
        Patch(_Transport, "send_ignore", setting_up("paramiko.send_ignore", _itself, _nothing)),
        Patch(_Transport, "renegotiate_keys", setting_up("paramiko.keys", _itself, _nothing)),
        Patch(_Transport, "is_authenticated", _hooked_is_authenticated),
        Patch(_Transport, "get_username", _hooked_get_username),
        Patch(
            _Transport,
            "get_remote_server_key",
            asking("paramiko.server_key", _no_key, _itself, None, _said_key, _told_key),
        ),
        Patch(_Transport, "get_banner", asking("paramiko.banner", _no_key, _itself)),
        Patch(
            _Transport,
            "getpeername",
            asking("paramiko.peer", _no_key, _itself, None, None, _as_tuple),
        ),
    ),
    errors=("paramiko.ssh_exception",),
)
