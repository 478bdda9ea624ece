"""Sandbox: during replay an audit hook refuses the live world.

Refused are sockets (connect, bind, name look-ups, datagrams), processes, database files, and
files opened for writing outside the folders that are allowed. Audit hooks can't be removed
again, so there is one for the process, and it is switched on for the time of a replay.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retrace_core.errors import LiveCallRefused
from retrace_core.live_call import any_live, is_live
from retrace_core.replay.divergence import asking_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["closed_world"]

_REFUSED = frozenset(
    """
    socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo
    socket.gethostbyname socket.gethostbyaddr socket.getnameinfo
    subprocess.Popen os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty os.startfile
    pty.spawn ftplib.connect imaplib.open poplib.connect telnetlib.Telnet.open
    os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown
    """.split()
)
_FILE_EVENTS = frozenset(name for name in _REFUSED if name.startswith(("os.r", "os.m")))
_BESIDE = ("os.remove", "os.rmdir", "os.mkdir", "os.chmod")
"""Events whose last argument is the open folder that the path is relative to, or -1."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES = ("/dev/null", "/dev/tty", "/dev/stdout", "/dev/stderr", "/dev/pts/")

_installed = False
_allowed: tuple[str, ...] | None = None
"""Folders that may be written to while closed; None while the world is open."""
_refusals: list[str] = []


@contextmanager
def closed_world(allow_write: Sequence[str] = ()) -> Iterator[list[str]]:
    """Refuse live calls while the block runs.

    Args:
        allow_write: folders below which files may be written; a private scratch folder is
            always allowed (it is `tempfile.gettempdir()` inside).

    Yields:
        What was refused, in words, as it happens: the list grows.
    """
    global _allowed, _installed
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="retrace-scratch-") as scratch:
        tempfile.tempdir = scratch
        refusals: list[str] = []
        _refusals[:] = []
        _allowed = tuple(os.path.realpath(folder) for folder in (scratch, *allow_write))
        try:
            yield refusals
        finally:
            _allowed = None
            tempfile.tempdir = before
            refusals.extend(_refusals)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    allowed = _allowed
    if allowed is None or is_live():
        return
    if event == "socket.getaddrinfo" and any_live():
        return  # an event loop looks names up on a thread of its own
    if event == "open":
        path, mode, flags = args
        if isinstance(path, (str, bytes, os.PathLike)) and _writes(mode, flags):
            _check_path("open for writing", path, allowed)
    elif event == "sqlite3.connect":
        if args and args[0] not in (":memory:", b":memory:", ""):
            _refuse(event, str(args[0]))
    elif event in _FILE_EVENTS:
        _check_path(event, _beside(event, args), allowed)
    elif event in _REFUSED:
        if _is_harmless(event, args):
            return
        target = args[1] if event.startswith("socket.") and len(args) > 1 else args[:1]
        _refuse(event, str(target))


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def _check_path(operation: str, path: object, allowed: tuple[str, ...]) -> None:
    if isinstance(path, int):
        return
    text = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else str(path)
    if text.startswith(_DEVICES):
        return
    real = os.path.realpath(text)
    if not any(real == folder or real.startswith(folder + os.sep) for folder in allowed):
        _refuse(operation, text)


def _beside(event: str, args: tuple[Any, ...]) -> object:
    """Return a file event's path; one relative to an open folder is made absolute.

    `shutil.rmtree`, and so `tempfile.TemporaryDirectory`, removes in that way.
    """
    path, folder = args[0], args[-1]
    if event not in _BESIDE or not isinstance(folder, int) or folder < 0 or isinstance(path, int):
        return path
    try:
        return os.path.join(os.readlink(f"/proc/self/fd/{folder}"), os.fsdecode(path))
    except OSError:  # no such place on this platform: refused unless the path is allowed itself
        return path


def _is_harmless(event: str, args: tuple[Any, ...]) -> bool:
    """Return True for what reaches nobody, and libraries do once for each process.

    urllib3 binds to no particular port of this machine as it is imported, to see whether there
    is IPv6. `ctypes.util.find_library` has the linker's cache printed (psycopg does), and
    `platform.processor()` runs uname, for the user agent of an SDK.
    """
    if event == "subprocess.Popen":
        return args[0] == "uname" or list(args[1]) == ["/sbin/ldconfig", "-p"]
    address = args[1] if len(args) > 1 else None
    return (
        event == "socket.bind"
        and isinstance(address, tuple)
        and address[:2] in (("127.0.0.1", 0), ("::1", 0))
    )


def _refuse(operation: str, target: str) -> None:
    where = asking_line()
    at = f" at {where.file}:{where.line}" if where else ""
    _refusals.append(f"{operation} to {target}{at}")
    raise LiveCallRefused(operation, target)
