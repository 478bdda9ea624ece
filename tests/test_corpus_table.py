"""The corpus's table and its folders say the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.corpus.table import ENOUGH, Outcome, application_of, rows_of, written

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.parent.name for path in CORPUS.glob("apps/*/drive.py"))
README = (CORPUS / "README.md").read_text(encoding="utf-8")
FRAMEWORKS = {"Flask", "Django", "FastAPI", "Starlette", "Litestar", "Pyramid", "Falcon", "Quart"}


def test_each_application_has_a_row() -> None:
    """None is left out, and none is gone."""
    assert [application_of(row) for row in rows_of(README)] == NAMES


def test_each_folder_is_an_application() -> None:
    """A folder without a drive would be run by nobody."""
    folders = [path.name for path in (CORPUS / "apps").iterdir() if path.is_dir()]
    assert sorted(name for name in folders if not name.startswith("__")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_of_the_version_that_is_pinned(name: str) -> None:
    """Whoever changes a version runs the application again."""
    app = importlib.import_module(f"tests.corpus.apps.{name}.drive").APP
    version = app.packages[0].partition("==")[2]
    row = next(row for row in rows_of(README) if application_of(row) == name)
    assert app.name == name
    assert f"| {version} | {app.framework} | {', '.join(app.uses)} |" in row


def test_each_framework_has_an_application() -> None:
    """And each kind of what is leant on is used by one."""
    apps = [importlib.import_module(f"tests.corpus.apps.{name}.drive").APP for name in NAMES]
    assert {app.framework for app in apps} >= FRAMEWORKS
    uses = {use for app in apps for use in app.uses}
    assert uses >= {"SQLite", "PostgreSQL", "Redis", "files", "HTTP"}


def test_rows_of_applications_that_did_not_run_stay() -> None:
    """`--write` puts in what was run, in the order of the names."""
    first, last = NAMES[0], NAMES[-1]
    outcome = Outcome(name=first, framework="X", uses=("y",), packages=("z==1",))
    rows = rows_of(written(README, [outcome]))
    assert [application_of(row) for row in rows] == NAMES
    assert "| X | y | 0 |" in rows[0]
    assert rows[-1] == next(row for row in rows_of(README) if application_of(row) == last)


def test_nothing_replayed_is_not_enough() -> None:
    """A run without a recording fails."""
    empty = Outcome(name="a", framework="X", uses=(), packages=("z==1",))
    assert ENOUGH > 0
    assert not empty.is_enough
