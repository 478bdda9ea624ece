"""Weakly: what is known of an object is forgotten when the object goes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["weakly"]


def weakly(thing: object, known: dict[int, Any] | None = None) -> Callable[[], object]:
    """Return what gives `thing` as long as it lives, and None afterwards.

    So that an application that is made for one test, or one tenant, goes when it is done with.
    What can't be referred to weakly is kept.

    Args:
        thing: any object.
        known: what is known of objects, by their ids; that of `thing` is taken out when it goes.
    """
    key = id(thing)

    def gone(_: object) -> None:
        if known is not None:
            known.pop(key, None)

    try:
        return weakref.ref(thing, gone)
    except TypeError:
        return lambda: thing
