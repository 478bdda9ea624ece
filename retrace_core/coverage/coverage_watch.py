"""Coverage watch: lists in a recording what reached the world past all boundaries.

An audit hook sees it: sockets, files opened for writing, programs, C libraries. What a boundary
does inside is masked, or its lane is busy, and so no hole; nor is the process's own start-up.
It can't see what makes no audit event: a C library that is loaded already and called.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, native
from retrace_core.coverage import covering
from retrace_core.coverage.asking_line import frame_of
from retrace_core.coverage.audit_events import DEVICES, FILE_EVENTS, OPEN, absolute, is_harmless
from retrace_core.files.temporary_folder import temporary_folder
from retrace_core.recording import Hole
from retrace_core.sockets.own_pair import is_end

if TYPE_CHECKING:
    from types import FrameType

    from retrace_core.recording import Frame

__all__ = ["MOST_HOLES", "TOO_LARGE", "Holes", "address_text", "begin", "seen"]

MOST_HOLES = 50
"""How many are listed in one recording; further ones are counted."""
_TARGET_LIMIT = 200
_DEEPEST = 200
_CONNECT = "socket.connect"
TRAFFIC = "socket.traffic"
"""No audit event: bytes sent or received over a connection that may be open for long."""
TOO_LARGE = "file.too_large"
"""Nor is this: a file was read of which not all is recorded."""
_LOOKUPS = frozenset(
    f"socket.{name}" for name in "getaddrinfo gethostbyname gethostbyaddr getnameinfo".split()
)
_SYSTEM = (*DEVICES, "/proc/", "/sys/")
_CODE = (".pyc", ".pyo")

_Place = tuple[str, str, int]


class Holes:
    """What one recording lists, in the order in which it was seen first."""

    __slots__ = ("_found", "_more")

    def __init__(self) -> None:
        self._found: dict[_Place, tuple[str, str, Frame | None, str, list[int]]] = {}
        self._more = 0

    def note(
        self, operation: str, target: str, where: FrameType | None, library: str, thread: str
    ) -> None:
        """Take note of one; the same from the same line is counted.

        Args:
            operation, target, library: as of `Hole`.
            where: the application's line.
            thread: stands for the line where there is none.
        """
        code = where.f_code.co_filename if where is not None else thread
        place = (operation, code, where.f_lineno if where is not None else 0)
        if operation == TRAFFIC:
            place = (operation, target, 0)  # to and fro, from many lines
        known = self._found.get(place)
        if known is not None:
            known[4][0] += 1
        elif len(self._found) >= MOST_HOLES:
            self._more += 1
        else:
            line = frame_of(where) if where is not None else None
            self._found[place] = (operation, target, line, library, [1])

    @property
    def count(self) -> int:
        """How many there are, those included that are not listed."""
        return len(self.listed()) + self._more

    def listed(self) -> list[Hole]:
        """Return them; looking a name up, and what is sent, are part of the connecting."""
        connects = [place for place in self._found if place[0] == _CONNECT]
        lines = {place[1:] for place in connects}
        targets = {self._found[place][1] for place in connects}
        return [
            Hole(operation, target, line, library, times[0])
            for place, (operation, target, line, library, times) in self._found.items()
            if not (operation in _LOOKUPS and place[1:] in lines)
            and not (operation == TRAFFIC and target in targets)
        ]


def begin() -> None:
    """Watch this process from now on; calling it again is harmless."""
    native.watch(seen)


def seen(lane: native.Lane, event: str, args: tuple[Any, ...]) -> None:
    """Take note of an audit event in a lane, with the line of the caller."""
    holes = getattr(getattr(lane, "scope", None), "holes", None)
    if holes is not None:
        with failsafe.gate("coverage watch"):
            _note(holes, event, args, sys._getframe(1))


def _note(holes: Holes, event: str, args: tuple[Any, ...], frame: FrameType | None) -> None:
    if (event == TRAFFIC or event in _LOOKUPS) and covering.is_covered(frame):
        return
    target = _target(event, args)
    if target is None:
        return
    library = ""
    for _ in range(_DEEPEST):
        if frame is None:
            break
        kind, name = covering.kind_of(frame.f_code.co_filename)
        if kind == "exempt":
            return
        if kind == "application":
            break
        library = name or library
        frame = frame.f_back
    else:
        frame = None
    if frame is None and event in _LOOKUPS:
        return  # on a thread of the event loop's; the connecting is seen as well
    holes.note(event, target[:_TARGET_LIMIT], frame, library, library)


def _target(event: str, args: tuple[Any, ...]) -> str | None:
    """Return in words what is reached, without anything secret; None for what is no hole."""
    if is_harmless(event, args):
        return None
    if event == OPEN:
        path = os.fsdecode(args[0])
        return None if path.startswith(_SYSTEM) or path.endswith(_CODE) else path
    if event == TOO_LARGE:
        return os.path.abspath(os.fsdecode(args[0]))
    if event == TRAFFIC:
        return _peer(args[0])
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        return address_text(args[:2]) if event.endswith("info") else str(args[0])
    if event.startswith("socket."):
        return address_text(args[-1])
    if event.startswith("ctypes."):
        return _symbol(event, args)
    if event == "subprocess.Popen":
        return _program(args[0] or (args[1][0] if isinstance(args[1], list | tuple) else args[1]))
    if event in ("os.system", "pty.spawn"):
        command = args[0]
        return _program(command[0] if isinstance(command, list | tuple) else command)
    if event == "os.spawn":
        return _program(args[1])
    if event in ("os.fork", "os.forkpty"):
        return "a process"
    if event in ("os.exec", "os.posix_spawn"):
        return _program(args[0])
    if event == "sqlite3.connect":
        return None if args[0] in (":memory:", b":memory:", "") else os.fsdecode(args[0])
    return _file(event, args)


def _peer(connection: Any) -> str | None:
    """Return the other end; None for a pair of sockets within the process."""
    if not hasattr(connection, "getpeername"):
        connection = connection.owner  # of the TLS part
        if connection is None:
            return None
        if not hasattr(connection, "getpeername"):  # in memory, of one of asyncio's transports
            return str(connection.server_hostname or "a TLS connection")
    try:
        peer = connection.getpeername()
    except OSError:
        return address_text(None)
    return address_text(peer) if peer and not is_end(connection, peer) else None


def address_text(address: Any) -> str:
    """Return the address of a socket in words."""
    if isinstance(address, tuple) and len(address) > 1:
        host, port = address[:2]
        host = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    if isinstance(address, str | bytes):
        return os.fsdecode(address).replace("\0", "@")
    return "a connected socket"


def _program(command: Any) -> str:
    words = os.fsdecode(command).split(None, 1)  # what comes after it may be secret
    return words[0] if words else ""


def _symbol(event: str, args: tuple[Any, ...]) -> str | None:
    if event == "ctypes.dlopen":
        return os.fsdecode(args[0]) if args[0] else None
    library = getattr(args[0], "_name", None)
    return f"{os.path.basename(library)}: {args[1]}" if library else None


def _file(event: str, args: tuple[Any, ...]) -> str | None:
    path = absolute(event, args) if event in FILE_EVENTS else args[0]
    if not isinstance(path, str | bytes | os.PathLike):
        return "an open file"
    text = os.fsdecode(path)
    # Of temporary folders, which on replay are a scratch folder, files are removed one by one.
    scratch = os.path.join(temporary_folder(), "")
    return None if text.startswith((scratch, *_SYSTEM)) else text
