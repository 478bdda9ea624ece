"""Covering: whether a boundary stands between the application and a line of a library.

A client library is covered as a whole by its boundary, which hooks some of its functions; what
it does below them, such as opening a socket, is no business of the application's.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from retrace_core.coverage.asking_line import is_core, is_library, is_ours, library_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType

__all__ = ["by", "is_anothers", "is_anothers_transport", "is_covered", "is_exempt", "kind_of"]

_DEEPEST = 200
_SERVERS = frozenset(
    "a2wsgi aiohttp asgiref cheroot daphne eventlet gunicorn hypercorn rocket3 twisted uvicorn"
    " waitress werkzeug".split()
)
"""Who reads requests and sends responses, in the request's own lane."""
_ALSO_CLIENTS = frozenset(("twisted",))
"""Of these, who connects to others as well, for whoever asks: a server itself connects to none."""
_BELOW = ("gevent", "eventlet")
"""Who does so on behalf of its caller."""
_LOOPS = ("asyncio.base_events", "asyncio.events", "asyncio.runners", "asyncio.tasks")
"""The standard library's event loop, with nobody above it."""
_OPENS = "anyio"
"""It opens connections for its caller, in tasks of its own."""
_PARTS = {"pika": os.path.join("pika", "adapters", "blocking_connection.py"), "ldap3": None}
"""Libraries of which one file has a boundary: the rest is covered where that stands above it.
None: it stands above nothing."""
_SOCKETS = ("socket", "ssl")
"""A boundary of these modules is for what no other stands above."""
_TRANSPORTS = ("asyncio.selector_events", "asyncio.sslproto", "asyncio.unix_events")
"""And so is one of these."""
_PASSES_ON = os.path.join("own_transport", "transport_hooks.py")
"""Our file through which any transport's traffic goes."""

_STDLIB = os.path.dirname(os.__file__)
_EXEMPT = (
    "<frozen importlib",
    *(os.path.join(_STDLIB, name, "") for name in ("logging", "importlib")),
    # Temporary files are a boundary's; a library's name is found out once for the process.
    *(os.path.join(_STDLIB, name) for name in ("tempfile.py", "ctypes/util.py", "linecache.py")),
)

_covered: Callable[[], Iterable[str]] = tuple


def by(covered: Callable[[], Iterable[str]]) -> None:
    """Be told how to learn the names of the libraries whose boundaries are in place."""
    global _covered
    _covered = covered


def is_covered(frame: FrameType | None, *, connects: bool = False) -> bool:
    """Return True for traffic of a library that has a boundary, and with the request's client.

    A boundary may record only what is received: what is sent, and the name of this machine in
    it (smtplib), is made again by a replay, to nobody. The
    server reads requests and sends responses in the request's own lane, by our tees.

    Args:
        frame: the line.
        connects: True where it connects to somebody.
    """
    servers = _SERVERS - _ALSO_CLIENTS if connects else _SERVERS
    for _ in range(_DEEPEST):
        if frame is None:
            return True  # of nobody's
        kind, library = kind_of(frame.f_code.co_filename)
        if kind == "ours" and frame.f_code.co_filename.endswith(_PASSES_ON):
            frame = frame.f_back
            continue
        if kind != "library" or (library and library not in _BELOW):
            if library in _PARTS and not _is_below_part(frame, library):
                return False
            known = library in servers or library in _tops(_covered())
            return known or kind in ("ours", "exempt")
        if not library:
            module = _stdlib_module(frame.f_code.co_filename)
            if module not in (*_SOCKETS, *_TRANSPORTS) and module in _covered():
                return True
        frame = frame.f_back
    return True


def is_anothers(frame: FrameType | None, *, in_lane: bool, connects: bool = False) -> bool:
    """Return True where a boundary stands above, or somebody who is none of the application's.

    Args:
        frame: the line that connects, say.
        in_lane: True in a lane, which a boundary masks for what is below it; outside of a
            recording its hook only passes the call on, and is looked for.
        connects: True where it connects to somebody.
    """
    return is_covered(frame, connects=connects) or (not in_lane and _is_below_boundary(frame))


def is_anothers_transport(
    frame: FrameType | None, *, in_lane: bool, past: Sequence[str] = ()
) -> bool:
    """Do what `is_anothers` does where an event loop is asked for a connection.

    Outside of a lane nothing of it is recorded anyway, unless a recorded request uses it later.

    Args:
        frame, in_lane: as there.
        past: modules of the standard library that ask for their callers.
    """
    asks = frame
    while asks is not None and (
        kind_of(asks.f_code.co_filename)[1] == _OPENS
        or _stdlib_module(asks.f_code.co_filename) in past
    ):
        asks = asks.f_back
    if asks is not frame and (asks is None or _stdlib_module(asks.f_code.co_filename) in _LOOPS):
        return False
    return is_anothers(asks, in_lane=in_lane)


def _is_below_part(frame: FrameType | None, library: str) -> bool:
    """Return True where the file of a library that has a boundary is between it and others."""
    part = _PARTS[library]
    while part and frame is not None and kind_of(frame.f_code.co_filename)[1] == library:
        if frame.f_code.co_filename.endswith(part):
            return True
        frame = frame.f_back
    return False


def _is_below_boundary(frame: FrameType | None) -> bool:
    """Return True where a boundary's hook is between the application and the line."""
    for _ in range(_DEEPEST):
        if frame is None or kind_of(frame.f_code.co_filename)[0] == "application":
            return False
        if is_core(frame.f_code.co_filename):
            return True
        frame = frame.f_back
    return False


def is_exempt(frame: FrameType | None) -> bool:
    """Return True for what is no business of the request, such as a logger's socket."""
    while frame is not None and _stdlib_module(frame.f_code.co_filename) in _SOCKETS:
        frame = frame.f_back
    return frame is not None and kind_of(frame.f_code.co_filename)[0] == "exempt"


def _tops(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@functools.lru_cache(512)
def _stdlib_module(file: str) -> str:
    return file.removeprefix(os.path.join(_STDLIB, "")).removesuffix(".py").replace(os.sep, ".")


@functools.lru_cache(4096)
def kind_of(file: str) -> tuple[str, str]:
    """Return what code of a file is: exempt, ours, a library's (with its name), or the app's."""
    if file.startswith(_EXEMPT):
        return "exempt", ""
    if is_ours(file):
        return "ours", ""
    if is_library(file):
        return "library", library_of(file)
    return "application", ""
