"""Rows by the names of their columns: masked with every driver, and replayed all the same."""

from __future__ import annotations

import datetime
import hashlib
import sqlite3
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Any

import aiomysql
import apsw
import asyncmy
import asyncmy.cursors
import asyncpg
import bcrypt
import mysql.connector as mysql_connector
import MySQLdb
import MySQLdb.cursors
import psycopg
import psycopg2
import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.security import check_password_hash, generate_password_hash

from retrace_core.codec import encode
from retrace_core.redaction.found_values import FoundValues
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.row_messages import message_cells
from retrace_core.redaction.row_packets import PacketRows
from retrace_core.redaction.secret_set import SecretSet
from retrace_core.redaction.tokens import digest_of
from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording
    from tests.mariadb_server import MariadbServer
    from tests.postgresql_server import PostgresqlServer

NAMES = Names(("born", "salary", "device"))
WORD, PIN, NUMBER, SALARY = "customer", "4821", 73829155, 51234.75
BORN, DEVICE = datetime.date(1980, 5, 17), uuid.UUID("9f0c2d5e-7a41-4b8e-9c3d-2f6a8b1e0d47")
HASH = generate_password_hash("correct horse", "pbkdf2:sha256:1000", 8)
BCRYPT = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
TOKEN = "tok-of-nobody-else-77"
ROW = (1, "grace", HASH, WORD, PIN, NUMBER, SALARY, BORN, TOKEN)
COLUMNS = "id, name, password, secret, pin, card_number, salary, born, access_token"
TABLE = (
    "CREATE TABLE users (id integer, name varchar(40), password varchar(300), secret varchar(40),"
    " pin varchar(10), card_number bigint, salary double precision, born date,"
    " access_token varchar(80))"
)
SQL = f"SELECT {COLUMNS} FROM users WHERE name = "


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name more columns."""
    monkeypatch.setenv("RETRACE_REDACT_NAMES", "born,salary,device")


def said(row: Any) -> dict[str, Any]:
    """Return what an application says of a user, and what it finds out by comparing."""
    return {
        "name": row[1],
        "right": check_password_hash(row[2], "correct horse"),
        "wrong": check_password_hash(row[2], "horse"),
        "word": row[3],
        "pin": row[4],
        "same": row[4] == str(row[4]),
        "card": row[5],
        "born": str(row[7]),
        "token": hashlib.sha256(row[8].encode()).hexdigest(),
    }


def assert_masked(folder: Path, recording: Recording, *, numbers: bool = True) -> None:
    """Check that no value of a secret column is in the files, and the others are."""
    content = raw(folder)
    digest = HASH.rpartition("$")[2]
    gone = [digest.encode(), bytes.fromhex(digest), TOKEN.encode(), BORN.isoformat().encode()]
    gone += [hashlib.sha256(TOKEN.encode()).hexdigest().encode(), str(NUMBER).encode()]
    gone += [f'"{WORD}"'.encode(), encode(WORD), f'"{PIN}"'.encode(), encode(PIN)]
    gone += [encode(NUMBER), encode(BORN)] if numbers else []
    assert [one for one in gone if one in content] == []
    assert b"grace" in content
    assert recording.redaction is not None
    assert {"password", "secret", "born"} <= recording.redaction.masked.keys()


def test_sqlite3(recordings: Path, tmp_path: Path) -> None:
    """Rows that come with another fetch than their names."""
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(TABLE)
        given = (*ROW[:7], BORN.isoformat(), TOKEN)
        connection.execute(f"INSERT INTO users VALUES ({', '.join('?' * 9)})", given)

    def view() -> Any:
        with closing(sqlite3.connect(file, detect_types=sqlite3.PARSE_DECLTYPES)) as connection:
            row = connection.execute(SQL + "?", ("grace",)).fetchone()
            same = connection.execute(
                "SELECT name FROM users WHERE card_number = ?", (row[5],)
            ).fetchall()
        return {**said(row), "same": same}

    app, recording = record_wsgi(recordings, view)
    assert_masked(recordings, recording)
    file.unlink()
    assert_identical(recording, app)


def test_apsw(recordings: Path, tmp_path: Path) -> None:
    """Rows of one statement and of several in one text, of a cursor while another one is asked."""
    file = tmp_path / "shop.db"
    connection = apsw.Connection(str(file))
    connection.execute(TABLE)
    given = (*ROW[:6], *map(str, ROW[6:8]), TOKEN)
    connection.execute(f"INSERT INTO users VALUES ({', '.join('?' * 9)})", given)
    connection.close()

    def view() -> Any:
        connection = apsw.Connection(str(file))
        cursor = connection.execute(SQL + "?", ("grace",))
        connection.execute("SELECT 1 AS one, 2 AS two")
        row = cursor.fetchone()
        all_of_it = connection.execute("SELECT 'a' AS town; SELECT password, 1 FROM users")
        same = connection.execute("SELECT name FROM users WHERE card_number = ?", (row[5],))
        return {**said(row), "all": all_of_it.fetchall(), "same": same.get}

    app, recording = record_wsgi(recordings, view)
    assert_masked(recordings, recording)
    file.unlink()
    assert_identical(recording, app)


def test_two_cursors_at_once(recordings: Path) -> None:
    """Rows are masked by the names of their own statement, of whichever was the last."""

    def view() -> Any:
        with (
            closing(sqlite3.connect(":memory:")) as one,
            closing(sqlite3.connect(":memory:")) as two,
        ):
            secret = one.execute(
                "SELECT 'hidden-' || value AS password, 'a' FROM json_each('[1,2]')"
            )
            other = two.execute("SELECT 'shown-' || value AS town, 'b' FROM json_each('[1,2]')")
            rows = [[*secret.fetchone(), *other.fetchone()] for _ in range(2)]
        return {"rows": rows}

    app, recording = record_wsgi(recordings, view)
    content = raw(recordings)
    assert b"hidden-1" not in content and b"hidden-2" not in content
    assert b"shown-1" in content and b"shown-2" in content
    assert_identical(recording, app)


@pytest.fixture
def database(postgresql: PostgresqlServer) -> str:
    """Return the address of a database with the table."""
    url = postgresql.url(postgresql.new_database())
    with psycopg.connect(url) as connection:
        connection.execute(TABLE)
        connection.execute(f"INSERT INTO users VALUES ({', '.join(['%s'] * 9)})", ROW)
    return url


@pytest.mark.parametrize("binary", [False, True])
def test_psycopg(recordings: Path, database: str, binary: bool) -> None:
    """Text and binary cells; a number of a row is asked for again."""

    def view() -> Any:
        with psycopg.connect(database) as connection:
            cursor = connection.cursor(binary=binary)
            row = cursor.execute(SQL + "%s", ("grace",)).fetchone()
            assert row is not None
            same = connection.execute(
                "SELECT name FROM users WHERE card_number = %s AND pin = %s", (row[5], row[4])
            ).fetchall()
        return {**said(row), "same": same}

    app, recording = record_wsgi(recordings, view)
    assert_masked(recordings, recording)
    assert_identical(recording, app)


def test_psycopg2(recordings: Path, database: str) -> None:
    """Its results are psycopg's."""

    def view() -> Any:
        with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(SQL + "%s", ("grace",))
            row = cursor.fetchone()
            cursor.execute("SELECT name FROM users WHERE pin = %s", (row[4],))
            return {**said(row), "same": cursor.fetchall()}

    app, recording = record_wsgi(recordings, view)
    assert_masked(recordings, recording)
    assert_identical(recording, app)


