"""Catalog: finding recordings among millions, by what their headers say.

    entry.py       what the catalog keeps of one recording
    tables.py      the schema, the same for SQLite and PostgreSQL
    migrations.py  the schema made, and brought up to date
    opening.py     where the catalog of a store is
    catalog.py     rows put, removed and looked up
    search.py      which recordings are asked for, page by page
    indexing.py    fills it from the store
    scan.py        all of it, in the little that retention must know

It needs SQLAlchemy, `pip install 'retrace-mw[catalog]'`, and nothing else in Retrace does. The
catalog is an index and never the truth: `rebuild` makes it anew from the store.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrace_core.catalog.catalog import Catalog as Catalog
    from retrace_core.catalog.entry import Entry as Entry
    from retrace_core.catalog.indexing import Indexed as Indexed
    from retrace_core.catalog.indexing import rebuild as rebuild
    from retrace_core.catalog.indexing import update as update
    from retrace_core.catalog.search import Search as Search
    from retrace_core.catalog.search import page as page
    from retrace_core.catalog.search import pages as pages

__all__ = ["Catalog", "Entry", "Indexed", "Search", "page", "pages", "rebuild", "update"]

_PLACES = {
    "Catalog": "catalog",
    "Entry": "entry",
    "Indexed": "indexing",
    "Search": "search",
    "page": "search",
    "pages": "search",
    "rebuild": "indexing",
    "update": "indexing",
}


def __getattr__(name: str) -> Any:
    # On demand, so that reading headers into entries needs no SQLAlchemy.
    if name in _PLACES:
        return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
