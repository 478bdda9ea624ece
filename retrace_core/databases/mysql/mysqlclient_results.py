"""mysqlclient's results: recorded as they are read, and given back with no server.

A result is an object of C's, made by a connection of C's; its rows are read from it. What is
recorded are the values that it gives, after its converters.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import attempt, call
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Counts", "RecordedResult", "Stub", "counts_of", "described"]

_FETCH, _DISCARD = "mysqlclient.fetch", "mysqlclient.discard"

_COUNTS = ("affected_rows", "insert_id", "warning_count", "info", "field_count")

Counts = list[Any]
"""What a connection says of its last statement: rows that it affected, the id that it inserted,
warnings, what the server said in words, columns of its result."""


def counts_of(connection: Any) -> Counts:
    """Return what a live connection says of its last statement; it asks nobody for it."""
    return [getattr(connection, name)() for name in _COUNTS]


class Stub:
    """What a connection says on replay: what was recorded, or what its backend does.

    Args:
        connection: it is told to say so.
    """

    def __init__(self, connection: Any) -> None:
        self.counts: Counts = [0, 0, 0, None, 0]
        self.is_passed = True
        """True where the last statement was not recorded, and went to the backend."""
        self._connection = connection

    def says(self, counts: Counts | None) -> None:
        """Have the connection say this of its last statement; None: what its driver knows."""
        own = self._connection.__dict__
        for place, name in enumerate(_COUNTS):
            own.pop(name, None)
            if counts is not None:
                own[name] = functools.partial(counts.__getitem__, place)
        own.pop("discard_result", None)
        if counts is not None:
            own["discard_result"] = _nothing
            self.counts = counts
        self.is_passed = counts is None

    def unrecorded(self, live: Callable[[], Any]) -> None:
        """Ask the backend what was not recorded."""
        self.passes()
        live()

    def passes(self) -> None:
        """Take note that the next statement goes to the backend."""
        self.says(None)


def described(result: Any) -> list[Any]:
    """Return what a live result says of itself: names first, as all drivers record them."""
    description = result.describe()
    return [
        [column[0] for column in description],
        description,
        result.field_flags(),
        result.num_rows(),
        getattr(result, "has_next", False),
    ]


class RecordedResult:
    """A result whose rows are recorded, or come from a recording.

    Args:
        result: the live one; None on replay.
        said: what it says of itself, as of `described`.
    """

    def __init__(self, result: Any, said: list[Any]) -> None:
        self._result = result
        self._said = said
        self._read = 0

    @property
    def has_next(self) -> bool:
        """True where another result follows."""
        return bool(self._said[4])

    @property
    def converter(self) -> Any:
        """What turns each column's text into values; nothing on replay, where it is done."""
        return getattr(self._result, "converter", ())

    def describe(self) -> Any:
        """Return the columns, as the DB API describes them."""
        return self._said[1]

    def field_flags(self) -> Any:
        """Return each column's flags."""
        return self._said[2]

    def num_fields(self) -> int:
        """Return the number of columns."""
        return len(self._said[0])

    def num_rows(self) -> Any:
        """Return the number of rows; of a result that is read on, of those read until now."""
        if self._result is None:
            return max(self._said[3], self._read)
        return self._result.num_rows()

    def fetch_row(self, maxrows: int = 1, how: int = 0) -> Any:
        """Return so many rows, all for 0: tuples, or dicts for a `how` of 1 and 2."""
        lane = current()
        if lane is None:
            return self._live("fetch_row", maxrows, how)
        live = functools.partial(self._live, "fetch_row", maxrows, how)
        rows = call(lane, _FETCH, [maxrows, how], live, list, tuple)
        self._read += len(rows)
        return rows

    def data_seek(self, n: int) -> None:
        """Go to a row of a result that was stored."""
        if self._result is not None:
            self._result.data_seek(n)

    def discard(self) -> None:
        """Read what is left, and drop it."""
        lane = current()
        if lane is not None:
            attempt(lane, _DISCARD, None, lambda: self._live("discard"))
        else:
            self._live("discard")

    def _live(self, method: str, *args: Any) -> Any:
        if self._result is not None:
            return getattr(self._result, method)(*args)
        return ()


def _nothing() -> None:
    """Do nothing."""
