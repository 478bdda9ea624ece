"""Catalog: finding recordings among millions, by what their headers say.

    entry.py       what the catalog keeps of one recording
    tables.py      the schema, the same for SQLite and PostgreSQL
    migrations.py  the schema made, and brought up to date
    opening.py     where the catalog of a store is
    catalog.py     rows put, removed and looked up
    search.py      which recordings are asked for, page by page
    indexing.py    fills it from the store

It needs SQLAlchemy, `pip install 'retrace-mw[catalog]'`, and nothing else in Retrace does. The
catalog is an index and never the truth: `rebuild` makes it anew from the store.
"""

from __future__ import annotations

from retrace_core.catalog.catalog import Catalog
from retrace_core.catalog.entry import Entry
from retrace_core.catalog.indexing import Indexed, rebuild, update
from retrace_core.catalog.search import Search, page, pages

__all__ = ["Catalog", "Entry", "Indexed", "Search", "page", "pages", "rebuild", "update"]
