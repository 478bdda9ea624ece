"""DuckDB: databases and files that it opens by their name replay without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from retrace_core.files.duckdb_file import with_right_checksums, with_right_log
from retrace_core.files.files_in_sql import files_in, with_places
from retrace_core.recording import BY_NAME
from tests.recorded import replays_without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def fruit(data: Path) -> Path:
    """Return a folder with a table of fruit, in a database and in files."""
    with duckdb.connect(str(data / "fruit.db")) as shop:
        shop.execute("CREATE TABLE fruit AS SELECT 'quince' AS sort, 2 AS pieces")
        shop.execute(f"COPY fruit TO '{data}/fruit.csv'")
        for year in ("year=1", "year=2"):
            (data / "years" / year).mkdir(parents=True)
            shop.execute(f"COPY fruit TO '{data}/years/{year}/fruit.parquet'")
    return data


def _of_variable() -> Any:
    pieces = {"pieces": np.array([2, 3])}  # noqa: F841
    return duckdb.sql("SELECT * FROM pieces, 'data/fruit.csv'").fetchall()


_QUESTIONS: dict[str, Callable[[], Any]] = {
    "a file": lambda: duckdb.sql("SELECT * FROM 'data/fruit.csv'").fetchall(),
    "a quoted name": lambda: duckdb.sql('SELECT * FROM "data/fruit.csv"').fetchall(),
    "a function": lambda: duckdb.sql("SELECT * FROM read_csv('data/fruit.csv')").fetchall(),
    "a parameter": lambda: duckdb.execute(
        "SELECT sort FROM read_csv(?) WHERE pieces > ?", ["data/fruit.csv", 1]
    ).fetchall(),
    "a parameter by its name": lambda: duckdb.execute(
        "SELECT sort FROM read_csv($file)", {"file": "data/fruit.csv"}
    ).fetchall(),
    "a pattern": lambda: (
        duckdb.connect().sql("FROM read_parquet('data/years/*/*.parquet') ORDER BY year").fetchall()
    ),
    "two": lambda: duckdb.sql(
        "FROM read_csv(['data/fruit.csv', 'data/fruit.csv'], header=true)"
    ).fetchall(),
    "by Python": lambda: duckdb.read_parquet("data/years/year=1/fruit.parquet").fetchall(),
    "a variable and a file": _of_variable,
    "a text that is no file": lambda: duckdb.sql("SELECT trim('x' FROM 'xax')").fetchall(),
}


@pytest.mark.parametrize("way", _QUESTIONS)
def test_a_file_that_sql_names_is_read_again(fruit: Path, recordings: Path, way: str) -> None:
    """However it is named; what is no file is left as it is."""
    recording = replays_without(fruit, recordings, lambda: str(_QUESTIONS[way]()))
    assert recording.response is not None
    assert recording.response.body[0].startswith(b"[(")


@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_is_as_it_was(fruit: Path, recordings: Path, read_only: bool) -> None:
    """A request opens it, asks, and adds a row to it."""

    def view() -> str:
        with duckdb.connect("data/fruit.db", read_only=read_only) as shop:
            if not read_only:
                shop.execute("INSERT INTO fruit VALUES (?, ?)", ["medlar", 3])
            return str(shop.execute("SELECT * FROM fruit ORDER BY pieces").fetchall())

    replays_without(fruit, recordings, view)


def test_one_that_another_connection_has_not_written_out(fruit: Path, recordings: Path) -> None:
    """What it has committed is in the log beside the file."""
    with duckdb.connect("data/fruit.db") as other:
        other.execute("INSERT INTO fruit VALUES ('medlar', 3)")

        def view() -> str:
            with duckdb.connect("data/fruit.db") as shop:
                return str(shop.execute("SELECT * FROM fruit ORDER BY pieces").fetchall())

        recording = replays_without(fruit, recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"[('quince', 2), ('medlar', 3)]"]


@pytest.mark.parametrize("logged", [False, True])
def test_one_with_secrets_is_masked_and_no_corrupt_one(
    data: Path, recordings: Path, logged: bool
) -> None:
    """Its checksums, and those of the log beside it, are right again on replay."""
    with duckdb.connect("data/shop.db") as shop:
        shop.execute("CREATE TABLE buyers AS SELECT 'anna.quince@example.org' AS mail, 1 AS id")
        if logged:
            shop.execute("CHECKPOINT")
            shop.execute("INSERT INTO buyers VALUES ('bert.medlar@example.org', 2)")

        def view() -> str:
            with duckdb.connect("data/shop.db") as again:
                return str(again.execute("SELECT * FROM buyers ORDER BY id").fetchall())

        if not logged:
            shop.close()
        recording = replays_without(data, recordings, view)
    assert recording.redaction is not None


def test_checksums_of_a_file_are_reckoned_as_duckdb_does(data: Path) -> None:
    """They are what they were where nothing was changed; what is no such file is left."""
    shop = duckdb.connect("data/shop.db")
    shop.execute("CREATE TABLE buyers AS SELECT range AS id FROM range(100000)")
    shop.execute("CHECKPOINT")
    shop.execute("INSERT INTO buyers VALUES (1)")
    file, log = ((data / name).read_bytes() for name in ("shop.db", "shop.db.wal"))
    shop.close()
    assert with_right_checksums(file) == file
    spoilt = bytearray(file)
    spoilt[12288] ^= 1
    assert with_right_checksums(bytes(spoilt)) == file
    assert with_right_log(log) == log
    spoilt = bytearray(log)
    spoilt[-1] ^= 1
    assert with_right_log(bytes(spoilt)) != bytes(spoilt)
    assert with_right_checksums(b"no database") == b"no database"
    assert with_right_log(b"no log") == b"no log"


def test_what_is_written_is_read_again(fruit: Path, recordings: Path) -> None:
    """By SQL, by a relation, and by an attached database."""

    def view() -> str:
        with duckdb.connect() as shop:
            shop.execute("COPY (SELECT 1 AS a) TO 'data/a.csv'")
            shop.sql("SELECT 2 AS b").write_csv("data/b.csv")
            shop.execute("ATTACH 'data/other.db' AS other")
            shop.execute("CREATE TABLE other.c AS SELECT * FROM 'data/a.csv'")
            found = shop.execute("SELECT * FROM other.c").fetchall()
        return f"{found} {(fruit / 'a.csv').read_text()} {(fruit / 'b.csv').read_text()}"

    recording = replays_without(fruit, recordings, view)
    assert recording.response is not None
    assert recording.response.body == [b"[(1,)] a\n1\n b\n2\n"]


def _names(sql: str) -> list[tuple[str, object]]:
    return [(one.how, one.text or one.parameter) for one in files_in(sql)]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 'a.csv' FROM t WHERE x = 'b.csv'", []),
        (
            "SELECT * FROM 'a.csv' JOIN 'b''s.csv' USING (x)",
            [(BY_NAME, "a.csv"), (BY_NAME, "b's.csv")],
        ),
        ("FROM read_csv('a', sep = ',', columns = {'b': 'INT'}) WHERE c = 'd'", [(BY_NAME, "a")]),
        ("FROM read_csv(['a', 'b'], header = 'c')", [(BY_NAME, "a"), (BY_NAME, "b")]),
        ("SELECT ?, x FROM read_csv(?) WHERE y = ?", [(BY_NAME, 1)]),
        ("FROM read_csv($2) WHERE y = $1", [(BY_NAME, 1)]),
        ("-- FROM 'a'\nSELECT $$FROM 'b'$$ /* FROM 'c' */ FROM d", []),
        ("COPY t FROM 'a'; COPY t TO 'b' (FORMAT csv)", [(BY_NAME, "a"), ("wb", "b")]),
        ("COPY t TO 'b' (PARTITION_BY (x))", [("folder", "b")]),
        ("ATTACH IF NOT EXISTS 'a.db' AS a", [("r+b", "a.db")]),
        ("ATTACH 'a.db' AS a (READ_ONLY)", [(BY_NAME, "a.db")]),
        ("EXPORT DATABASE 'a'; IMPORT DATABASE 'a'", [("folder", "a"), (BY_NAME, "a")]),
        ('SELECT * FROM "t", "a/b.csv" WHERE x IN (1, \'c\')', [(BY_NAME, "a/b.csv")]),
        ("SELECT trim(a FROM b), 'c' FROM d, 'e' ORDER BY f, 'g'", [(BY_NAME, "e")]),
        ('SELECT "a.b" FROM "c.csv"', [(BY_NAME, "c.csv")]),
    ],
)
def test_where_sql_names_files(sql: str, names: list[tuple[str, object]]) -> None:
    """Only where a file stands; a text in a condition, or in a comment, is none."""
    assert _names(sql) == names


def test_only_the_names_of_files_are_changed() -> None:
    """In quotes of their own kind, doubled within."""
    sql = """SELECT 'a' FROM 'a' JOIN "b.csv" WHERE x = 'a'"""
    places = {"a": "it's", "b.csv": 'so"so'}
    changed = with_places(sql, files_in(sql), lambda one: places[one.text])
    assert changed == """SELECT 'a' FROM 'it''s' JOIN "so""so" WHERE x = 'a'"""
