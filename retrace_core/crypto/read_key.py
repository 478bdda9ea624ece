"""A private key of paramiko's that is read: only its public half is kept.

It is read once for the process, maybe while a request waits, so it is on the boot tape. On replay
nobody is logged in to: a public key does.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boot.tape import is_active, on_boot_tape
from retrace_core.boundary import call
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["reading_key"]

_KIND = "paramiko.private_key"


def reading_key(original: Callable[..., None]) -> Callable[..., None]:
    """Hook `__init__` of a class of keys."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807
        given = {**dict(zip(("msg", "data", "filename"), args, strict=False)), **options}
        filename = given.get("filename")
        if current() is None or (filename is None and given.get("file_obj") is None):
            return original(self, *args, **options)
        key = [type(self).__name__, None if filename is None else str(filename)]
        init = functools.partial(original, self)
        if not is_active():
            return _read(self, key, init, functools.partial(init, *args, **options))
        with on_boot_tape(_KIND, key):
            return _read(self, key, init, functools.partial(init, *args, **options))

    return __init__


def _read(own: Any, key: Any, init: Callable[..., None], live: Callable[[], None]) -> None:
    """Read a key, or make it of its public half."""
    lane = current()
    if lane is None:
        return live()
    public: Any = call(lane, _KIND, key, live, lambda _: own.asbytes())
    if lane.mode == REPLAY and public is not None:
        init(data=public)
    return None
