"""An index of words, as search engines of applications keep it: of an address it has the parts."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import load, replay, writer
from retrace_core.replay.sameness import same_batch
from retrace_mw import RetraceMiddleware
from tests.redaction.raw import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "Ask margaret@example.org on Monday for the big red bicycle in the old barn"


@pytest.mark.parametrize("case", [str.upper, str.lower, str.capitalize])
def test_a_set_of_words(recordings: Path, tmp_path: Path, case: Callable[[str], str]) -> None:
    """One of them is another where the address is masked, and so is their order."""
    database = tmp_path / "index.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE words (word, page)")
    app = flask.Flask("notes")

    @app.post("/")
    def view() -> Any:
        words = {case(word) for word in re.findall(r"\w+", flask.request.get_data(as_text=True))}
        with closing(sqlite3.connect(database)) as connection, connection:
            rows = [(word, 7) for word in words]
            connection.executemany("INSERT INTO words VALUES (?, ?)", rows)
        return {"words": len(words)}

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    app.test_client().post("/", data=TEXT, buffered=True)
    assert writer.flush(10)
    database.unlink()
    result = replay(load(files(recordings)[0]), app)
    assert result.identical, result.summary()


@pytest.mark.parametrize(
    ("asked", "is_same"),
    [
        ([("a", 1), ("b", 2)], True),
        ([("b", 2), ("a", 1)], True),
        ([("b", 2), ("x", 1)], True),
        ([("x", 2), ("x", 1)], False),
        ([("b", 2), ("b", 2)], False),
        ([("a", 1)], False),
        ([("a", 1), ("b", 2), ("b", 2)], False),
    ],
)
def test_rows_of_another_order(asked: list[tuple[str, int]], is_same: bool) -> None:
    """Each row has one of its own, equal or the same but for what was masked."""

    def same(one: tuple[str, int], other: tuple[str, int]) -> bool:
        return one[1] == other[1] and (one[0], other[0]) == ("a", "x")

    recorded = [("a", 1), ("b", 2)]
    assert same_batch("sqlite3.executemany", ["INSERT", recorded], ["INSERT", asked], same) == (
        is_same
    )