def test_psycopg2_hash_in_bytes(recordings: Path, database: str) -> None:
    """A password's hash in bytes, which the server writes in hex."""
    sql = "SELECT password::bytea AS password FROM users WHERE name = %s"
    again = "SELECT name FROM users WHERE password::bytea = %s"

    def view() -> Any:
        with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, ("grace",))
            (hashed,) = next(iter(cursor))
            right = check_password_hash(bytes(hashed).decode(), "correct horse")
            cursor.execute(again, (hashed,))
            return {"right": right, "same": cursor.fetchall()}

    app, recording = record_wsgi(recordings, view)
    digest = HASH.rpartition("$")[2]
    assert [one for one in (digest, digest.encode().hex()) if one.encode() in raw(recordings)] == []
    assert_identical(recording, app)


def test_asyncpg(recordings: Path, database: str) -> None:
    """Binary cells, whose columns are described apart."""

    async def handler() -> Any:
        connection = await asyncpg.connect(database)
        row = await connection.fetchrow(SQL + "$1", "grace")
        sql = "SELECT name FROM users WHERE card_number = $1 AND pin = $2"
        same = await connection.fetchval(sql, row[5], row[4])
        await connection.close()
        return {**said(row), "same": same}

    app, recording = record_asgi(recordings, handler)
    assert_masked(recordings, recording)
    assert_identical(recording, app)


