"""paramiko's channels: commands, shells, what goes to them and what comes.

Hooks: the methods of `Channel` that ask the other side or wait for it, to which the files of
stdin, stdout and stderr come. With each answer is kept whether the channel has ended, as its
attributes tell. Read in paramiko 3.4 to 5.1.
"""

from __future__ import annotations

from typing import Any

from paramiko.channel import Channel

from retrace_core.boundary import Boundary, Patch
from retrace_core.secure_shell import asking, content_of, outside, setting_up

_Channel: Any = Channel


def _transport(channel: Any) -> Any:
    return channel.transport


def _no_key(*_: Any, **__: Any) -> None:
    return None


def _first(_: Any, what: Any = None, *__: Any, **___: Any) -> Any:
    return content_of(what)


def _name(_: Any, name: Any = None, *__: Any, **___: Any) -> Any:
    return str(name)  # the value of a variable may be a secret


def _all(_: Any, data: Any) -> int:
    return len(data)


def _said(channel: Any, outcome: Any) -> list[Any]:
    """Return an answer with how far the channel is."""
    return [outcome, bool(channel.closed), bool(channel.eof_received), channel.exit_status]


def _told(channel: Any, kept: Any) -> Any:
    outcome, channel.closed, eof, channel.exit_status = kept
    channel.eof_received = int(eof)
    return outcome


def _asking(name: str, key: Any = _no_key, silent: Any = None) -> Patch:
    kind = f"paramiko.{name}"
    return Patch(_Channel, name, asking(kind, key, _transport, silent, _said, _told))


def _close(channel: Any) -> None:
    channel.closed = True


def _shut_down(channel: Any, how: int) -> None:
    if how in (0, 2):
        channel.eof_received = 1
    if how in (1, 2):
        channel.eof_sent = True


def _nothing(*_: Any, **__: Any) -> None:
    return None


BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(
        _asking("exec_command", _first),
        _asking("invoke_subsystem", _first),
        _asking("invoke_shell"),
        _asking("set_environment_variable", _name),
        _asking("recv", silent=b""),
        _asking("recv_stderr", silent=b""),
        _asking("recv_ready", silent=False),
        _asking("recv_stderr_ready", silent=False),
        _asking("send_ready", silent=False),
        _asking("exit_status_ready", silent=False),
        _asking("recv_exit_status", silent=-1),
        _asking("send", _first, silent=_all),
        _asking("send_stderr", _first, silent=_all),
        Patch(_Channel, "get_pty", setting_up("paramiko.get_pty", _transport, _nothing)),
        Patch(_Channel, "resize_pty", setting_up("paramiko.resize_pty", _transport, _nothing)),
        Patch(_Channel, "shutdown", setting_up("paramiko.shutdown", _transport, _shut_down)),
        Patch(_Channel, "set_combine_stderr", outside(_transport, _nothing)),
        Patch(_Channel, "close", outside(_transport, _close)),
    ),
    errors=("paramiko.ssh_exception",),
)
