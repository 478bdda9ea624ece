"""Spawn order: a set of tasks that is gone through in the order in which they were added.

Task groups keep their tasks in sets, which are gone through in the order of addresses: whom a
group cancels first would be another one in each run. And what `wait` returns are sets: which of
several that are done the application looks at first would be another one, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, MutableSet
from typing import Any

from retrace_core.lane_hook import lane_hook
from retrace_core.native import current

__all__ = ["BySpawn", "SpawnOrder", "by_spawn", "in_spawn_order", "spawn_place"]


class SpawnOrder(MutableSet[Any]):
    """What a task group needs of a set."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: dict[Any, None] = {}

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def add(self, value: Any) -> None:
        """Add a member; the last one, where it is new."""
        self._members[value] = None

    def discard(self, value: Any) -> None:
        """Take a member out, where it is one."""
        self._members.pop(value, None)


def in_spawn_order(init: Callable[..., None]) -> Callable[..., None]:
    """Return an `__init__` after which `_tasks`, a set, is in order where a request is recorded."""

    @functools.wraps(init)
    def ordered(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        if current() is not None and type(self._tasks) is set and not self._tasks:
            self._tasks = SpawnOrder()

    return lane_hook(init, ordered)


class BySpawn(set[Any]):
    """A set of tasks or futures that is gone through in the order in which they were spawned.

    Those that have a lane come by it; others after them, as they come.
    """

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__(), key=_place_of))

    def pop(self) -> Any:
        """Take the first one out."""
        for first in self:
            self.remove(first)
            return first
        raise KeyError("pop from an empty set")

    def copy(self) -> BySpawn:
        """Return one with the same members."""
        return BySpawn(set.copy(self))


def by_spawn(futures: set[Any]) -> set[Any]:
    """Return a set of tasks or futures that is gone through in the order of their spawning."""
    return BySpawn(futures) if len(futures) > 1 else futures


def spawn_place(future: Any) -> list[tuple[int, str]] | None:
    """Return what sorts tasks and futures by when they were spawned; None where it has no lane."""
    lane: str = getattr(future, "retrace_lane", "")
    return [(len(part), part) for part in lane.split(".")] if lane else None


def _place_of(future: Any) -> tuple[bool, list[tuple[int, str]]]:
    place = spawn_place(future)
    return place is None, place or []
