"""Search: which recordings are asked for, and the pages of the answer, newest first.

The rarest filter goes first. Each is counted up to a bound, which costs little; where one of
them has few recordings these are looked at, and no others. Where all have many, the rows are
read newest first, and soon there are enough.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from retrace_core.catalog.entry import Entry
from retrace_core.catalog.tables import DECISION, ERROR, ROUTE, SERVICE, names, recordings, tags
from retrace_core.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from retrace_core.catalog.catalog import Catalog

__all__ = ["Search", "entries_of", "page", "pages"]

_FEW = 1500
"""So many rows are looked at one by one within milliseconds."""
_PAGE = 1000
_CURSOR = re.compile(r"(\d{1,19})-(\d{1,19})", re.ASCII)
_LAST = "\U0010ffff"

Condition = ColumnElement[bool]
c = recordings.c


@dataclass(frozen=True, slots=True)
class _Filter:
    """One thing that is asked about."""

    numbers: Select[tuple[int]]
    """The recordings that have it, by the index that knows them."""
    test: Condition
    """The same, looked at row by row: by no index of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked for; what is left as it is, is not asked about. "*" stands for any text."""

    trace: str = ""
    """The beginning of a trace's folder, or of its trace id."""
    service: str = ""
    """A pattern."""
    route: str = ""
    """A pattern."""
    path: str = ""
    """A pattern of the request's path."""
    status: str = ""
    """"5xx", "404", or "error": an exception, or 500 and above."""
    error: str = ""
    """A pattern of the exception's class, with or without its module."""
    decision: str = ""
    """A pattern of the verdict, or of the decider."""
    method: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    """Each of them, by name and value."""
    slower_ns: int = 0
    """Took at least so long."""
    larger_bytes: int = 0
    """Has at least so many bytes."""
    since_ns: int = 0
    until_ns: int = 1 << 63
    unreadable: bool = False
    """Those whose header can't be read, and no others."""


def page(
    catalog: Catalog, search: Search, *, limit: int, after: str = "", few: int = _FEW
) -> list[Entry]:
    """Return what is asked for, newest first.

    Args:
        catalog: where to look.
        search: what is asked for.
        limit: how many at most.
        after: the cursor of the last entry of the page before.
        few: how many rows of a filter are few.

    Raises:
        CatalogError: the cursor is none, or the database refused.
    """
    with catalog.reading() as connection:
        filters = _filters(connection, search)
        if filters is None:
            return []
        rest: list[Condition] = [_after(after)] if after else []
        if search.since_ns:
            rest.append(c.started_ns >= search.since_ns)
        if search.until_ns < 1 << 63:
            rest.append(c.started_ns <= search.until_ns)
        rest.append(c.unreadable != "" if search.unreadable else c.unreadable == "")
        chosen = (
            select(c.id)
            .where(*_rarest_first(connection, filters, few), *rest)
            .order_by(c.started_ns.desc(), c.id.desc())
            .limit(limit)
        )
        numbers = list(connection.scalars(chosen))
        return entries_of(connection, numbers)


def pages(catalog: Catalog, search: Search, size: int = _PAGE) -> Iterator[list[Entry]]:
    """Yield all that is asked for, page by page; raises as `page`."""
    after = ""
    while True:
        found = page(catalog, search, limit=size, after=after)
        if found:
            yield found
        if len(found) < size:
            return
        after = found[-1].cursor


def _after(cursor: str) -> Condition:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise CatalogError(f"{cursor!r} is no place to go on after; give what `next` said")
    started_ns, number = int(match[1]), int(match[2])
    return and_(c.started_ns <= started_ns, or_(c.started_ns < started_ns, c.id < number))


def _rarest_first(connection: Connection, filters: list[_Filter], few: int) -> list[Condition]:
    """Return the conditions, narrowed to the rows of the rarest filter where these are few."""
    best: tuple[int, _Filter] | None = None
    for one in filters:
        probe = one.numbers.limit(few).subquery()
        size = connection.scalar(select(func.count()).select_from(probe)) or 0
        if size < few and (best is None or size < best[0]):
            best = (size, one)
    if best is None:
        return [one.test for one in filters]
    numbers = list(connection.scalars(best[1].numbers.limit(few)))
    return [c.id.in_(numbers), *(one.test for one in filters if one is not best[1])]


