"""Sameness: what two calls have in common: reads that may change places, changed SELECT lists.

And batches: one statement with many rows of parameters, which an object-relational mapper takes
from a set of objects, that is in the order of their addresses. Their order changes no answer.
So it is where such a mapper runs the statement once for each of them.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrace_core.recording import Event

__all__ = [
    "is_read",
    "likeness",
    "same_batch",
    "same_but_parameters",
    "same_but_select_list",
    "same_rows",
]

_READS = frozenset(
    """
    SELECT WITH SHOW EXPLAIN VALUES GET HEAD OPTIONS MGET HGET HGETALL HMGET HEXISTS HKEYS HVALS
    HLEN EXISTS TTL PTTL SMEMBERS SISMEMBER SCARD LRANGE LLEN LINDEX ZRANGE ZSCORE ZCARD ZRANK
    STRLEN TYPE KEYS
    """.split()
)
"""First words of SQL statements, of HTTP requests and of Redis commands that change nothing."""
_WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|INTO|SHARE|NEXTVAL|SETVAL|PG_\w*LOCK\w*)\b", re.IGNORECASE
)
"""What makes a SELECT or WITH change something, or hold a lock."""
_BATCHES = ("executemany", "bind_execute_many")
"""Last parts of the kinds of statements that run once for each row of parameters."""
_MOST_MASKED = 50
"""So many rows of a batch are compared each with each."""
_READING_KINDS = ("openfeature.evaluate", "ldclient.variation")
_ADDS = re.compile(r"\s*(?:INSERT|DELETE)\b", re.IGNORECASE)
"""How statements begin of which several make the same in each order."""
_INDEX = re.compile(r"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"[()]|'(?:[^']|'')*'|\"[^\"]*\"|\bFROM\b", re.IGNORECASE)
_SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_COMPARED = 600


def is_read(event: Event) -> bool:
    """Return True for a call that certainly changes nothing; in doubt False."""
    if event.kind.startswith(_READING_KINDS):
        return True
    text = _statement(event.key)
    word = text.lstrip().partition(" ")[0].partition("\n")[0].upper()
    if word not in _READS:
        return False
    return word not in ("SELECT", "WITH", "EXPLAIN") or _WRITES.search(text) is None


def same_batch(
    kind: str, recorded: Any, asked: Any, same: Callable[[Any, Any], bool] = operator.eq
) -> bool:
    """Return True for the keys of one batch whose rows stand in another order.

    Args:
        kind: of the call.
        recorded, asked: the keys.
        same: compares two rows that are not equal: of what was masked, say. A set of words has
            another order where one of them is another.
    """
    if kind.rpartition(".")[2] not in _BATCHES:
        return False
    if not isinstance(recorded, list | tuple) or not isinstance(asked, list | tuple):
        return False
    if len(recorded) != len(asked) or "returning" in repr(recorded[:1]).lower():
        return False  # what it returns, it returns row by row
    return all(
        was == now or (isinstance(was, list | tuple) and same_rows(was, now, same))
        for was, now in zip(recorded, asked, strict=True)
    )


def same_but_parameters(recorded: Any, asked: Any) -> bool:
    """Return True for two keys of one statement, of which several may run in any order.

    That is one that adds rows or takes them away, or reads; its parameters come last. And one that
    makes an index, whichever it is: SQLAlchemy keeps those of a table in a set.
    """
    if _is_index(recorded) and _is_index(asked):
        return True
    if not isinstance(recorded, list | tuple) or not isinstance(asked, list | tuple):
        return False
    if len(recorded) != len(asked) or len(recorded) < 2 or list(recorded[:-1]) != list(asked[:-1]):
        return False
    text = next((one for one in recorded[:-1] if isinstance(one, str) and " " in one), "")
    return _ADDS.match(text) is not None or (
        _SELECT.match(text) is not None and _WRITES.search(text) is None
    )


def _is_index(key: Any) -> bool:
    parts: Any = key if isinstance(key, list | tuple) else [key]
    text = next((one for one in parts if isinstance(one, str) and " " in one), "")
    return _INDEX.match(text) is not None


def same_but_select_list(recorded: Any, asked: Any) -> bool:
    """Return True for two keys that are one SELECT but for the columns that it lists."""
    if not isinstance(recorded, list | tuple) or not isinstance(asked, list | tuple):
        return False
    if len(recorded) != len(asked) or list(recorded[1:]) != list(asked[1:]):
        return False
    was, now = _after_list(_statement(recorded)), _after_list(_statement(asked))
    return was is not None and was == now


def likeness(recorded: Any, asked: Any) -> float:
    """Return how much two keys are alike, from 0 to 1."""
    was, now = repr(recorded)[:_COMPARED], repr(asked)[:_COMPARED]
    return difflib.SequenceMatcher(None, was, now, autojunk=False).ratio()


def same_rows(recorded: Sequence[Any], asked: Any, same: Callable[[Any, Any], bool]) -> bool:
    """Return True where the rows are the same ones, whatever their order."""
    if not isinstance(asked, list | tuple) or len(recorded) != len(asked):
        return False
    was, now = Counter(map(repr, recorded)), Counter(map(repr, asked))
    lacking = _without(recorded, now)
    left = _without(asked, was)
    if len(lacking) > _MOST_MASKED:
        return False
    for row in lacking:
        found = next((place for place, other in enumerate(left) if same(row, other)), None)
        if found is None:
            return False
        del left[found]
    return True


def _without(rows: Sequence[Any], others: Counter[str]) -> list[Any]:
    """Return the rows that the others lack."""
    rest = others.copy()
    left: list[Any] = []
    for row in rows:
        text = repr(row)
        if rest[text] > 0:
            rest[text] -= 1
        else:
            left.append(row)
    return left


def _statement(key: Any) -> str:
    first = key[0] if isinstance(key, list | tuple) and key else key
    if isinstance(first, bytes):
        return first.decode("utf-8", "replace")
    return first if isinstance(first, str) else ""


def _after_list(sql: str) -> str | None:
    """Return a SELECT from its FROM on, or None."""
    select = _SELECT.match(sql)
    if select is None:
        return None
    depth = 0
    for token in _TOKEN.finditer(sql, select.end()):
        if token[0] == "(":
            depth += 1
        elif token[0] == ")":
            depth -= 1
        elif depth == 0 and token[0].upper() == "FROM":
            return _SPACE.sub(" ", sql[token.start() :]).strip()
    return None
