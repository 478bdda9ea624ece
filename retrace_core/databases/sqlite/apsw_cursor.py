"""Cursor of APSW whose work inside a scope is recorded, or answered from a recording.

APSW's cursors run on: of several statements in one text the next begins when the rows of the one
before were read. So each fetch tells of which columns its rows were, and of which the cursor is
after it. Row tracers of the application's are called outside SQLite, on recorded rows as well.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

import apsw

from retrace_core.boundary import attempt, call, mask
from retrace_core.databases.sqlite.asked import asked
from retrace_core.databases.sqlite.batch import raising, used_up
from retrace_core.errors import NotOnTape
from retrace_core.generated_names import without_generated_names
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ApswCursor", "unrecorded"]

_EXECUTE = "apsw.execute"
_MANY, _FETCH, _CLOSE = "apsw.executemany", "apsw.fetch", "apsw.close"
_BaseCursor: Any = apsw.Cursor
_NEXT: Any = _BaseCursor.__next__
_GET_DESCRIPTION: Any = _BaseCursor.get_description
_ROW_TRACE: Any = _BaseCursor.__dict__["row_trace"]

_latest = (0, 0)
"""Ids of the lane and the cursor of the statement that ran last, whoever's it was."""
_Columns = tuple[tuple[str, str | None], ...]
"""Name and declared type of each column of the statement that a cursor is at."""