@pytest.fixture
def mysql(mariadb: MariadbServer) -> dict[str, Any]:
    """Return how to connect to a database with the table."""
    asked: dict[str, Any] = {
        "host": mariadb.host,
        "port": mariadb.port,
        "user": mariadb.user,
        "password": mariadb.password,
    }
    asked["database"] = mariadb.new_database()
    with pymysql.connect(**asked) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        cursor.execute(f"INSERT INTO users VALUES ({', '.join(['%s'] * 9)})", ROW)
        connection.commit()
    return asked


@pytest.mark.parametrize("kind", ["Cursor", "SSCursor"])
def test_pymysql(recordings: Path, mysql: dict[str, Any], kind: str) -> None:
    """Packets, all at once and row by row, under another name."""
    cursor_class = getattr(pymysql.cursors, kind)

    def view() -> Any:
        with pymysql.connect(**mysql, cursorclass=cursor_class) as connection:
            with connection.cursor() as cursor:
                cursor.execute(SQL.replace(" password,", " password AS kept,") + "%s", ("grace",))
                row = cursor.fetchone()
                cursor.fetchall()
                cursor.execute("SELECT name FROM users WHERE pin = %s", (row[4],))
                return {**said(row), "same": cursor.fetchall()}

    app, recording = record_wsgi(recordings, view)
    assert recording.redaction is not None
    assert_masked(recordings, recording)
    assert_identical(recording, app)


@pytest.mark.parametrize("kind", ["Cursor", "SSCursor", "DictCursor"])
def test_mysqlclient(recordings: Path, mysql: dict[str, Any], kind: str) -> None:
    """Values after its converters, as tuples and by their columns' names."""
    cursor_class = getattr(MySQLdb.cursors, kind)

    def view() -> Any:
        with MySQLdb.connect(**mysql, cursorclass=cursor_class) as connection:
            with connection.cursor() as cursor:
                cursor.execute(SQL + "%s", ("grace",))
                found = cursor.fetchone()
                row = tuple(found.values()) if kind == "DictCursor" else found
                cursor.fetchall()
                cursor.execute("SELECT name FROM users WHERE pin = %s", (row[4],))
                return {**said(row), "same": cursor.fetchall()}

    app, recording = record_wsgi(recordings, view)
    assert recording.redaction is not None
    assert_masked(recordings, recording)
    assert_identical(recording, app)


def test_aiomysql(recordings: Path, mysql: dict[str, Any]) -> None:
    """The same packets."""
    asked = {**mysql, "db": mysql["database"]}
    del asked["database"]

    async def handler() -> Any:
        connection = await aiomysql.connect(**asked)
        async with connection.cursor() as cursor:
            await cursor.execute(SQL + "%s", ("grace",))
            row = await cursor.fetchone()
        connection.close()
        return said(row)

    app, recording = record_asgi(recordings, handler)
    assert_masked(recordings, recording)
    assert_identical(recording, app)


@pytest.mark.parametrize("prepares", [False, True])
@pytest.mark.parametrize("kind", ["Cursor", "SSCursor"])
def test_asyncmy(recordings: Path, mysql: dict[str, Any], kind: str, prepares: bool) -> None:
    """The same packets, of a statement that was prepared in binary."""

    async def handler() -> Any:
        connection = await asyncmy.connect(**mysql, stmt_cache_size=8 if prepares else 0)
        async with connection.cursor(getattr(asyncmy.cursors, kind)) as cursor:
            await cursor.execute(SQL + "%s", ("grace",))
            row = await cursor.fetchone()
            await cursor.fetchall()
            await cursor.execute("SELECT name FROM users WHERE pin = %s", (row[4],))
            same = await cursor.fetchall()
        connection.close()
        return {**said(row), "same": same}

    app, recording = record_asgi(recordings, handler)
    assert_masked(recordings, recording)
    assert_identical(recording, app)


