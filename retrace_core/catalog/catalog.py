"""Catalog: rows about recordings, put, removed and looked up; it can always be made anew."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from retrace_core.catalog.migrations import migrate
from retrace_core.catalog.opening import READING, catalog_url, open_engine
from retrace_core.catalog.tables import (
    DECISION,
    ERROR,
    ROUTE,
    SERVICE,
    facts,
    indexes,
    names,
    recordings,
    tags,
)
from retrace_core.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from retrace_core.catalog.entry import Entry
    from retrace_core.store import Store

__all__ = ["Catalog"]

T = TypeVar("T")

_BARE = "bare"
"""The fact that the indexes are missing, because the catalog is being filled."""
_AT_ONCE = 500
"""Parameters of one statement."""


class Catalog:
    """The catalog of one store.

    Args:
        store: whose recordings are in it.
        setting: RETRACE_CATALOG; by default a file beside the recordings.

    Raises:
        ConfigurationError: the setting can mean no database.
        CatalogError: the database can't be reached, or holds something else.
    """

    def __init__(self, store: Store, setting: str = "") -> None:
        url = catalog_url(store, setting)
        self.place = url.render_as_string(hide_password=True)
        self.store_url = store.url
        self._engine = open_engine(url)
        try:
            with self.writing() as connection:
                migrate(connection)
                self._claim(connection)
        except CatalogError:
            self.close()
            raise

    def _claim(self, connection: Connection) -> None:
        known = self._fact(connection, "store")
        if known is None:
            self.set_fact(connection, "store", self.store_url)
        elif known != self.store_url:
            raise CatalogError(
                f"{self.place} is the catalog of {known}, not of {self.store_url};"
                " give each store a RETRACE_CATALOG of its own"
            )

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that keeps other writers out, committed at the end.

        Raises:
            CatalogError: the database refused.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._refused(error) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalog, and keeps nobody out.

        Raises:
            CatalogError: the database refused.
        """
        try:
            with self._engine.connect().execution_options(**{READING: True}) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise self._refused(error) from None

    def _refused(self, error: SQLAlchemyError) -> CatalogError:
        cause = getattr(error, "orig", None) or error
        told = " ".join(str(cause).split())[:300]
        return CatalogError(
            f"the catalog {self.place} can't be used ({told}); check RETRACE_CATALOG, or make it"
            " anew: retrace catalog rebuild"
        )

    # -- facts

    def fact(self, name: str) -> str | None:
        """Return what the catalog notes of itself by a name, or None."""
        with self.reading() as connection:
            return self._fact(connection, name)

    def _fact(self, connection: Connection, name: str) -> str | None:
        return connection.scalar(select(facts.c.value).where(facts.c.name == name))

    def set_fact(self, connection: Connection, name: str, value: str) -> None:
        """Note something of the catalog itself."""
        connection.execute(delete(facts).where(facts.c.name == name))
        connection.execute(insert(facts).values(name=name, value=value))

    # -- rows

    def __len__(self) -> int:
        """How many recordings are in it."""
        with self.reading() as connection:
            return connection.scalar(select(func.count()).select_from(recordings)) or 0

    def total_bytes(self) -> int:
        """Return the size of all recordings in it together."""
        with self.reading() as connection:
            return int(connection.scalar(select(func.sum(recordings.c.size_bytes))) or 0)

    def paths(self) -> Iterator[str]:
        """Yield the paths of all recordings in it."""
        last = 0
        while True:
            with self.reading() as connection:
                asked = select(recordings.c.id, recordings.c.path).where(recordings.c.id > last)
                rows = connection.execute(asked.order_by(recordings.c.id).limit(10_000)).all()
            if not rows:
                return
            yield from (row.path for row in rows)
            last = rows[-1].id

    def unreadable(self) -> list[str]:
        """Return the paths of those whose header could not be read."""
        with self.reading() as connection:
            return list(
                connection.scalars(select(recordings.c.path).where(recordings.c.unreadable != ""))
            )

    def known(self, paths: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return size and time of keeping of those of the paths that are in the catalog."""
        found: dict[str, tuple[int, int]] = {}
        wanted = (recordings.c.path, recordings.c.size_bytes, recordings.c.modified_ns)
        with self.reading() as connection:
            for part in _parts(paths):
                asked = select(*wanted).where(recordings.c.path.in_(part))
                for path, size, modified in connection.execute(asked):
                    found[path] = (size, modified)
        return found

    def add(self, entries: Iterable[Entry]) -> int:
        """Put recordings in; those that are there already stay as they are.

        Returns:
            How many were put in.
        """
        wanted = {entry.path: entry for entry in entries}
        if not wanted:
            return 0
        with self.writing() as connection:
            there: set[str] = set()
            for part in _parts(list(wanted)):
                asked = select(recordings.c.path).where(recordings.c.path.in_(part))
                there.update(connection.scalars(asked))
            new = [entry for path, entry in wanted.items() if path not in there]
            if new:
                last = connection.scalar(select(func.max(recordings.c.id))) or 0
                self._insert(connection, new, last + 1)
            return len(new)

    def _insert(self, connection: Connection, new: list[Entry], first: int) -> None:
        known = _numbers_of_names(connection, new)
        rows = [_row(entry, number, known) for number, entry in enumerate(new, first)]
        connection.execute(insert(recordings), rows)
        tag_rows = [
            {
                "recording_id": number,
                "name": name,
                "value": value,
                "started_ns": entry.started_ns,
            }
            for number, entry in enumerate(new, first)
            for name, value in entry.tags.items()
        ]
        if tag_rows:
            connection.execute(insert(tags), tag_rows)

    def remove(self, paths: Sequence[str]) -> None:
        """Take recordings out; those that are not there are no error."""
        if not paths:
            return
        with self.writing() as connection:
            for part in _parts(paths):
                asked = select(recordings.c.id).where(recordings.c.path.in_(part))
                numbers = list(connection.scalars(asked))
                connection.execute(delete(tags).where(tags.c.recording_id.in_(numbers)))
                connection.execute(delete(recordings).where(recordings.c.id.in_(numbers)))

    def clear(self) -> None:
        """Take all recordings out, and the indexes, until `filled` says that all is in again."""
        with self.writing() as connection:
            for table in (tags, recordings, names):
                connection.execute(delete(table))
            for name in ("updated_ns", "listed_ns", "took_ns"):
                connection.execute(delete(facts).where(facts.c.name == name))
            for index in indexes:
                index.drop(connection, checkfirst=True)
            self.set_fact(connection, _BARE, "1")

    def tidy(self) -> None:
        """Let the database look at what it holds, so that it plans well; after much has changed."""
        with self.writing() as connection:
            connection.execute(text("ANALYZE"))

    def filled(self, *, listed_ns: int, took_ns: int) -> None:
        """Note that the catalog was brought up to date.

        Args:
            listed_ns: what was kept before, by the store's clock, is in the catalog.
            took_ns: how long that took.
        """
        with self.writing() as connection:
            if self._fact(connection, _BARE) is not None:
                for index in indexes:
                    index.create(connection, checkfirst=True)
                connection.execute(delete(facts).where(facts.c.name == _BARE))
                connection.execute(text("ANALYZE"))
            self.set_fact(connection, "listed_ns", str(listed_ns))
            self.set_fact(connection, "took_ns", str(took_ns))
            self.set_fact(connection, "updated_ns", str(time.time_ns()))


def _numbers_of_names(
    connection: Connection, entries: Sequence[Entry]
) -> Mapping[tuple[int, str], int]:
    """Return the number of each name that the entries have; new ones get one."""
    missing = {pair for entry in entries for pair in _names_of(entry)}
    found = _read_names(connection, missing)
    new = sorted(missing - found.keys())
    if new:
        connection.execute(insert(names), [{"kind": kind, "text": word} for kind, word in new])
        found |= _read_names(connection, new)
    return found


def _read_names(
    connection: Connection, pairs: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for part in _parts(sorted({word for _, word in pairs})):
        asked = select(names.c.kind, names.c.text, names.c.id).where(names.c.text.in_(part))
        found.update({(kind, word): number for kind, word, number in connection.execute(asked)})
    return found


def _row(entry: Entry, number: int, known: Mapping[tuple[int, str], int]) -> dict[str, Any]:
    service, route, error, decision = (known[pair] for pair in _names_of(entry))
    return {
        "id": number,
        "path": entry.path,
        "folder": entry.folder,
        "trace_id": entry.trace_id if entry.trace_id != entry.folder else "",
        "span_id": entry.span_id,
        "service_id": service,
        "route_id": route,
        "error_id": error,
        "decision_id": decision,
        "method": entry.method,
        "request_path": entry.request_path,
        "status": entry.status,
        "status_class": entry.status // 100,
        "failed": entry.failed,
        "started_ns": entry.started_ns,
        "duration_ns": entry.duration_ns,
        "size_bytes": entry.size_bytes,
        "modified_ns": entry.modified_ns,
        "boot": entry.boot,
        "unreadable": entry.unreadable,
    }


def _names_of(entry: Entry) -> tuple[tuple[int, str], ...]:
    return (
        (SERVICE, entry.service),
        (ROUTE, entry.route),
        (ERROR, entry.error),
        (DECISION, f"{entry.verdict}:{entry.decider}"),
    )


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for begin in range(0, len(items), _AT_ONCE):
        yield items[begin : begin + _AT_ONCE]