class ApswCursor(_BaseCursor):  # type: ignore[misc]  # it is in C
    """A cursor whose work inside a scope is recorded, or answered from a recording."""

    _replayed: list[_Columns | None] | None = None
    """On replay the columns of the statement that it is at, in a list of one."""
    _read_ahead: list[Any] = []  # noqa: RUF012  # replaced, never changed
    """A row that came when those of the statement before it were read."""
    _traced: _Columns | None = None
    """Those of the row that a tracer is called with."""

    def execute(self, statements: str, bindings: Any = None, **options: Any) -> Any:
        """Run statements until there is a row, or all have ended."""
        lane = current()
        live = functools.partial(super().execute, statements, bindings, **options)
        if lane is None:
            self._replayed = None
            live()
        else:
            text = without_generated_names(statements) if bindings is None else statements
            self._run(lane, _EXECUTE, (text, bindings), live)
        return self

    def executemany(self, statements: str, sequenceofbindings: Any, **options: Any) -> Any:
        """Run statements for each of many bindings."""
        lane = current()
        if lane is None:
            self._replayed = None
            super().executemany(statements, sequenceofbindings, **options)
            return self
        rows, failed = used_up(sequenceofbindings)
        given = rows if failed is None else itertools.chain(rows, raising(failed))
        live = functools.partial(super().executemany, statements, given, **options)
        self._run(lane, _MANY, (statements, rows), live)
        return self

    def _run(self, lane: Any, kind: str, key: Any, live: Callable[[], Any]) -> None:
        global _latest
        self._read_ahead = []
        if lane.mode != REPLAY:
            call(lane, kind, key, live, lambda _: _parts(self._columns()))
            _latest = (id(lane), id(self))
        elif self.connection._is_live(lane, kind, key):
            self._replayed = None
            unrecorded(live)
        else:
            outcome = call(lane, kind, key, _nothing)
            if outcome is None:  # of the process's own work, whose tape does not have it
                raise NotOnTape(kind, repr(key)[:200])
            self._replayed = [_whole(outcome)]

    def _columns(self) -> _Columns | None:
        """Return those that the cursor is at; None when it has ended."""
        try:
            found: _Columns = _GET_DESCRIPTION(self)
        except apsw.ExecutionCompleteError:
            return None
        return found

    def _at(self) -> _Columns | None:
        """Return the columns that it is at on replay."""
        return self._replayed[0] if self._replayed else None

    def _is_here(self, lane: Any) -> bool:
        """Return True where rows come from the database itself."""
        return lane is None or (lane.mode == REPLAY and self._replayed is None)

    def _fetch(self, lane: Any, most: int) -> list[Any]:
        """Return up to so many rows, as a tracer makes them."""
        tracer = self.row_trace or self.connection.row_trace
        found: list[Any] = []
        while len(found) < most:
            rows, self._traced = self._raw(lane, most - len(found))
            if not rows:
                break
            found += rows if tracer is None else _traced(tracer, self, rows)
        self._traced = None
        return found

    def _raw(self, lane: Any, most: int) -> tuple[list[Any], _Columns | None]:
        """Return up to so many rows of one statement, as SQLite gives them, and its columns."""
        if lane.mode != REPLAY:
            return self._recorded(lane, most)
        outcome, at = call(lane, _FETCH, None, _nothing), self._at()
        if not isinstance(outcome, tuple):
            return outcome or [], at
        rows, after, kinds, names = outcome
        self._replayed = [_whole(after)]
        return rows, _whole((names, kinds))

    def _recorded(self, lane: Any, most: int) -> tuple[list[Any], _Columns | None]:
        before, tracer = self._columns(), _ROW_TRACE.__get__(self)
        columns: list[_Columns] = []

        def live() -> list[Any]:
            rows, self._read_ahead = self._read_ahead, []
            if rows:
                columns.append(_GET_DESCRIPTION(self))
            if self.connection.row_trace is not None or tracer is not None:
                _ROW_TRACE.__set__(self, _as_it_is)
            try:
                while len(rows) < most:
                    row, at = _NEXT(self), _GET_DESCRIPTION(self)
                    if columns and at is not columns[0] and at != columns[0]:
                        self._read_ahead = [row]  # of the next statement
                        break
                    columns.append(at)
                    rows.append(row)
            except StopIteration:
                pass
            finally:
                _ROW_TRACE.__set__(self, tracer)
            return rows

        def said(rows: list[Any]) -> Any:
            after, of_rows = self._columns(), columns[0] if columns else None
            if after == before == of_rows and _latest == (id(lane), id(self)):
                return rows
            names, kinds = _parts(of_rows)
            return (rows, _parts(after), kinds, names)

        rows = call(lane, _FETCH, None, live, said)
        return rows, columns[0] if columns else None

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        lane = current()
        if self._is_here(lane):
            return _NEXT(self)
        rows = self._fetch(lane, 1)
        if not rows:
            raise StopIteration
        return rows[0]

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        return next(self, None)

    def fetchall(self) -> Any:
        """Return all rows that are left."""
        lane = current()
        return super().fetchall() if self._is_here(lane) else self._fetch(lane, _ALL)

    @property
    def get(self) -> Any:
        """What is left, with the least structure possible."""
        lane = current()
        if self._is_here(lane):
            return _BaseCursor.__dict__["get"].__get__(self)
        found: list[Any] = []
        while rows := self._raw(lane, _ALL)[0]:  # no tracer is called
            found += [row[0] if len(row) == 1 else row for row in rows]
        return found[0] if len(found) == 1 else found or None

    def get_description(self) -> Any:
        """Return name and declared type of each column."""
        at = self._traced
        if at is None:
            if self._replayed is None:
                return _GET_DESCRIPTION(self)
            at = self._at()
        if at is None:
            raise apsw.ExecutionCompleteError(_HAS_ENDED)
        return at

    getdescription = get_description

    @property
    def description(self) -> Any:
        """The columns as the DB API describes them."""
        return tuple((*column, None, None, None, None, None) for column in self.get_description())

    def _asked(self, lane: Any, kind: str, key: object, live: Callable[[], Any]) -> Any:
        """Return what the cursor says of its statement."""
        return live() if self._is_here(lane) else call(lane, kind, key, live)

    def close(self, force: bool = False) -> None:
        """Close the cursor."""
        lane, live = current(), functools.partial(super().close, force)
        self._replayed = None
        if lane is None:
            live()
        else:
            attempt(lane, _CLOSE, None, live, functools.partial(unrecorded, live))


for _name in (
    "bindings_count",
    "bindings_names",
    "description_full",
    "expanded_sql",
    "has_vdbe",
    "is_explain",
    "is_readonly",
    "sql",
):
    if _name in _BaseCursor.__dict__:  # they depend on how APSW was built
        setattr(ApswCursor, _name, asked(_BaseCursor.__dict__[_name], f"apsw.{_name}"))

_ALL = 1 << 62
_HAS_ENDED = "SQL execution never started, or has completed"


def unrecorded(live: Callable[[], Any]) -> Any:
    """Return what the database of a replay answers, which is no event."""
    with mask():
        return live()


def _nothing() -> Any:
    return None


def _as_it_is(_cursor: Any, row: Any) -> Any:
    return row


def _parts(columns: _Columns | None) -> Any:
    """Return names and types apart: names first, as all drivers record them."""
    if columns is None:
        return (None, None)
    return ([name for name, _ in columns], [kind for _, kind in columns])


def _whole(parts: Any) -> _Columns | None:
    names, kinds = parts
    return None if names is None else tuple(zip(names, kinds, strict=True))


def _traced(tracer: Callable[..., Any], cursor: Any, rows: list[Any]) -> list[Any]:
    """Return what a tracer makes of rows; None for a row leaves it out."""
    return [made for row in rows if (made := tracer(cursor, row)) is not None]
