"""Transport info: what a transport knows of its connection, as values, and told on replay."""

from __future__ import annotations

import socket
from typing import Any

from retrace_core import failsafe
from retrace_core.sockets.stub_socket import StubSocket

__all__ = ["extra_info", "info_of", "plain_info_of"]

_PLAIN = ("peername", "sockname")
_OF_TLS = ("cipher", "compression", "peercert")


def info_of(transport: Any) -> dict[str, Any]:
    """Return what a transport knows of its connection, as a value of the codec."""
    info = plain_info_of(transport)
    with failsafe.gate("ask a transport"):
        own = transport.get_extra_info("socket")
        if own is not None:
            info["family"], info["type"] = int(own.family), int(own.type)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            info.update((name, transport.get_extra_info(name)) for name in _OF_TLS)
            info["alpn"], info["certificate"] = tls.selected_alpn_protocol(), tls.getpeercert(True)
            info["version"] = tls.version()
    return info


def plain_info_of(transport: Any) -> dict[str, Any]:
    """Return the addresses of both ends, as far as a transport knows them."""
    info: dict[str, Any] = {}
    with failsafe.gate("ask a transport"):
        info = {name: transport.get_extra_info(name) for name in _PLAIN}
    return info


def extra_info(info: dict[str, Any], name: str, default: Any) -> Any:
    """Return what `get_extra_info` answers on replay.

    Args:
        info: what `info_of` had returned.
        name: what is asked for.
        default: the answer where that is not known.
    """
    if name == "socket":
        return PlayedSocket(info)
    if name == "ssl_object":
        return PlayedTls(info) if "version" in info else default
    found = info.get(name) if name in (*_PLAIN, *_OF_TLS) else None
    return default if found is None else found


class PlayedSocket(StubSocket):
    """The socket of a connection that is not there."""

    def __init__(self, info: dict[str, Any]) -> None:
        super().__init__("", 0)
        self._info = info
        self.family = socket.AddressFamily(info.get("family", int(socket.AF_INET)))
        self.type = socket.SocketKind(info.get("type", int(socket.SOCK_STREAM)))
        self.proto = 0

    def getpeername(self) -> Any:
        """Return the address of the other end."""
        return self._info.get("peername")

    def getsockname(self) -> Any:
        """Return the address of this end."""
        return self._info.get("sockname")

    def getsockopt(self, *_: object) -> int:
        """Return 0: there are no options."""
        return 0


class PlayedTls:
    """What is known of TLS on a connection that is not there."""

    server_side = False
    server_hostname = None
    session = None
    session_reused = False

    def __init__(self, info: dict[str, Any]) -> None:
        self._info = info

    def version(self) -> Any:
        """Return the version of TLS that was agreed on."""
        return self._info["version"]

    def cipher(self) -> Any:
        """Return the cipher that was agreed on."""
        return self._info.get("cipher")

    def compression(self) -> Any:
        """Return how it was compressed."""
        return self._info.get("compression")

    def selected_alpn_protocol(self) -> Any:
        """Return the protocol that was agreed on."""
        return self._info["alpn"]

    def selected_npn_protocol(self) -> None:
        """Return None: nobody has agreed on one by that way for years."""

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Return the certificate of the other end."""
        return self._info["certificate" if binary_form else "peercert"]
