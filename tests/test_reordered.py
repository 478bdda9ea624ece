"""A set of objects comes in another order in each process: what is made of it is the same."""

from __future__ import annotations

import operator
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.replay.reordered import same_in_another_order
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

ADD = "INSERT INTO tools (name, kind) VALUES (?, ?), (?, ?), (?, lower(?))"
FIND = "SELECT name FROM tools WHERE kind = ? AND name IN (?, ?, ?) AND age < ?"
ASKED = {
    "rows": (ADD, ["a", 1, "b", 2, "c", 3], ["c", 3, "a", 1, "b", 2], True),
    "values of other rows": (ADD, ["a", 1, "b", 2, "c", 3], ["a", 2, "b", 1, "c", 3], False),
    "a list": (FIND, ["k", 1, 2, 3, 9], ["k", 3, 1, 2, 9], True),
    "another list": (FIND, ["k", 1, 2, 3, 9], ["k", 3, 1, 4, 9], False),
    "beside the list": (FIND, ["k", 1, 2, 3, 9], [9, 1, 2, 3, "k"], False),
    "no list": ("SELECT ? WHERE 'IN (?, ?)' = ?", ["a", "b"], ["b", "a"], False),
}


@pytest.mark.parametrize("name", ASKED)
def test_rows_and_lists_may_come_in_another_order(name: str) -> None:
    statement, recorded, asked, same = ASKED[name]
    given = ([statement, recorded], [statement, asked])
    assert same_in_another_order(*given, operator.eq) == same


def test_a_replay_finds_what_was_asked_in_another_order(recordings: Path, tmp_path: Path) -> None:
    tools: list[Any] = [("git", "vcs"), ("svn", "vcs"), ("hg", "vcs")]

    def view() -> Any:
        with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
            connection.execute("CREATE TABLE tools (name, kind)")
            connection.execute(
                "INSERT INTO tools VALUES (?, ?), (?, ?), (?, ?)", [one for t in tools for one in t]
            )
            found = connection.execute(
                "SELECT name FROM tools WHERE name IN (?, ?, ?) ORDER BY name",
                [t[0] for t in tools],
            )
            return [name for (name,) in found]

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    tools.reverse()
    assert_identical(recording, app)
