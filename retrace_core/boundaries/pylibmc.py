"""pylibmc: each call to memcached, above the client that is in C.

Hooks: the methods of `pylibmc.Client`, which its mapping interface and its pools come to, and so
Django's `PyLibMCCache`. A value is kept as data, not as it is pickled. A client connects when it
is first asked: on replay it is made, and asks nobody. Read in pylibmc 1.6.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pylibmc

from retrace_core.boundary import Boundary, Patch, call, in_replay
from retrace_core.checksum import checksum_of
from retrace_core.concurrency.handed_over import NotData, pack_handed_over, unpack_handed_over
from retrace_core.errors import LiveCallRefused
from retrace_core.lane_hook import lane_hook
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Client: Any = pylibmc.Client
_SUMMED_FROM_BYTES = 1024
_DATA, _DEFAULT, _NO_DATA = range(3)
"""What is kept of an answer: itself, that it was the default, or only why it was no data."""
_CALLS: dict[str, tuple[str, ...]] = {
    "get": ("key", "default"),
    "gets": ("key",),
    "set": ("key", "val", "time"),
    "add": ("key", "val", "time"),
    "replace": ("key", "val", "time"),
    "append": ("key", "val", "time"),
    "prepend": ("key", "val", "time"),
    "cas": ("key", "val", "cas", "time"),
    "touch": ("key", "time"),
    "incr": ("key", "delta"),
    "decr": ("key", "delta"),
    "delete": ("key",),
    "get_multi": ("keys", "key_prefix"),
    "set_multi": ("keys", "time", "key_prefix"),
    "add_multi": ("keys", "time", "key_prefix"),
    "incr_multi": ("keys", "key_prefix", "delta"),
    "delete_multi": ("keys", "key_prefix"),
    "get_stats": ("args",),
    "flush_all": ("time",),
}
"""What asks a server, with its parameters; how values are compressed is in no key."""
_IN_NO_KEY = frozenset(("default", "time"))


def _asked(value: Any) -> object:
    """Return what stands in a key for an argument."""
    if isinstance(value, str | bytes):
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return value if len(data) < _SUMMED_FROM_BYTES else checksum_of(data)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_asked(one) for one in value]
    if isinstance(value, dict):
        return [[_asked(one) for one in pair] for pair in value.items()]
    return f"<{type(value).__qualname__}>"


def _packed(value: Any) -> list[Any]:
    try:
        return [_DATA, pack_handed_over(value)]
    except NotData as error:
        return [_NO_DATA, str(error)]


def _unpacked(kept: Any, default: Any) -> Any:
    form, value = kept
    if form == _DEFAULT:
        return default
    try:
        if form == _NO_DATA:
            raise NotData(value)
        return unpack_handed_over(value)
    except NotData as error:
        raise LiveCallRefused("pylibmc", f"a value that was not recorded: {error}") from error


def _hooked(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what hooks one method."""
    kind, names = f"pylibmc.{name}", _CALLS[name]

    def hook(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def asked(self: Any, *args: Any, **options: Any) -> Any:
            if args and names[0] == "keys" and not hasattr(args[0], "keys"):
                args = (list(args[0]), *args[1:])
            given = {**dict(zip(names, args, strict=False)), **options}

            def live() -> Any:
                if in_replay():
                    raise LiveCallRefused(kind, "memcached")
                return original(self, *args, **options)

            lane, default = current(), given.get("default")
            if lane is None:
                return live()

            def packed(value: Any) -> list[Any]:
                at_miss = "default" in given and value is default
                return [_DEFAULT, None] if at_miss else _packed(value)

            def unpacked(kept: Any) -> Any:
                return _unpacked(kept, default)

            return call(lane, kind, _key(names, given), live, packed, unpacked)

        return lane_hook(original, asked, anywhere=True)

    return hook


def _key(names: tuple[str, ...], given: Mapping[str, Any]) -> list[object]:
    return [_asked(given[name]) for name in names if name in given and name not in _IN_NO_KEY]


BOUNDARY = Boundary(
    kind="pylibmc",
    supports="pylibmc>=1.6",
    hooks=tuple(Patch(_Client, name, _hooked(name)) for name in _CALLS),
    errors=("pylibmc",),
)
