"""Entry: what the catalog keeps of one recording, and what a search gives back of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retrace_core.tags import MOST_TAGS, refusal, tag_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_core.recording import Header
    from retrace_core.store import StoredRecording

__all__ = ["Entry", "entry_of", "storable"]

_MOST_CHARACTERS = 500
"""Of a text: what an index of PostgreSQL holds is bounded."""
_INT64 = (1 << 63) - 1
_VARYING = re.compile(r"/[^/]*\d[^/]*")
_NOT_FOUND = (404, 405)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One recording."""

    path: str
    """Logical path in the store."""
    folder: str
    service: str
    size_bytes: int
    modified_ns: int
    """When it was kept, by the clock of the store."""
    trace_id: str = ""
    span_id: str = ""
    route: str = ""
    error: str = ""
    """Class name of the exception."""
    verdict: str = ""
    decider: str = ""
    method: str = ""
    request_path: str = ""
    status: int = 0
    failed: bool = False
    """An exception, or a status of 500 and above."""
    started_ns: int = 0
    duration_ns: int = 0
    boot: str = ""
    """Where its boot tape is, "folder/service"."""
    unreadable: str = ""
    """Why its header can't be read; all that comes from the header is empty then."""
    tags: Mapping[str, str] = field(default_factory=lambda: dict[str, str]())
    id: int = 0
    """Its number in the catalog; 0 before it is there."""

    @property
    def cursor(self) -> str:
        """What a further page begins after."""
        return f"{self.started_ns}-{self.id}"


def storable(text: str) -> str:
    """Return text that every database takes: bounded, and without NUL and lone surrogates."""
    clean = text[:_MOST_CHARACTERS].replace("\0", "\\x00")
    return clean.encode("utf-8", "backslashreplace").decode()[:_MOST_CHARACTERS]


def entry_of(stored: StoredRecording, header: Header | None, unreadable: str = "") -> Entry:
    """Return what the catalog keeps of a recording.

    Args:
        stored: where it is.
        header: what is known of it; None where it can't be read.
        unreadable: why not.
    """
    if header is None:
        return Entry(
            path=stored.path,
            folder=stored.folder,
            service=stored.service,
            size_bytes=stored.size_bytes,
            modified_ns=stored.modified_ns,
            started_ns=stored.modified_ns,
            unreadable=storable(unreadable or "unreadable"),
        )
    return Entry(
        path=stored.path,
        folder=stored.folder,
        service=stored.service,
        size_bytes=stored.size_bytes,
        modified_ns=stored.modified_ns,
        trace_id=storable(header.trace_id),
        span_id=storable(header.span_id),
        route=storable(_route(header)),
        error=storable(header.error),
        verdict=storable(header.decision.verdict).replace(":", ""),
        decider=storable(header.decision.decider),
        method=storable(header.method),
        request_path=storable(header.path),
        status=min(max(header.status, 0), 999),
        failed=header.failed,
        started_ns=_bounded(header.started_ns),
        duration_ns=_bounded(header.duration_ns),
        boot=storable(header.boot),
        tags=_tags(header.tags),
    )


def _route(header: Header) -> str:
    """Return the framework's pattern, else the path without its ids.

    What was not found has none: strangers try paths without end.
    """
    if header.route or header.status in _NOT_FOUND:
        return header.route
    return _VARYING.sub("/*", header.path)


def _tags(tags: Mapping[str, str | int | bool]) -> dict[str, str]:
    # A file from elsewhere may hold what `tag` would have refused.
    taken = [(name, value) for name, value in tags.items() if not refusal(name, value)]
    return {name: tag_text(value) for name, value in taken[:MOST_TAGS]}


def _bounded(number: int) -> int:
    return min(max(number, 0), _INT64)
