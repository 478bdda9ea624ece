"""Migrations: the schema of a catalog, made and brought up to date step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, select, update

from retrace_core.catalog.tables import facts, metadata
from retrace_core.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

__all__ = ["STEPS", "migrate"]


def _first(connection: Connection) -> None:
    metadata.create_all(connection)


STEPS: Sequence[Callable[[Connection], None]] = (_first,)
"""Step n takes a catalog from version n to n + 1. Only added to, at the end; a step that changes
a table says it in SQL of its own, for `tables` is always the newest."""


def migrate(connection: Connection, steps: Sequence[Callable[[Connection], None]] = STEPS) -> int:
    """Bring the schema up to date, all or nothing; return how many steps that took.

    Args:
        connection: in a transaction that keeps other writers out.
        steps: all that there are.

    Raises:
        CatalogError: a newer Retrace made this catalog, or it is none.
    """
    version = _version(connection)
    if version > len(steps):
        raise CatalogError(
            f"the catalog has schema version {version}, this Retrace knows up to {len(steps)};"
            " upgrade retrace-mw, or give another RETRACE_CATALOG"
        )
    for step in steps[version:]:
        step(connection)
    done = len(steps) - version
    if version == 0:
        connection.execute(facts.insert().values(name="version", value=str(len(steps))))
    elif done:
        connection.execute(
            update(facts).where(facts.c.name == "version").values(value=str(len(steps)))
        )
    return done


def _version(connection: Connection) -> int:
    found = inspect(connection).get_table_names()
    if not found:
        return 0
    value = None
    if "facts" in found and "recordings" in found:
        value = connection.scalar(select(facts.c.value).where(facts.c.name == "version"))
    if value is None or not value.isdecimal():
        raise CatalogError(
            "the database has other tables, and is no catalog; give RETRACE_CATALOG one of its own"
        )
    return int(value)
