"""`socket`: names and addresses that the application itself looks up.

A mail's Message-ID has the machine's full name in it, a guard against forged requests asks
where a URL leads. The clients that have a boundary of their own look up within it, unseen here.

Hooks: `getaddrinfo`, `gethostbyname`, `gethostbyname_ex`, `gethostbyaddr` and `getnameinfo` of
the module `socket`, which `socket.getfqdn`, asyncio and most others call by that name.
"""

from __future__ import annotations

import socket
from typing import Any

from retrace_core.boundary import Boundary, Hook

_NAMES = ("gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")


def _asked(*args: Any, **kwargs: Any) -> object:
    return [args, kwargs] if kwargs else [args]


def _as_numbers(found: list[Any]) -> list[Any]:
    return [(int(family), int(kind), *rest) for family, kind, *rest in found]


def _as_enums(found: list[Any]) -> list[Any]:
    return [
        (socket.AddressFamily(family), socket.SocketKind(kind), *rest)
        for family, kind, *rest in found
    ]


BOUNDARY = Boundary(
    kind="socket",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Hook(
            owner=socket,
            name="getaddrinfo",
            key=_asked,
            encode=_as_numbers,
            decode=_as_enums,
        ),
        *(Hook(owner=socket, name=name, key=_asked) for name in _NAMES),
    ),
    errors=(socket.gaierror, socket.herror, UnicodeError),
)
