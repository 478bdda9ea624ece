"""Opening: where the catalog of a store is, and the connection to it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from retrace_core.errors import CatalogError, ConfigurationError
from retrace_core.store import is_remote

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from retrace_core.store import Store

__all__ = ["READING", "catalog_url", "default_file", "open_engine"]

READING = "retrace_reading"
"""Execution option of a connection that writes nothing, and so keeps nobody out."""

_LOCK = 0x7265747261636500
"""Of PostgreSQL's advisory locks: one writer at a time."""
_ALLOWED = "a file, sqlite:///file, or postgresql+psycopg://user@host/database"
_BUSY_S = 60.0


def default_file(store: Store) -> Path:
    """Return where the catalog of a store is by default.

    Beside the recordings of a folder; for a store in a cloud, in the user's cache.
    """
    if not is_remote(store.url):
        return Path(store.url, ".catalog", "catalog.sqlite")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(store.url.encode()).hexdigest()[:16]
    return Path(cache, "retrace", "catalog", f"{name}.sqlite")


def catalog_url(store: Store, setting: str) -> URL:
    """Return the database that holds the catalog of a store.

    Args:
        store: whose catalog.
        setting: RETRACE_CATALOG; "" for the default.

    Raises:
        ConfigurationError: it is neither a file nor the URL of a database that will do.
    """
    given = setting or str(default_file(store))
    if "://" not in given:
        return make_url("sqlite://").set(database=os.path.abspath(given))
    try:
        url = make_url(given)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("sqlite", "postgresql") or not url.database:
        # The text may hold a password.
        raise ConfigurationError("RETRACE_CATALOG", "(hidden)", _ALLOWED)
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def open_engine(url: URL) -> Engine:
    """Return the engine for a catalog's database; nothing is asked of it yet.

    Raises:
        CatalogError: its driver is not installed, or the folder for it can't be made.
    """
    try:
        if url.get_backend_name() == "sqlite":
            _prepare_file(Path(str(url.database)))
            engine = create_engine(url, connect_args={"timeout": _BUSY_S})
            event.listen(engine, "connect", _begun_by_us)
        else:
            engine = create_engine(url)
        event.listen(engine, "begin", _begin)
        return engine
    except (ImportError, NoSuchModuleError) as error:
        raise CatalogError(
            f"the driver for {url.drivername} is not installed ({error});"
            " pip install 'psycopg[binary]'"
        ) from None
    except OSError as error:
        raise CatalogError(
            f"the catalog can't be put at {url.database} ({error.strerror});"
            " set RETRACE_CATALOG to a file that can be written"
        ) from None


def _prepare_file(file: Path) -> None:
    """Make the file before SQLite does, so that nobody else may read it."""
    file.parent.mkdir(0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))


def _begun_by_us(connection: Any, _: object) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # a transaction begins where `_begin` says so
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "case_sensitive_like=ON",
        "cache_size=-65536",
        "temp_store=MEMORY",
        "mmap_size=1073741824",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
    elif not reading:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
