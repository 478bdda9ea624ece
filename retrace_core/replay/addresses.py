"""Addresses: what `repr` says of an object of no name, `<Book object at 0x7f7ca6c44250>`.

Where an object lies in memory is nothing that the world answered: no replay can bring it back,
and two runs of one request differ in it. So texts that differ in nothing else count as the same,
if each address stands for one other throughout; the replay says how many there were.
"""

from __future__ import annotations

import re

__all__ = ["address_note", "differing_addresses"]

_ADDRESS = re.compile(rb"(?<= at 0x)[0-9a-fA-F]{6,16}(?=>|&gt;|\\u003[eE]|[ ,)]|$)")


def differing_addresses(recorded: bytes, replayed: bytes) -> int:
    """Return how many addresses differ between two texts that differ in nothing else, else 0.

    Args:
        recorded: a body, or a message in UTF-8.
        replayed: what came out instead.
    """
    if recorded == replayed or _ADDRESS.sub(b"", recorded) != _ADDRESS.sub(b"", replayed):
        return 0
    pairs = set(zip(_ADDRESS.findall(recorded), _ADDRESS.findall(replayed), strict=True))
    one_to_one = len({was for was, _ in pairs}) == len({now for _, now in pairs}) == len(pairs)
    return len(pairs) if one_to_one else 0


def address_note(recorded: bytes, replayed: bytes) -> list[str]:
    """Return what is worth saying of addresses in two bodies, or nothing."""
    count = differing_addresses(recorded, replayed)
    if not count:
        return []
    what = "1 address of an object" if count == 1 else f"{count} addresses of objects"
    return [f"the body is the same but for {what} (its repr says where it lies in memory)"]
