"""Shared memory by its name: what it holds whenever it is asked for its buffer is an event.

A replay makes no such memory and attaches to none: it has memory of its own, by the same name,
which holds the same. What an application reads by a buffer that it has kept from before (an
array of numpy over it) is not covered, nor is memory of more than a mebibyte.

Hooks: of `SharedMemory` `__init__`, `buf` and `unlink`; of `ShareableList` `__getitem__` and
`__setitem__`, which ask for the buffer several times. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import mmap
import secrets
from multiprocessing.shared_memory import ShareableList, SharedMemory
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call, in_replay, mask
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_BYTES = 1 << 20
_played: dict[str, mmap.mmap] = {}
"""What a replay has in the place of memory, by its name."""
_OWN = "_retrace_own"
"""Attribute of memory that a replay has made."""


def _making(make: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(make)
    def making(
        memory: Any, name: str | None = None, create: bool = False, size: int = 0, **options: Any
    ) -> None:
        lane = current()
        if lane is None and not in_replay():
            return make(memory, name, create, size, **options)

        def live() -> list[Any]:
            if not in_replay():
                make(memory, name, create, size, **options)
                return [memory.name, memory.size]
            if not create and f"/{name}" not in _played:
                raise FileNotFoundError(2, "No such file or directory", f"/{name}")
            known = _played.get(f"/{name}")
            return [name or f"psm_{secrets.token_hex(4)}", size if known is None else len(known)]

        if lane is None:
            _play(memory, *live())
            return None
        asked = [None if create and name is None else name, create, size]
        made, length = call(lane, "multiprocessing.memory", asked, live)
        if lane.mode == REPLAY:
            _play(memory, made, length)
        return None

    return making


def _play(memory: Any, name: str, size: int) -> None:
    own = _played.get(f"/{name}")
    if own is None or len(own) != size:
        own = _played[f"/{name}"] = mmap.mmap(-1, size)
    vars(memory).update({_OWN: own, "_name": f"/{name}", "_size": size, "_buf": memoryview(own)})


def _reading(live: property) -> property:
    get: Any = live.fget

    def read(memory: Any) -> Any:
        lane, buffer = current(), get(memory)
        if lane is None or buffer is None or len(buffer) > _MOST_BYTES:
            return buffer
        key = [memory.name, memory.size]
        held: bytes = call(lane, "multiprocessing.buf", key, lambda: bytes(buffer))
        if lane.mode == REPLAY and len(held) == len(buffer) and held != buffer:
            buffer[:] = held
        return buffer

    return property(read, doc=live.__doc__)


def _removing(remove: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(remove)
    def removing(memory: Any) -> None:
        if hasattr(memory, _OWN) or in_replay():
            _played.pop(memory._name, None)
        else:
            remove(memory)

    return removing


def _item(get: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get)
    def getting(shared: Any, position: Any) -> Any:
        lane = current()
        if lane is None:
            return get(shared, position)
        live = functools.partial(get, shared, position)
        return call(lane, "multiprocessing.item", [shared.shm.name, position], live)

    return getting


def _set(change: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(change)
    def setting(shared: Any, position: Any, value: Any) -> None:
        with mask():  # whatever was there before
            change(shared, position, value)

    return setting


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(SharedMemory, "__init__", _making),
        Patch(SharedMemory, "buf", _reading),
        Patch(SharedMemory, "unlink", _removing),
        Patch(ShareableList, "__getitem__", _item),
        Patch(ShareableList, "__setitem__", _set),
    ),
)