def _filters(connection: Connection, search: Search) -> list[_Filter] | None:
    """Return what is asked about, each by itself; None where one of it can match nothing."""
    found: list[_Filter] = []
    for kind, column, pattern in (
        (SERVICE, c.service_id, search.service),
        (ROUTE, c.route_id, search.route),
        (ERROR, c.error_id, search.error),
        (DECISION, c.decision_id, search.decision),
    ):
        if pattern:
            numbers = _named(connection, kind, pattern)
            if not numbers:
                return None
            found.append(_by(column == numbers[0] if len(numbers) == 1 else column.in_(numbers)))
    if search.trace:
        begins = or_(_begins(c.path, search.trace), _begins(c.trace_id, search.trace))
        found.append(_by(begins))
    if search.path:
        test = _like(c.request_path, search.path, ranged=False)
        found.append(_Filter(select(c.id).where(_like(c.request_path, search.path)), test))
    if search.status:
        found.append(_by(_status(search.status)))
    for column, least in ((c.duration_ns, search.slower_ns), (c.size_bytes, search.larger_bytes)):
        if least:
            found.append(_Filter(select(c.id).where(column >= least), column + 0 >= least))
    if search.method:
        found.append(_by(c.method == search.method.upper()))
    for name, value in search.tags:
        own = (tags.c.name == name, tags.c.value == value)
        found.append(
            _Filter(
                select(tags.c.recording_id).where(*own),
                exists().where(tags.c.recording_id == c.id, *own),
            )
        )
    return found


def _by(condition: Condition) -> _Filter:
    return _Filter(select(c.id).where(condition), condition)


def _named(connection: Connection, kind: int, pattern: str) -> list[int]:
    asked = [_like(names.c.text, pattern)]
    if kind == ERROR:
        asked.append(_like(names.c.text, f"*.{pattern}"))
    elif kind == DECISION:
        asked = [_like(names.c.text, f"{pattern}:*"), _like(names.c.text, f"*:{pattern}")]
    return list(
        connection.scalars(
            select(names.c.id).where(names.c.kind == kind, names.c.text != "", or_(*asked))
        )
    )


def _like(column: ColumnElement[str], pattern: str, *, ranged: bool = True) -> Condition:
    """Match a pattern in which "*" is any text.

    Args:
        column: what is matched.
        pattern: the pattern.
        ranged: give the database the fixed beginning as a range of its index.
    """
    if "*" not in pattern:
        return column == pattern
    beginning = pattern.partition("*")[0]
    text = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    matched = column.like(text, escape="\\")
    return and_(_begins(column, beginning), matched) if beginning and ranged else matched


def _begins(column: ColumnElement[str], beginning: str) -> Condition:
    return and_(column >= beginning, column < beginning + _LAST)


def _status(status: str) -> Condition:
    if status == "error":
        return c.failed.is_(True)
    number = int(status[0])
    if status.endswith("xx"):
        return c.status_class == number
    return and_(c.status_class == number, c.status == int(status))


def entries_of(connection: Connection, numbers: list[int]) -> list[Entry]:
    """Return recordings by their numbers, in that order."""
    rows: dict[int, Any] = {}
    for begin in range(0, len(numbers), 500):
        part = numbers[begin : begin + 500]
        for row in connection.execute(_whole().where(c.id.in_(part))):
            rows[row.id] = row
    tagged: dict[int, dict[str, str]] = {}
    for begin in range(0, len(numbers), 500):
        asked = select(tags.c.recording_id, tags.c.name, tags.c.value).where(
            tags.c.recording_id.in_(numbers[begin : begin + 500])
        )
        for number, name, value in connection.execute(asked):
            tagged.setdefault(number, {})[name] = value
    return [_entry(rows[number], tagged.get(number, {})) for number in numbers if number in rows]


def _whole() -> Select[Any]:
    service, route, error, decision = (names.alias() for _ in range(4))
    return (
        select(
            recordings,
            service.c.text.label("service"),
            route.c.text.label("route"),
            error.c.text.label("error"),
            decision.c.text.label("decision"),
        )
        .join(service, service.c.id == c.service_id)
        .join(route, route.c.id == c.route_id)
        .join(error, error.c.id == c.error_id)
        .join(decision, decision.c.id == c.decision_id)
    )


def _entry(row: Any, tagged: dict[str, str]) -> Entry:
    verdict, _, decider = row.decision.partition(":")
    return Entry(
        id=row.id,
        path=row.path,
        folder=row.folder,
        service=row.service,
        size_bytes=row.size_bytes,
        modified_ns=row.modified_ns,
        trace_id=row.trace_id or row.folder,
        span_id=row.span_id,
        route=row.route,
        error=row.error,
        verdict=verdict,
        decider=decider,
        method=row.method,
        request_path=row.request_path,
        status=row.status,
        failed=row.failed,
        started_ns=row.started_ns,
        duration_ns=row.duration_ns,
        boot=row.boot,
        unreadable=row.unreadable,
        tags=dict(sorted(tagged.items())),
    )
