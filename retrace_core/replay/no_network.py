"""No network: the process of a replay has one of its own, that leads nowhere.

What goes by Python's own sockets the sandbox refuses; a client library in C asks nobody. So, where
the kernel lets us (Linux), the process is put into a network of its own, with nothing in it but
loopback, which stand-ins of servers need. See `man 7 network_namespaces`, `man 7 user_namespaces`.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Final

__all__ = ["leave_network"]

_NEW_USER: Final = 0x10000000
_NEW_NETWORK: Final = 0x40000000
_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS
_UP_AND_RUNNING: Final = 0x1 | 0x40
_CAPABILITIES_V3: Final = 0x20080522


def leave_network() -> bool:
    """Leave the machine's network, for good; to be called before there are threads.

    Returns:
        False where that is not possible: the process goes on as it was.
    """
    if sys.platform != "linux" or len(os.listdir("/proc/self/task")) > 1:
        return False
    # It can't be taken back when only a part of it is allowed, as on some systems; a child tries.
    child = os.fork()
    if child == 0:
        os._exit(0 if _leaves() and _has_loopback() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 and _leaves()


def _leaves() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    try:
        if libc.unshare(_NEW_NETWORK) == 0:  # as root
            _raise_loopback()
            return True
        if libc.unshare(_NEW_USER | _NEW_NETWORK) != 0:
            return False
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        _raise_loopback()
    except OSError:
        return False
    # It may do no more than before: the capabilities that come with it are given back.
    nothing = struct.pack("=6I", *(0,) * 6)
    return bool(libc.capset(struct.pack("=Ii", _CAPABILITIES_V3, 0), nothing) == 0)


def _raise_loopback() -> None:
    with socket.socket() as any_one:
        fcntl.ioctl(any_one, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP_AND_RUNNING))


def _has_loopback() -> bool:
    try:
        with socket.socket() as server, socket.socket() as client:
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
    except OSError:
        return False
    return Path(__file__).stat().st_size > 0
