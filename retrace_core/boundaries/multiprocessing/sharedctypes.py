"""`Value` and `Array` of multiprocessing: what is read there, another process may have written.

A value that is read, or an item, is an event. Who takes the lock, or asks for the object itself,
may read whatever is in it: then what it holds is, as bytes, and on replay it holds the same. Raw
ones (`lock=False`, `RawValue`) are objects of `ctypes`, and not covered.

Hooks: the properties `value` and `raw`, `__getitem__` and `__setitem__`, and of `SynchronizedBase`
`__init__`, `__enter__` and `get_obj`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import ctypes
import functools
from multiprocessing.sharedctypes import (
    Synchronized,
    SynchronizedArray,
    SynchronizedBase,
    SynchronizedString,
)
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call, mask
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_BYTES = 1 << 20
"""What is larger is not kept whole."""


def _read(name: str) -> Callable[[property], property]:
    def hook(live: property) -> property:
        get: Any = live.fget

        def read(shared: Any) -> Any:
            lane = current()
            if lane is None:
                return get(shared)
            key = [name, type(shared._obj).__name__]
            return call(lane, "multiprocessing.shared", key, functools.partial(get, shared))

        return property(read, _written(live.fset), doc=live.__doc__)

    return hook


def _written(write: Any) -> Any:
    @functools.wraps(write)
    def writing(shared: Any, *given: Any) -> None:
        with mask():  # whatever was there before
            write(shared, *given)

    return writing


def _item(get: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(get)
    def getting(shared: Any, place: Any) -> Any:
        lane = current()
        if lane is None:
            return get(shared, place)
        key = ["item", type(shared._obj).__name__, place]
        return call(lane, "multiprocessing.shared", key, functools.partial(get, shared, place))

    return getting


def _making(make: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(make)
    def making(shared: Any, *args: Any, **options: Any) -> None:
        make(shared, *args, **options)
        shared.acquire = functools.partial(_acquire, shared, shared.acquire)

    return making


def _acquire(shared: Any, live: Callable[..., Any], *args: Any, **options: Any) -> Any:
    got = live(*args, **options)
    if got:
        _hold(shared)
    return got


def _holding(enter: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(enter)
    def entering(shared: Any) -> Any:
        given = enter(shared)
        _hold(shared)
        return given

    return entering


def _hold(shared: Any) -> None:
    """Have it hold what it held when it was recorded."""
    lane, own = current(), shared._obj
    if lane is None or ctypes.sizeof(own) > _MOST_BYTES:
        return
    held = (ctypes.c_char * ctypes.sizeof(own)).from_buffer(own)
    key = ["all", type(own).__name__]
    said: bytes = call(lane, "multiprocessing.shared", key, lambda: held.raw)
    if len(said) == len(held) and said != held.raw:
        held.raw = said


BOUNDARY = Boundary(
    kind="multiprocessing",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(SynchronizedBase, "__init__", _making),
        Patch(SynchronizedBase, "__enter__", _holding),
        Patch(SynchronizedBase, "get_obj", _holding),
        Patch(Synchronized, "value", _read("value")),
        Patch(SynchronizedString, "value", _read("value")),
        Patch(SynchronizedString, "raw", _read("raw")),
        Patch(SynchronizedArray, "__getitem__", _item),
        Patch(SynchronizedArray, "__setitem__", _written),
    ),
)
