"""Timeline: the events of a recording as rows to read, the small ones put together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from retrace_core.cli.exchanges import of_recording
from retrace_core.cli.words import call_words, cut, exception_words, plural, size, value_words
from retrace_core.recording import CANCELLED, RAISED, Event, SoftEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retrace_core.cli.exchanges import Exchange
    from retrace_core.recording import Recording

__all__ = ["Row", "rows"]

_FETCHES = ("sqlite3.fetch", "apsw.fetch")
_MERGED = ("http.bytes", "httpx.chunk", *_FETCHES)
_CUT, _FULL = 160, 1_000_000
_SHOWN_VALUES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the timeline."""

    lane: str
    kind: str
    asked: str = ""
    answered: str = ""
    started_us: int | None = None
    """In microseconds since the scope was opened; None for reads of clocks and entropy."""
    duration_us: int | None = None
    failed: bool = False
    soft: bool = False


def rows(
    recording: Recording, *, soft: bool = True, lane: str = "", full: bool = False
) -> Iterator[Row]:
    """Yield the events in order of completion.

    Args:
        recording: whose events.
        soft: False leaves out reads of clocks and entropy.
        lane: only this lane; default all.
        full: True cuts no text.
    """
    limit = _FULL if full else _CUT
    exchanges = {id(exchange.head): exchange for exchange in of_recording(recording)}
    wanted = (
        (lane_id, event)
        for lane_id, event in _ordered(recording)
        if lane in ("", lane_id) and (soft or isinstance(event, Event))
    )
    for (lane_id, _), group in groupby(wanted, key=_together):
        events = [event for _, event in group]
        first = events[0]
        if isinstance(first, SoftEvent):
            yield _soft_row(lane_id, events, full)
        elif first.kind in _MERGED:
            yield _merged_row(lane_id, [e for e in events if isinstance(e, Event)], limit)
        else:
            for event in events:
                if isinstance(event, Event):
                    yield _row(lane_id, event, exchanges.get(id(event)), limit)


def _ordered(recording: Recording) -> Iterator[tuple[str, Event | SoftEvent]]:
    """Yield the events in order of completion, soft ones right before their lane's next call."""
    order: list[tuple[float, str, int, Event | SoftEvent]] = []
    for lane in recording.lanes:
        seq = float("inf")
        for place in reversed(range(len(lane.events))):
            event = lane.events[place]
            seq = event.seq if isinstance(event, Event) else seq
            order.append((seq, lane.id, place, event))
    order.sort(key=lambda item: item[:3])
    for _, lane_id, _, event in order:
        yield lane_id, event


def _together(item: tuple[str, Event | SoftEvent]) -> tuple[str, object]:
    """Return what neighbours must have in common to share a row."""
    lane_id, event = item
    if isinstance(event, SoftEvent):
        return lane_id, "soft"
    if event.kind in _MERGED and event.status not in (RAISED, CANCELLED):
        return lane_id, event.kind
    return lane_id, event.seq


def _soft_row(lane_id: str, events: Sequence[Event | SoftEvent], full: bool) -> Row:
    counts = Counter(event.kind for event in events)
    reads = ", ".join(f"{n}× {kind}" if n > 1 else kind for kind, n in counts.items())  # noqa: RUF001
    shown = events if full else events[:_SHOWN_VALUES]
    values = [value_words(event.value, _CUT if full else 40) for event in shown]
    if len(shown) < len(events):
        values.append("…")
    return Row(lane=lane_id, kind="read", asked=reads, answered=", ".join(values), soft=True)


def _merged_row(lane_id: str, events: list[Event], limit: int) -> Row:
    if len(events) == 1:
        return _row(lane_id, events[0], None, limit)
    first, last = events[0], events[-1]
    began = first.end_us - first.duration_us
    if first.kind in _FETCHES:
        answered = plural(sum(len(_rows(event.value)) for event in events), "row")
    else:
        answered = size(sum(_length(event.value) for event in events))
    return Row(
        lane=lane_id,
        kind=first.kind,
        asked=f"{len(events)} reads",
        answered=answered,
        started_us=began,
        duration_us=last.end_us - began,
    )


def _row(lane_id: str, event: Event, exchange: Exchange | None, limit: int) -> Row:
    failed = event.status == RAISED
    return Row(
        lane=lane_id,
        kind=event.kind,
        asked=call_words(event, limit),
        answered=cut(_answer(event, exchange, limit), limit),
        started_us=event.end_us - event.duration_us,
        duration_us=(
            event.duration_us if exchange is None else exchange.answered_us - exchange.started_us
        ),
        failed=failed or event.status == CANCELLED,
    )


def _answer(event: Event, exchange: Exchange | None, limit: int) -> str:
    if event.status == RAISED:
        return f"raised {exception_words(event.value)}"
    if event.status == CANCELLED:
        return "cancelled"
    if exchange is not None:
        if not exchange.status:
            return exchange.error
        kind = next((v for n, v in exchange.headers if n.lower() == "content-type"), "")
        return f"{exchange.status} {exchange.reason} {kind}".rstrip()
    value: Any = event.value
    if event.kind in ("http.bytes", "httpx.chunk"):
        return size(len(value)) if isinstance(value, bytes) else "end"
    if event.kind in _FETCHES and isinstance(value, list | tuple):
        rows = _rows(value)
        return f"{plural(len(rows), 'row')}  {value_words(rows, limit // 2)}".rstrip()
    if event.kind.startswith("sqlite3.execute") and isinstance(value, list | tuple) and value:
        return _statement(value)
    if event.kind in ("sqlite3.commit", "sqlite3.rollback"):
        return ""
    return value_words(value, limit)


def _rows(value: Any) -> Sequence[Any]:
    """Return the rows of a fetch, which may come with counts and names."""
    rows: Any = value[0] if isinstance(value, tuple) and value else value
    return rows if isinstance(rows, list) else ()


def _statement(value: Sequence[Any]) -> str:
    """Return the outcome of a statement: (column names, row count, last row id, ...)."""
    if isinstance(value[0], list | tuple) and value[0]:
        return f"columns {', '.join(value_words(name, 60) for name in value[0])}"
    if len(value) > 1 and isinstance(value[1], int) and value[1] >= 0:
        return f"{plural(value[1], 'row')} changed"
    return ""


def _length(value: Any) -> int:
    return len(value) if isinstance(value, bytes | list) else 0
