"""Connector results: what MySQL Connector/Python's part in C says, given back with no server.

What is recorded are the values that it gives, and what it says of itself after each call. On
replay it is connected to a stand-in inside this process, which lets it quote and set up, and an
object stands before it that says what was recorded.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Said", "Session", "Statement", "counts_of", "said_by", "session_of"]

Said = list[Any]
"""Columns of a result, None where there is none; and then what `counts_of` returns."""
_NOT_SENT = -1
"""The number of errors that the driver finds by itself."""
_COLUMNS, _AFFECTED, _ID, _WARNINGS, _WIDTH, _FLAGS, _MORE, _ROWS, _CHARSET = range(9)


def counts_of(session: Any) -> list[Any]:
    """Return what a live session says of the last statement; it asks nobody for it.

    These are the rows that it affected, the id that it inserted, warnings, the number of columns,
    the server's flags, whether another result follows, how many rows were read, and by which
    character set it quotes, as a server tells after `SET NAMES`.
    """
    return [
        session.affected_rows(),
        session.insert_id(),
        session.st_warning_count(),
        session.st_field_count(),
        session.st_server_status(),
        session.more_results(),
        session.num_rows() if session.have_result_set else 0,
        session.character_set_name(),
    ]


def said_by(session: Any, result: Any = None) -> Said:
    """Return what a live session says after a statement.

    Args:
        session: of the driver's C extension.
        result: has the columns; default: the session.
    """
    result = session if result is None else result
    return [result.fetch_fields() if result.have_result_set else None, *counts_of(session)]


class Statement:
    """A statement that was prepared, on replay.

    Args:
        session: it was prepared with.
        count: of its parameters.
    """

    converter_str_fallback = False

    def __init__(self, session: Session, count: int) -> None:
        self.param_count = count
        self.columns: Any = None
        self._session = session

    @property
    def have_result_set(self) -> bool:
        """True where it has a result that was not read."""
        return self.columns is not None

    def stmt_execute(self, *_: Any, **__: Any) -> None:
        """Have what was recorded said."""
        self.columns = self._session.adopt(of_session=False)

    def fetch_fields(self) -> Any:
        """Return the columns."""
        return self.columns

    def free_result(self) -> None:
        """Drop the result."""
        self.columns = None

    def stmt_reset(self) -> None:
        """Drop the result."""
        self.columns = None

    def stmt_close(self) -> None:
        """Do nothing."""


class Session:
    """What the driver's C extension says on replay: what was recorded, or what it does itself.

    Args:
        live: the extension's own object, connected to a stand-in.
    """

    def __init__(self, live: Any) -> None:
        self._live = live
        self._said: Said | None = None
        self._comes: Said | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._live, name)

    @property
    def is_passed(self) -> bool:
        """True where the last statement was not recorded, and went to the stand-in."""
        return self._said is None

    def expect(self, said: Said | None) -> None:
        """Have this said after the next statement; None: it goes to the stand-in."""
        self._comes = said

    def adopt(self, *, of_session: bool = True) -> Any:
        """Say what is expected, and return its columns.

        Args:
            of_session: False where a prepared statement has the result.
        """
        self._said, self._comes = self._comes, None
        if self._said is not None:
            self.quote_by(self._said[_CHARSET])
        if self._said is None or of_session:
            return None
        columns = self._said[_COLUMNS]
        self._said = [None, *self._said[1:]]
        return columns

    def fail(self, error: Exception) -> None:
        """Say that a statement gave no result, unless it was not even sent."""
        if self._said is not None and getattr(error, "errno", 0) != _NOT_SENT:
            self._said = [None, *self._said[1:_MORE], False, 0, self._said[_CHARSET]]

    def read(self, counts: list[Any], *, all_of_it: bool) -> None:
        """Say so after rows were read."""
        if self._said is not None:
            self._said = [None if all_of_it else self._said[_COLUMNS], *counts]

    def change_user(self, *args: Any) -> Any:
        """Ask the stand-in, and say what it does."""
        self._said = None
        return self._live.change_user(*args)

    def reset_connection(self) -> Any:
        """Ask the stand-in, and say what it does."""
        self._said = None
        return self._live.reset_connection()

    def quote_by(self, charset: str) -> None:
        """Have the stand-in quote by a character set."""
        if self._live.character_set_name() != charset:
            self._live.set_character_set(charset)

    def query(self, *args: Any, **kwargs: Any) -> Any:
        """Say what is expected; else ask the stand-in."""
        self.adopt()
        return self._live.query(*args, **kwargs) if self._said is None else True

    def commit(self) -> None:
        """Say what is expected; else ask the stand-in."""
        self._end("commit")

    def rollback(self) -> None:
        """Say what is expected; else ask the stand-in."""
        self._end("rollback")

    def _end(self, method: str) -> None:
        self.adopt()
        if self._said is None:
            getattr(self._live, method)()

    def next_result(self) -> bool:
        """Say what is expected; else ask the stand-in."""
        if self._said is None:
            return bool(self._live.next_result())
        found = self._comes is not None
        if found:
            self.adopt()
        return found

    @property
    def have_result_set(self) -> bool:
        """True where there is a result that was not read."""
        if self._said is None:
            return bool(self._live.have_result_set)
        return self._said[_COLUMNS] is not None

    def fetch_fields(self) -> Any:
        """Return the columns."""
        return self._live.fetch_fields() if self._said is None else self._said[_COLUMNS]

    def fetch_row(self) -> Any:
        """Return None: rows are given back above."""
        return self._live.fetch_row() if self._said is None else None

    def free_result(self) -> None:
        """Drop the result."""
        if self._said is None:
            self._live.free_result()
        else:
            self._said[_COLUMNS] = None

    consume_result = free_result

    def affected_rows(self) -> Any:
        """Return how many rows the last statement affected."""
        return self._one(_AFFECTED, "affected_rows")

    def insert_id(self) -> Any:
        """Return the id that it inserted."""
        return self._one(_ID, "insert_id")

    def warning_count(self) -> Any:
        """Return how many warnings it gave."""
        return self._one(_WARNINGS, "warning_count")

    st_warning_count = warning_count

    def st_field_count(self) -> Any:
        """Return how many columns it has."""
        return self._one(_WIDTH, "st_field_count")

    def st_server_status(self) -> Any:
        """Return the server's flags."""
        return self._one(_FLAGS, "st_server_status")

    def more_results(self) -> Any:
        """Return True where another result follows."""
        return self._one(_MORE, "more_results")

    def num_rows(self) -> Any:
        """Return how many rows there are, or were read."""
        return self._one(_ROWS, "num_rows")

    def _one(self, place: int, name: str) -> Any:
        return getattr(self._live, name)() if self._said is None else self._said[place]


def session_of(connection: Any) -> Session | None:
    """Return what a connection has on replay; None for a live one, or a closed one."""
    found = connection._cmysql
    return found if isinstance(found, Session) else None