@pytest.mark.parametrize("prepared", [False, True])
def test_mysql_connector(recordings: Path, mysql: dict[str, Any], prepared: bool) -> None:
    """The packets of its implementation in Python."""
    _with_mysql_connector(recordings, {**mysql, "use_pure": True}, prepared)


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.skipif(not mysql_connector.HAVE_CEXT, reason="its part in C is not loaded here")
def test_mysql_connector_in_c(recordings: Path, mysql: dict[str, Any], prepared: bool) -> None:
    """Values after its converters."""
    _with_mysql_connector(recordings, mysql, prepared)


def _with_mysql_connector(recordings: Path, asked: dict[str, Any], prepared: bool) -> None:
    def view() -> Any:
        connection = mysql_connector.connect(**asked)
        with connection.cursor(prepared=prepared) as cursor:
            cursor.execute(SQL + "%s", ("grace",))
            row = cursor.fetchone()
            cursor.fetchall()
            cursor.execute("SELECT name FROM users WHERE pin = %s", (row[4],))
            same = cursor.fetchall()
        connection.close()
        return {**said(row), "same": same}

    app, recording = record_wsgi(recordings, view)
    assert recording.redaction is not None
    assert_masked(recordings, recording)
    assert_identical(recording, app)


HASHES = {
    "werkzeug": HASH,
    "werkzeug's scrypt": "scrypt:32768:8:1$0aBcDeFgHiJkLmNo$" + "0f" * 64,
    "Django": "pbkdf2_sha256$600000$c2FsdHNhbHQ$" + "Zm9vYmFy" * 5 + "Zm8=",
    "bcrypt": BCRYPT,
    "Django's bcrypt": f"bcrypt_sha256${BCRYPT}",
    "argon2": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$" + "Zm9vYmFy" * 5 + "Zm8",
    "crypt": "$6$saltsalt$" + "aB3." * 21 + "xy",
}


@pytest.mark.parametrize("name", HASHES)
def test_the_digest_of_a_hash_is_masked(name: str) -> None:
    """Its method, cost and salt stay, by which it is checked."""
    found = SecretSet(FoundValues(Forms(Pseudonyms(b"k" * 32), NAMES)), frozenset())
    found.add(HASHES[name].encode(), "password")
    digest = digest_of(HASHES[name].encode())
    assert digest and HASHES[name].encode().endswith(digest)
    assert found.replacements[digest].text not in (digest, b"")
    assert HASHES[name].encode() not in found.replacements


def test_what_is_called_a_signature_and_is_a_long_document_is_none() -> None:
    """That of a schema, which code reads: what is secret in it is found by its own name."""
    document = b'json!{"tables": [' + b'"orders", ' * 200 + b'"users"]}'
    found = SecretSet(FoundValues(Forms(Pseudonyms(b"k" * 32), NAMES)), frozenset())
    found.add(document, "signature")
    assert not found.replacements
    found.add(document[:500], "signature")
    assert document[:500] in found.replacements


@pytest.mark.parametrize(
    ("labels", "secret"),
    [
        (b"enc:aes:key-1:", b"082c9937a65d41778264"),
        (b"rsa_sha256_pss:", b"082c9937a65d41778264" * 9),
    ],
    ids=["two or more", "one, and a signature"],
)
def test_labels_before_a_secret_stay(labels: bytes, secret: bytes) -> None:
    """By them code knows how to read it; the secret is the same one elsewhere, without them."""
    found = SecretSet(FoundValues(Forms(Pseudonyms(b"k" * 32), NAMES)), frozenset())
    found.add(labels + secret, "token")
    assert found.replacements[secret].text != secret
    assert labels + secret not in found.replacements


def test_what_is_no_hash_is_masked_as_a_whole() -> None:
    """A password may have a dollar in it."""
    assert digest_of(b"my$ecret$abcdefghijklmnopqrstuvwxyz") == b""


@given(st.binary(max_size=60))
def test_no_packets_break_it(data: bytes) -> None:
    """What is no protocol has no cells, or some."""
    columns = [("password", 25, True), ("pin", 23, True)]
    assert isinstance(list(message_cells(data, 0, len(data), columns, NAMES.is_secret)), list)
    for binary in (False, True):
        rows = PacketRows(NAMES.is_secret, binary=binary)
        assert isinstance(list(rows.cells(data, 0, len(data))), list)
