"""Cataloged: the store that a command is about, and its catalog, brought up to date."""

from __future__ import annotations

import importlib.util
import os
import time
from typing import TYPE_CHECKING

from retrace_core.cli.listing import Listed, Wanted, read
from retrace_core.cli.screen import note, progress
from retrace_core.cli.words import duration, plural
from retrace_core.errors import CatalogError, NotStored
from retrace_core.settings import resolve
from retrace_core.store import StoredRecording, is_remote, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from retrace_core.catalog import Catalog, Entry
    from retrace_core.store import Store

__all__ = ["all_entries", "catalog_there", "freshen", "listed", "open_catalog", "opened_store"]

_QUICK_NS = 2 * 10**9
"""Where bringing the catalog up to date took no longer the last time, it is done unasked."""


def opened_store(given: str | None) -> Store:
    """Return the store that a command is about: as given, else as the settings say.

    Raises:
        ConfigurationError: it can mean no store, or a setting is wrong.
    """
    if given is None:
        return open_store(resolve().recording_path)
    return open_store(given, setting="--recordings")  # "" is a mistake, and not the default


def open_catalog(store: Store) -> Catalog:
    """Return the catalog of a store; it is made where there is none.

    Raises:
        ConfigurationError: RETRACE_CATALOG can mean no database.
        CatalogError: SQLAlchemy is not installed, or the database can't be used.
        StoreError: there is no such folder.
    """
    if importlib.util.find_spec("sqlalchemy") is None:
        raise CatalogError(
            "the catalog needs SQLAlchemy: pip install 'retrace-mw[catalog]'; without it,"
            " retrace ls reads the header of each file"
        )
    if not is_remote(store.url) and not os.path.isdir(store.url):
        next(iter(store.list()), None)  # says what is wrong, and no folder is made of a typo
    from retrace_core.catalog import Catalog

    return Catalog(store, resolve().catalog)


def catalog_there(store: Store) -> bool:
    """Return True where a store has a catalog already, or one is set."""
    if importlib.util.find_spec("sqlalchemy") is None:
        return False
    from retrace_core.catalog.opening import default_file

    return bool(resolve().catalog) or default_file(store).is_file()


def listed(store: Store, wanted: Wanted, limit: int | None) -> list[Listed] | None:
    """Return what is asked for, chosen by the catalog and read from the files, newest first.

    None where the catalog can't answer: there is none, it can't be brought up to date in a
    moment, the pattern is beyond it, or nothing narrows the question.

    Args:
        store: where recordings are.
        wanted: what is asked for.
        limit: how many readable ones at most; None: all.
    """
    plain = not any(sign in wanted.path + wanted.service for sign in "?[")
    if (limit is None and wanted == Wanted()) or not plain or not catalog_there(store):
        return None
    from retrace_core.catalog import Search, page, pages, update

    catalog = open_catalog(store)
    if int(catalog.fact("took_ns") or _QUICK_NS + 1) > _QUICK_NS:
        return None
    update(store, catalog)
    search = Search(
        trace=wanted.trace,
        service=wanted.service,
        since_ns=wanted.since_ns,
        until_ns=wanted.until_ns,
        status=wanted.status,
        path=wanted.path,
    )
    if limit is None:
        found = [one for part in pages(catalog, search) for one in part]
    else:
        found = page(catalog, search, limit=limit)
    of_trace = Search(trace=wanted.trace, service=wanted.service, unreadable=True)
    found += [one for part in pages(catalog, of_trace) for one in part]
    catalog.close()
    answers = [
        read(store, StoredRecording(o.path, o.folder, o.service, o.size_bytes, o.modified_ns))
        for o in found
        if o.folder.startswith(wanted.trace)
    ]
    # Chosen by the catalog, judged by the header: what is deleted meanwhile is passed over.
    return [
        one
        for one in answers
        if (_is_there(store, one.stored.path) if one.header is None else wanted.takes(one.header))
    ]


def _is_there(store: Store, path: str) -> bool:
    try:
        store.stat(path)
    except NotStored:
        return False
    return True


def all_entries(
    store: Store, tag_names: Set[str], *, again: bool = False
) -> tuple[Catalog | None, Iterator[Entry]]:
    """Return the catalog of a store, and all recordings of the store.

    From the catalog, brought up to date, where there is one or SQLAlchemy is installed; else from
    the header of each file, and the catalog is None.

    Args:
        store: where recordings are.
        tag_names: the tags that must be known.
        again: read again what could not be read before.
    """
    if importlib.util.find_spec("sqlalchemy") is None:
        from retrace_core.catalog.indexing import read_entry

        read = (read_entry(store, one) for one in store.list())
        return None, (entry for entry in read if entry is not None)
    from retrace_core.catalog import update
    from retrace_core.catalog.scan import scan

    catalog = open_catalog(store)
    with progress("reading headers", None) as step:
        update(store, catalog, full=True, again=again, step=step)
    return catalog, scan(catalog, sorted(tag_names))


def freshen(store: Store, catalog: Catalog, wanted: bool | None) -> None:
    """Bring a catalog up to date before it is asked, or say how old it is.

    Args:
        store: where recordings are.
        catalog: its catalog.
        wanted: True: do it; False: don't; None: where it went quickly the last time.
    """
    from retrace_core.catalog import update

    took, updated = catalog.fact("took_ns"), catalog.fact("updated_ns")
    if wanted or (wanted is None and (took is None or int(took) <= _QUICK_NS)):
        done = update(store, catalog, again=bool(wanted))
        if done.unreadable:
            note(
                f"{plural(done.unreadable, 'new file')} can't be read; retrace find --unreadable"
                " lists them"
            )
    elif updated is None:
        note("the catalog is not filled yet, or is being filled: retrace catalog update")
    elif wanted is None:
        age = duration((time.time_ns() - int(updated)) / 1e3)
        note(f"the catalog is of {age} ago; --update brings it up to date first")
