"""Scan: all recordings of a catalog, with the little that retention must know of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from retrace_core.catalog.entry import Entry
from retrace_core.catalog.tables import names, recordings, tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.catalog.catalog import Catalog

__all__ = ["scan"]

_AT_ONCE = 10_000
c = recordings.c


def scan(catalog: Catalog, tag_names: Sequence[str] = ()) -> Iterator[Entry]:
    """Yield every recording, in no particular order.

    Args:
        catalog: the catalog.
        tag_names: the tags that are asked for; others are left out.

    Raises:
        CatalogError: the database refused.
    """
    last = 0
    with catalog.reading() as connection:
        named = connection.execute(select(names.c.id, names.c.text))
        words = {row.id: row.text for row in named}
    asked = (
        select(
            c.id,
            c.path,
            c.folder,
            c.service_id,
            c.route_id,
            c.method,
            c.size_bytes,
            c.modified_ns,
            c.failed,
            c.unreadable,
            c.boot,
        )
        .order_by(c.id)
        .limit(_AT_ONCE)
    )
    while True:
        tagged: dict[int, dict[str, str]] = {}
        with catalog.reading() as connection:
            rows = connection.execute(asked.where(c.id > last)).all()
            if rows and tag_names:
                found = select(tags.c.recording_id, tags.c.name, tags.c.value).where(
                    tags.c.recording_id > last,
                    tags.c.recording_id <= rows[-1].id,
                    tags.c.name.in_(tag_names),
                )
                for number, name, value in connection.execute(found):
                    tagged.setdefault(number, {})[name] = value
        for number, path, folder, service, route, method, size, modified, failed, bad, boot in rows:
            yield Entry(
                id=number,
                path=path,
                folder=folder,
                service=words.get(service, ""),
                route=words.get(route, ""),
                method=method,
                size_bytes=size,
                modified_ns=modified,
                failed=failed,
                unreadable=bad,
                boot=boot,
                tags=tagged.get(number, {}),
            )
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id
