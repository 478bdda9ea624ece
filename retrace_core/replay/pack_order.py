"""Pack order: the objects of a pack of Git's, which servers take from sets.

dulwich's have tuples with None in them, whose hash was an address before CPython 3.12: no replay
can bring their order back, and a pack in another one says the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core.documents import git_pack

if TYPE_CHECKING:
    from retrace_core.replay.masks import Masks

__all__ = ["pack_note", "same_objects"]

_LARGEST = 1 << 28


def same_objects(recorded: bytes, replayed: bytes) -> bool:
    """Return True for two bodies that are packs of the same objects, in packets or not."""
    said = git_pack.said(recorded, _LARGEST)
    return said is not None and said == git_pack.said(replayed, _LARGEST)


def pack_note(recorded: bytes, replayed: bytes, masks: Masks | None = None) -> list[str]:
    """Return what is worth saying of two packs, or nothing.

    Args:
        recorded: the body.
        replayed: what came out instead.
        masks: what was masked in it; such a one is packed otherwise by its nature.
    """
    if recorded == replayed or masks or not same_objects(recorded, replayed):
        return []
    return ["the body is the same but for the order of the objects in a pack of Git's"]
