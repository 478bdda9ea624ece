"""paramiko's SFTP: what is asked of a server about files, and what it answers, in its parts.

Hooks: below the methods of `SFTPClient`, its `_request`, which asks and waits, and what is sent
without waiting; a listing that is read ahead, item by item. Read in paramiko 3.4 to 5.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from paramiko import sftp
from paramiko.message import Message
from paramiko.sftp_attr import SFTPAttributes
from paramiko.sftp_client import SFTPClient

from retrace_core.boundary import Boundary, Patch, call, mask
from retrace_core.native import current
from retrace_core.secure_shell import asking, content_of, is_stub, outside, place_of, setting_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Client: Any = SFTPClient
_Attributes: Any = SFTPAttributes
_FIELDS = ("st_size", "st_uid", "st_gid", "st_mode", "st_atime", "st_mtime")
_VERSION = 3
_END = None


def _transport(client: Any) -> Any:
    channel = client.sock
    return channel.get_transport() if hasattr(channel, "get_transport") else None


def _text(data: Any) -> Any:
    """Return a name as text, where it is one, so that secrets in it are found."""
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        return bytes(data)


def _attributes(message: Any) -> list[Any]:
    found = _Attributes._from_msg(message)
    more = [[_text(name), bytes(value)] for name, value in found.attr.items()]
    return [*(getattr(found, name, None) for name in _FIELDS), more]


def _put_attributes(message: Any, fields: list[Any]) -> None:
    found = _Attributes()
    for name, value in zip(_FIELDS, fields, strict=False):
        setattr(found, name, value)
    found.attr = dict(fields[-1])
    found._pack(message)


def _parts(kind: int, message: Any) -> list[Any]:
    """Return the parts of an answer of that kind."""
    if kind == sftp.CMD_STATUS:
        return [message.get_int(), message.get_text()]
    if kind == sftp.CMD_HANDLE:
        return [message.get_binary()]
    if kind == sftp.CMD_DATA:
        return [_text(message.get_binary())]
    if kind == sftp.CMD_ATTRS:
        return _attributes(message)
    if kind == sftp.CMD_NAME:
        names = range(message.get_int())
        return [
            [_text(message.get_binary()), _text(message.get_binary()), _attributes(message)]
            for _ in names
        ]
    return [message.get_remainder()]


def _put_parts(message: Any, kind: int, parts: list[Any]) -> None:
    if kind == sftp.CMD_STATUS:
        message.add_int(parts[0])
        message.add_string(parts[1])
    elif kind in (sftp.CMD_HANDLE, sftp.CMD_DATA):
        message.add_string(parts[0])
    elif kind == sftp.CMD_ATTRS:
        _put_attributes(message, parts)
    elif kind == sftp.CMD_NAME:
        message.add_int(len(parts))
        for name, line, attributes in parts:
            message.add_string(name)
            message.add_string(line)
            _put_attributes(message, attributes)
    else:
        message.add_bytes(parts[0])


def _said(_: Any, answer: Any) -> list[Any]:
    kind, message = answer
    copied: Any = Message(message.asbytes())
    copied.get_int()  # the number of the question
    return [kind, _parts(kind, copied)]


def _told(_: Any, kept: Any) -> tuple[int, Any]:
    kind, parts = kept
    message: Any = Message()
    _put_parts(message, kind, parts)
    message.rewind()
    return kind, message


def _asked(_: Any, kind: int, *args: Any) -> list[Any]:
    return [sftp.CMD_NAMES.get(kind, kind), *(_argument(one) for one in args)]


def _argument(value: Any) -> Any:
    if isinstance(value, _Attributes):
        return [getattr(value, name, None) for name in _FIELDS]
    if isinstance(value, int):
        return int(value)
    return content_of(value) if isinstance(value, str) else content_of(_text(value))


def _version(_: Any) -> int:
    return _VERSION


def _number(client: Any, *_: Any) -> int:
    """Return the number of a question to which nobody waits for an answer."""
    number = client.request_number
    client.request_number += 1
    return int(number)


def _hooked_listdir_iter(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def listdir_iter(self: Any, path: Any = ".", *args: Any, **options: Any) -> Iterator[Any]:
        live: Any = None
        while True:
            lane = current()

            def step() -> Any:
                nonlocal live
                with mask():
                    if live is None and not is_stub(_transport(self)):
                        live = original(self, path, *args, **options)
                    return _END if live is None else next(live, _END)

            asks = [place_of(_transport(self)), content_of(path)]
            found = (
                step() if lane is None else call(lane, "paramiko.listdir", asks, step, _row, _of)
            )
            if found is _END:
                return
            yield found

    return listdir_iter


def _row(found: Any) -> Any:
    if found is _END:
        return None
    message: Any = Message()
    found._pack(message)
    message.rewind()
    return [found.filename, found.longname, _attributes(message)]


def _of(kept: Any) -> Any:
    if kept is None:
        return _END
    name, line, attributes = kept
    message: Any = Message()
    _put_attributes(message, attributes)
    message.rewind()
    return _Attributes._from_msg(message, name, line)


BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(
        Patch(_Client, "_send_version", setting_up("paramiko.sftp_version", _transport, _version)),
        Patch(_Client, "_request", asking("paramiko.sftp", _asked, _transport, None, _said, _told)),
        Patch(_Client, "_async_request", outside(_transport, _number)),
        Patch(
            _Client,
            "_finish_responses",
            asking("paramiko.sftp_finish", lambda *_: None, _transport, None),
        ),
        Patch(_Client, "listdir_iter", _hooked_listdir_iter),
    ),
    errors=("paramiko.sftp", "paramiko.ssh_exception"),
)
