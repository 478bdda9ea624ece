"""Audit events: what the interpreter's audit events say of the world, for watch and sandbox."""

from __future__ import annotations

import os
from socket import SOCK_STREAM
from typing import Any

from retrace_core.sockets.own_pair import listener_at

__all__ = [
    "DEVICES",
    "FILE_EVENTS",
    "LINKS",
    "NAMES",
    "OPEN",
    "WORLD",
    "absolute",
    "is_harmless",
    "writes",
]

OPEN = "open"
WORLD = frozenset(
    """
    socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo
    socket.gethostbyname socket.gethostbyaddr socket.getnameinfo
    subprocess.Popen os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty os.startfile
    pty.spawn os.kill os.killpg
    os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown
    """.split()
)
"""Events that reach the world; files that are opened and databases are apart."""
FILE_EVENTS = frozenset(
    name for name in WORLD if name.startswith(("os.r", "os.m", "os.ch", "os.truncate"))
)
LINKS = {"os.link": slice(0, 2), "os.symlink": slice(1, 2)}
"""Events that make a link, and which of their paths must not be of the world: what is written to
another name of a file is in the file."""
NAMES = frozenset(("os.remove", "os.rename", "os.rmdir"))
"""Events that are about a name, and not about what a link of that name leads to."""
DEVICES = (
    "/dev/null",
    "/dev/tty",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/pts/",
    "/dev/random",
    "/dev/urandom",
    "/proc/self/comm",
    "/dev/shm/pym-",
)
"""Beginnings of paths to which anybody may write.

What is written to the two that draw is mixed into what they have (web2py and py4web do so as they
start). The last two are the name of this process, and memory that `multiprocessing` shares with its
children (`Value`, `Array`): a file that it removes as soon as it is open.
"""
_BESIDE = ("os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown")
"""Events whose last argument is the open folder that the path is relative to, or -1."""
_LOOPBACK, _ANYWHERE = ("127.0.0.1", "::1"), ("", "0.0.0.0", "::")
_LINKER = ["/sbin/ldconfig", "-p"]
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def writes(mode: object, flags: object) -> bool:
    """Return True for a file that is opened for writing, by the arguments of its event."""
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def absolute(event: str, args: tuple[Any, ...]) -> object:
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


def is_harmless(event: str, args: tuple[Any, ...]) -> bool:
    """Return True for what reaches nobody, and libraries do once for each process.

    urllib3 binds to no particular port of this machine as it is imported, to see whether there
    is IPv6; ldap3 does so with each socket before it connects. `ctypes.util.find_library` has the
    linker's cache printed (psycopg does), and `platform.processor()` runs uname, for the user
    agent of an SDK.
    """
    if event == "subprocess.Popen":
        return args[0] == "uname" or list(args[1]) == _LINKER
    if event == "os.posix_spawn":  # which subprocess goes by since CPython 3.13
        return list(args[1]) == _LINKER
    if event == "socket.connect" and len(args) > 1:
        return listener_at(args[0], args[1]) is not None  # of this process
    if event != "socket.bind" or len(args) < 2:
        return False
    own, address = args[0], args[1]
    if not isinstance(address, tuple) or address[1:2] != (0,):
        return False
    host: Any = address[0]
    return host in _LOOPBACK or (host in _ANYWHERE and own.type == SOCK_STREAM)
