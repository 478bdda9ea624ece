"""MySQL Connector/Python: a connection is lost, or patience ends, at whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mysql.connector
import pytest
from mysql.connector.conversion import MySQLConverter

from tests.boundaries.test_mysql_connector import answered, options, pure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["options", "pure"]  # fixtures

LONG = "SELECT seq, repeat('x', 1000) FROM seq_1_to_50000"
CALLS: dict[str, tuple[str, Callable[[Any, Any], object]]] = {
    "commit": ("INSERT INTO t (n) VALUES (1)", lambda one, _: one.commit()),
    "rollback": ("INSERT INTO t (n) VALUES (1)", lambda one, _: one.rollback()),
    "ping": ("DO 1", lambda one, _: one.ping(reconnect=True, attempts=2)),
    "autocommit": ("DO 1", lambda one, _: setattr(one, "autocommit", True)),
    "fetch": (LONG, lambda _, cursor: len(cursor.fetchall())),
    "next": (f"DO 1; SELECT sleep(1); {LONG}", lambda _, cursor: cursor.nextset()),
    "reset": ("DO 1", lambda one, _: one.reset_session()),
    "database": ("DO 1", lambda one, _: one.cmd_init_db("mysql")),
    "prepare": ("DO 1", lambda one, _: one.cmd_stmt_prepare(b"SELECT ?")),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_connection_that_is_lost(recordings: Path, options: dict[str, Any], call: str) -> None:  # noqa: F811
    """The same error comes back, and what the connection says of itself then."""
    statement, ask = CALLS[call]

    def view() -> Any:
        connection = mysql.connector.connect(**options)
        other = mysql.connector.connect(**options)
        cursor = connection.cursor()
        cursor.execute(statement)
        seen: list[Any] = [repr(cursor.fetchone())] if call == "fetch" else []
        other.cmd_process_kill(connection.connection_id)
        other.close()
        try:
            seen.append(repr(ask(connection, cursor)))
        except Exception as error:
            seen += [type(error).__name__, getattr(error, "errno", None), str(error)]
        seen.append(connection.is_connected())
        connection.close()
        return seen

    assert answered(recordings, view)[-1] is (call == "ping")


def test_patience_that_ends(recordings: Path, options: dict[str, Any]) -> None:  # noqa: F811
    """A timeout of reading closes the connection, and a warning is raised."""

    def view() -> Any:
        seen: list[Any] = []
        connection = mysql.connector.connect(**options, read_timeout=1, raise_on_warnings=True)
        for statement in ("SELECT CAST('no' AS int)", "SELECT sleep(3)"):
            try:
                cursor = connection.cursor(buffered=True)
                cursor.execute(statement)
            except mysql.connector.Error as error:
                seen += [type(error).__name__, error.errno, str(error)]
                cursor.close()
        return seen

    assert answered(recordings, view)[0] == "DatabaseError"


class Loud(MySQLConverter):
    """A converter of the application's own."""

    def _decimal_to_python(self, value: bytes, _: Any = None) -> str:
        return f"{value.decode()}!"

    _newdecimal_to_python = _decimal_to_python


def test_a_converter_and_results_that_are_consumed(
    recordings: Path,
    options: dict[str, Any],  # noqa: F811
) -> None:
    """Rows come as its converter made them; those that nobody read make way."""

    def view() -> Any:
        connection = mysql.connector.connect(**options, converter_class=Loud, consume_results=True)
        cursor = connection.cursor()
        cursor.execute("SELECT 1.5, rand() FROM seq_1_to_5")
        seen = [cursor.fetchone()]
        again = connection.cursor()
        again.execute("SELECT %s, rand()", ("b",))
        seen += again.fetchall()
        again.executemany("SELECT seq FROM seq_1_to_5 WHERE seq > %s", [(1,), (2,)])
        seen.append(again.rowcount)
        connection.close()
        return seen

    assert answered(recordings, view)[0][0] == "1.5!"
