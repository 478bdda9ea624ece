"""The catalog follows its store: what is new comes in, what is gone goes, and all comes back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from retrace_core.catalog import Catalog, Search, page, rebuild, update
from retrace_core.catalog.migrations import STEPS, migrate
from retrace_core.errors import CatalogError, ConfigurationError, StoreError
from retrace_core.store import DirectoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from retrace_core.catalog.indexing import Indexed


def counted(done: Indexed) -> tuple[int, int, int, int]:
    """Return what was seen, added, unreadable and removed."""
    return done.seen, done.added, done.unreadable, done.removed


def test_an_update_adds_what_is_new(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str]
) -> None:
    """Each recording comes in once."""
    put()
    assert counted(update(store, catalog)) == (1, 1, 0, 0)
    put()
    assert counted(update(store, catalog)) == (2, 1, 0, 0)
    assert len(catalog) == 2


def test_a_full_update_takes_out_what_is_gone(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str]
) -> None:
    """A row without its recording goes when all of the store is looked at."""
    path = put(tags={"user": 1})
    put()
    update(store, catalog)
    store.delete(path)
    assert counted(update(store, catalog)) == (1, 0, 0, 0)
    assert counted(update(store, catalog, full=True)) == (1, 0, 0, 1)
    assert len(catalog) == 1


def test_unreadable_files_are_listed_and_tried_again(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str]
) -> None:
    """A torn file is in the catalog, found only when asked for, and read once it is whole."""
    path = put()
    whole = store.get(path)
    file = f"{store.root}/{path}"
    with open(file, "wb") as torn:
        torn.write(whole[:40])
    assert counted(update(store, catalog)) == (1, 1, 1, 0)
    assert page(catalog, Search(), limit=9) == []
    (one,) = page(catalog, Search(unreadable=True), limit=9)
    assert "frame" in one.unreadable
    with open(file, "wb") as again:
        again.write(whole)
    assert counted(update(store, catalog, full=True, again=True)) == (1, 1, 0, 0)
    assert len(page(catalog, Search(), limit=9)) == 1


def test_a_path_that_was_taken_anew_is_read_anew(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str]
) -> None:
    """Another recording under the path of one that others have deleted is told from it."""
    path = put("a" * 32, tags={"user": 1}, path="/longer/than/the/other")
    update(store, catalog)
    store.delete(path)
    assert put("a" * 32, tags={"user": 2}) == path
    assert update(store, catalog).added == 1
    (one,) = page(catalog, Search(), limit=9)
    assert one.tags == {"user": "2"}


def test_a_rebuild_gives_the_same(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str]
) -> None:
    """Emptied and filled from the store, the catalog finds what it found."""
    for number in range(5):
        put(tags={"n": number}, route=f"/{number}")
    update(store, catalog)
    before = page(catalog, Search(), limit=9)
    assert counted(rebuild(store, catalog)) == (5, 5, 0, 0)
    after = page(catalog, Search(), limit=9)
    assert [(one.path, one.tags, one.route) for one in after] == [
        (one.path, one.tags, one.route) for one in before
    ]


def test_a_rebuild_makes_its_indexes_again(store: DirectoryStore, tmp_path: Path) -> None:
    """They are gone while it is filled, and there afterwards."""
    catalog = Catalog(store, str(tmp_path / "c.sqlite"))
    names = text("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE '%_by_%'")

    def indexes() -> int:
        with catalog.reading() as connection:
            return connection.scalar(names) or 0

    before = indexes()
    catalog.clear()
    assert indexes() == 0
    update(store, catalog)
    assert indexes() == before > 5


def test_a_store_that_can_not_be_read_empties_nothing(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str], tmp_path: Path
) -> None:
    """Where the folder is away, the catalog stays as it was."""
    put()
    update(store, catalog)
    (tmp_path / "recordings").rename(tmp_path / "away")
    with pytest.raises(StoreError):
        rebuild(store, catalog)
    assert len(catalog) == 1


def test_two_may_fill_it_at_once(
    store: DirectoryStore, database: str, put: Callable[..., str]
) -> None:
    """Several updates at the same time add each recording once, and none fails."""
    for number in range(50):
        put(tags={"n": number})
    catalogs = [Catalog(store, database) for _ in range(4)]
    added: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: added.append(update(store, one).added))
        for one in catalogs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(added) == 50
    assert len(catalogs[0]) == 50
    for catalog in catalogs:
        catalog.close()


def test_a_catalog_is_of_one_store(store: DirectoryStore, database: str, tmp_path: Path) -> None:
    """The catalog of one store is refused for another."""
    Catalog(store, database).close()
    with pytest.raises(CatalogError, match="not of"):
        Catalog(DirectoryStore(tmp_path / "other"), database)


@pytest.mark.parametrize(
    "setting",
    [
        "mysql://u:s3cret@h/d",
        "postgresql://u:s3cret@h",
        "redis://x",
        "http://s3cret",
        "://",
        "sqlite://",
    ],
)
def test_a_setting_that_means_no_database_is_refused(store: DirectoryStore, setting: str) -> None:
    """The error names the setting, and no password."""
    with pytest.raises(ConfigurationError, match="RETRACE_CATALOG") as found:
        Catalog(store, setting)
    assert "s3cret" not in str(found.value)


def test_a_database_out_of_reach_is_said_so(store: DirectoryStore) -> None:
    """The error tells where, without the password."""
    with pytest.raises(CatalogError, match="can't be used") as found:
        Catalog(store, "postgresql://u:s3cret@127.0.0.1:1/d")
    assert "s3cret" not in str(found.value)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"\0" * 4096])
def test_a_file_that_is_no_database_is_refused(
    store: DirectoryStore, tmp_path: Path, content: bytes
) -> None:
    """And left as it is."""
    file = tmp_path / "c.sqlite"
    file.write_bytes(content)
    with pytest.raises(CatalogError, match="RETRACE_CATALOG"):
        Catalog(store, str(file))
    assert file.read_bytes() == content


def test_a_schema_is_brought_up_to_date(store: DirectoryStore, catalog: Catalog) -> None:
    """A step that is new runs once, and what is in the catalog stays."""

    def second(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE recordings ADD COLUMN noted TEXT"))

    steps = (*STEPS, second)
    with catalog.writing() as connection:
        assert migrate(connection, steps) == 1
    with catalog.writing() as connection:
        assert migrate(connection, steps) == 0
        assert connection.scalar(text("SELECT count(noted) FROM recordings")) == 0


def test_a_newer_schema_is_refused(store: DirectoryStore, catalog: Catalog, database: str) -> None:
    """An older Retrace does not touch what it does not know."""
    with catalog.writing() as connection:
        catalog.set_fact(connection, "version", "99")
    with pytest.raises(CatalogError, match="upgrade"):
        Catalog(store, database)


def test_a_step_that_fails_changes_nothing(catalog: Catalog) -> None:
    """All of a migration, or nothing."""

    def half(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (x INTEGER)"))
        connection.execute(text("CREATE TABLE half (x INTEGER)"))

    with pytest.raises(CatalogError), catalog.writing() as connection:
        migrate(connection, (*STEPS, half))
    assert catalog.fact("version") == "1"
    with catalog.writing() as connection:
        connection.execute(text("CREATE TABLE half (x INTEGER)"))
