"""pg8000: what the server said comes back with the server gone, through its own converters."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pg8000.dbapi
import pg8000.native
import pytest
import sqlalchemy

from retrace_core import installer
from tests.postgresql_server import postgresql_server
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgresql_server import PostgresqlServer


@pytest.fixture
def asked(postgresql: PostgresqlServer) -> dict[str, Any]:
    """Return how to connect to a fresh database with one table."""
    installer.install()
    asked = {
        "user": "postgres",
        "password": "secret",
        "host": postgresql.host,
        "port": postgresql.port,
        "database": postgresql.new_database(),
    }
    with pg8000.native.Connection(**asked) as connection:
        connection.run(
            "CREATE TABLE t (id serial PRIMARY KEY, a text UNIQUE, n float DEFAULT random())"
        )
    return asked


def test_values_come_back_with_type_and_value(recordings: Path, asked: dict[str, Any]) -> None:
    """Numbers, moments, arrays, JSON and bytes, by converters of pg8000's and of one's own."""

    def view() -> str:
        connection = pg8000.dbapi.connect(**asked)
        connection.register_in_adapter(25, str.upper)
        cursor = connection.cursor()
        cursor.execute(
            """SELECT 1.50::numeric, now(), '2020-02-03'::date, '1 day'::interval, random(),
            gen_random_uuid(), '{"a": [1, null]}'::jsonb, ARRAY[1, NULL], '\\x00ff'::bytea,
            NULL, 'é'::text, %s::int + 1, %s::varchar""",
            (41, "given"),
        )
        said = repr((cursor.fetchall(), cursor.description, cursor.rowcount))
        connection.close()
        return said

    app, recording = record_wsgi(recordings, view)
    assert recording.holes == []
    assert_identical(recording, app)
    assert recording.response is not None and b"42, 'given'" in b"".join(recording.response.body)


def test_errors_of_the_server_are_raised_again(recordings: Path, asked: dict[str, Any]) -> None:
    """With their fields; the transaction is then as it was."""

    def view() -> list[str]:
        connection = pg8000.dbapi.connect(**asked)
        cursor = connection.cursor()
        said = []
        for statement in (
            "INSERT INTO t (a) VALUES ('x')",
            "INSERT INTO t (a) VALUES ('x')",
            "SELECT 1",
            "ROLLBACK",
            "nonsense",
        ):
            try:
                cursor.execute(statement)
                said.append(str(cursor.rowcount))
            except pg8000.dbapi.Error as error:
                said.append(repr(error))
        connection.rollback()
        connection.close()
        try:
            cursor.execute("SELECT 1")
        except pg8000.dbapi.Error as error:
            said.append(repr(error))
        return said

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
    body = b"".join(recording.response.body) if recording.response else b""
    assert b"23505" in body and b"25P02" in body and b"closed" in body


def test_a_pool_of_the_process(recordings: Path, asked: dict[str, Any]) -> None:
    """SQLAlchemy's, whose ping begins the transaction; an earlier request had connected."""
    url = sqlalchemy.URL.create(
        "postgresql+pg8000", "postgres", "secret", *(asked[n] for n in ("host", "port", "database"))
    )
    engine = sqlalchemy.create_engine(url, pool_pre_ping=True)
    insert = sqlalchemy.text("INSERT INTO t (a) VALUES (:a) RETURNING id, n")

    def view() -> list[str]:
        with engine.begin() as connection:
            made = connection.execute(insert, {"a": str(len(asked))}).one()
        with engine.connect() as connection:
            found = connection.execute(sqlalchemy.text("SELECT * FROM t")).all()
        return [repr(made), repr(found)]

    asked["one"] = "more"
    view()
    del asked["one"]
    app, recording = record_wsgi(recordings, view)
    engine.dispose()
    assert_identical(recording, app, times=1)
    engine.dispose()


def test_prepared_statements_and_copies(recordings: Path, asked: dict[str, Any]) -> None:
    """A statement that is run twice; rows that are copied in and out; a notification."""

    def view() -> list[str]:
        with pg8000.native.Connection(**asked) as connection:
            prepared = connection.prepare("INSERT INTO t (a) VALUES (:a) RETURNING id, n")
            said = [prepared.run(a=name) for name in ("ann", "bob")]
            prepared.close()
            connection.run("COPY t (a, n) FROM STDIN", stream=["cid\t1.5\n", "dan\t2.5\n"])
            out = io.BytesIO()
            connection.run("COPY t (a) TO STDOUT", stream=out)
            connection.run("LISTEN news")
            connection.run("NOTIFY news, 'hello'")
            told = [(channel, text) for _, channel, text in connection.notifications]
            return [repr(said), repr(out.getvalue()), repr(told)]

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)
    body = b"".join(recording.response.body) if recording.response else b""
    assert b"dan" in body and b"hello" in body


@pytest.mark.parametrize("prepared", [False, True], ids=["once", "prepared"])
def test_a_secret_column_is_masked(prepared: bool, recordings: Path, asked: dict[str, Any]) -> None:
    """What goes into it, and what comes of it."""

    def view() -> str:
        with pg8000.native.Connection(**asked) as connection:
            connection.run("CREATE TABLE account (name text, password text)")
            given = {"name": "ann", "password": "correct-horse-7"}
            connection.run("INSERT INTO account VALUES (:name, :password)", **given)
            asking = "SELECT name, password FROM account"
            run = connection.prepare(asking).run if prepared else lambda: connection.run(asking)
            ((name, password),) = run()
        return f"{name} {len(password)}"

    app, recording = record_wsgi(recordings, view)
    assert "correct-horse-7" not in repr(recording)
    assert_identical(recording, app)


def test_a_server_that_goes_away(recordings: Path) -> None:
    """The request finds out with its next statement, and so does the replay."""
    with postgresql_server() as server:
        database = server.new_database()
        place = {"host": server.host, "port": server.port, "database": database}

        def view() -> str:
            connection = pg8000.native.Connection("postgres", password="secret", **place)
            try:
                connection.run("SELECT pg_terminate_backend(pg_backend_pid())")
            except Exception as error:
                return repr(error)
            return "still there"

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"still there" not in b"".join(recording.response.body)
    assert_identical(recording, app)
