"""Addresses: what `repr` says of an object of no name, `<Book object at 0x7f7ca6c44250>`.

Where an object lies in memory is nothing that the world answered: no replay can bring it back,
and two runs of one request differ in it. So texts that differ in nothing else count as the same,
if each address stands for one other throughout; the replay says how many there were.

A repr may write it by `id`, in decimal digits: `<Book 140104624598208>`. Such a number counts where
it ends a repr and can be an address: in the range of a process's memory, and a multiple of 16.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrace_core.replay.masks import Masks

__all__ = ["address_note", "as_recorded", "differing_addresses"]

_END = rb"(?:>|&gt;|\\u003[eE])"
_ADDRESS = re.compile(
    rb"(?<= at 0x)[0-9a-fA-F]{6,16}(?=" + _END + rb"|[ ,)]|$)"
    rb"|(?<=[ =])(?P<id>[0-9]{14,15})(?= ?" + _END + rb")"
)
_LOWEST, _HIGHEST = 0x5500_0000_0000, 0x7FFF_FFFF_FFFF
"""Where Linux puts a program, its heap and all that it maps."""
_ALIGNED = 16
"""CPython's objects lie at multiples of it."""


def as_recorded(recorded: bytes, replayed: bytes) -> bytes:
    """Return what was replayed with the recorded addresses in it, else as it is.

    Args:
        recorded: a body, or a message in UTF-8.
        replayed: what came out instead.
    """
    if recorded == replayed:
        return replayed
    was, now = _found(recorded), _found(replayed)
    pairs = set(zip((one[0] for one in was), (one[0] for one in now), strict=False))
    one_to_one = len({one for one, _ in pairs}) == len({one for _, one in pairs}) == len(pairs)
    if len(was) != len(now) or not one_to_one:
        return replayed
    pieces, place = list[bytes](), 0
    for one, other in zip(was, now, strict=True):
        pieces += replayed[place : other.start()], one[0]
        place = other.end()
    return b"".join([*pieces, replayed[place:]])


def differing_addresses(recorded: bytes, replayed: bytes) -> int:
    """Return how many addresses differ between two texts that differ in nothing else, else 0."""
    if recorded == replayed or as_recorded(recorded, replayed) != recorded:
        return 0
    return len({one[0] for one in _found(recorded)})


def address_note(recorded: bytes, replayed: bytes, masks: Masks | None = None) -> list[str]:
    """Return what is worth saying of addresses in two bodies, or nothing.

    Args:
        recorded: the body.
        replayed: what came out instead.
        masks: what was masked in it.
    """
    now = as_recorded(recorded, replayed)
    if now == replayed or not (now == recorded or (masks and masks.same(recorded, now))):
        return []
    count = len({one[0] for one in _found(recorded)})
    what = "1 address of an object" if count == 1 else f"{count} addresses of objects"
    return [f"the body is the same but for {what} (its repr says where it lies in memory)"]


def _found(text: bytes) -> list[re.Match[bytes]]:
    return [one for one in _ADDRESS.finditer(text) if one["id"] is None or _is_id(int(one["id"]))]


def _is_id(number: int) -> bool:
    return _LOWEST <= number <= _HIGHEST and number % _ALIGNED == 0
