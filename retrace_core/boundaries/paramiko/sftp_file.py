"""paramiko's files over SFTP: what is read and written.

Hooks: `SFTPFile._read` and `_write`, below its buffers, and reading ahead, which a thread does.
Read in paramiko 3.4 to 5.1.
"""

from __future__ import annotations

from typing import Any

from paramiko.sftp_file import SFTPFile

from retrace_core.boundary import Boundary, Patch
from retrace_core.secure_shell import asking, content_of, outside

_File: Any = SFTPFile


def _transport(file: Any) -> Any:
    channel = file.sftp.sock
    return channel.get_transport() if hasattr(channel, "get_transport") else None


def _place_in(file: Any, size: int) -> list[Any]:
    return [file._realpos, size]


def _written(file: Any, data: Any) -> list[Any]:
    return [file._realpos, content_of(data)]


def _all(_: Any, data: Any) -> int:
    return len(data)


def _nothing(*_: Any, **__: Any) -> None:
    return None


BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(
        Patch(_File, "_read", asking("paramiko.sftp_read", _place_in, _transport, b"")),
        Patch(_File, "_write", asking("paramiko.sftp_write", _written, _transport, _all)),
        Patch(_File, "_start_prefetch", outside(_transport, _nothing)),
    ),
    errors=("paramiko.sftp",),
)
