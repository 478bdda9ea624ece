"""Reordered: one statement whose rows, or whose list of values, stand in another order.

A mapper makes `INSERT ... VALUES (...), (...)` and `... IN (...)` of what it is given, and that is
often a set of objects: those come in the order of their addresses, another one in each process.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from retrace_core.replay.sameness import same_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["same_in_another_order"]

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`")
_PLACE = re.compile(r"\?|%s|\$\d+")
_LIST = re.compile(rf"\bIN\s*\(\s*(?:{_PLACE.pattern})(?:\s*,\s*(?:{_PLACE.pattern}))+\s*\)", re.I)
_ROW = r"\((?:[^()]|\([^()]*\))*\)"
_ROWS = re.compile(rf"\bVALUES\s*(?P<rows>{_ROW}(?:\s*,\s*{_ROW})+)", re.I)
_EACH = re.compile(_ROW)
_LONGEST = 100_000
"""A longer statement is not taken apart."""


def same_in_another_order(recorded: Any, asked: Any, same: Callable[[Any, Any], bool]) -> bool:
    """Return True for the keys of one statement, which adds or lists the same in another order.

    What it returns of added rows is given to others of them then: numbers that the database drew.

    Args:
        recorded, asked: the keys, a statement and its parameters, which come last.
        same: compares two values.
    """
    if not isinstance(recorded, list | tuple) or not isinstance(asked, list | tuple):
        return False
    if not 2 <= len(recorded) == len(asked) or list(recorded[:-1]) != list(asked[:-1]):
        return False
    was, now = recorded[-1], asked[-1]
    if not isinstance(was, list | tuple) or not isinstance(now, list | tuple):
        return False
    text = next((one for one in recorded[:-1] if isinstance(one, str) and " " in one), "")
    if len(was) != len(now) or not text or len(text) > _LONGEST:
        return False
    free = list(_free(_QUOTED.sub("''", text), len(was)))
    if not free:
        return False
    kept = set(range(len(was))).difference(*(range(begin, end) for begin, end, _ in free))
    return all(same(was[place], now[place]) for place in kept) and all(
        same_rows(_cut(was, *span), _cut(now, *span), same) for span in free
    )


def _free(text: str, count: int) -> Iterator[tuple[int, int, int]]:
    """Yield which parameters may change places: from, to, and how many make a row."""
    if len(_PLACE.findall(text)) != count:
        return
    for found in _LIST.finditer(text):
        begin = len(_PLACE.findall(text, 0, found.start()))
        yield begin, begin + len(_PLACE.findall(found[0])), 1
    for found in _ROWS.finditer(text):
        sizes = [len(_PLACE.findall(row)) for row in _EACH.findall(found["rows"])]
        if sizes[0] and len(set(sizes)) == 1:
            begin = len(_PLACE.findall(text, 0, found.start()))
            yield begin, begin + sum(sizes), sizes[0]


def _cut(values: Sequence[Any], begin: int, end: int, size: int) -> list[Any]:
    return [values[place : place + size] for place in range(begin, end, size)]
