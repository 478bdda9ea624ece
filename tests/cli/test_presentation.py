"""Whatever a recording holds can be shown and exported: it comes from strangers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from retrace_core.cli.document import document, plain
from retrace_core.cli.har import har
from retrace_core.cli.masking import masked
from retrace_core.cli.screen import visible
from retrace_core.cli.timeline import rows
from retrace_core.cli.words import duration, local_time, size, value_words
from retrace_core.codec import Opaque, PackedException
from retrace_core.recording import (
    DecisionRecord,
    Environment,
    Event,
    Header,
    LaneEvents,
    Recording,
    Request,
    Response,
    SoftEvent,
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.builds(Opaque, st.text(), st.text())
)
http_values = st.tuples(
    st.integers(),
    st.lists(st.tuples(st.binary(), st.binary()) | leaves, max_size=2),
    st.dictionaries(st.text(), leaves, max_size=1),
).map(list)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner, max_size=3)
        | st.builds(PackedException, inner)
    ),
    max_leaves=8,
)
kinds = st.sampled_from(
    "http.exchange http.bytes httpx.request httpx.chunk sqlite3.execute sqlite3.fetch"
    " sqlite3.commit lane.end x".split()
)
numbers = st.integers(min_value=-(2**63), max_value=2**63)
events = st.builds(
    Event,
    seq=numbers,
    kind=kinds,
    status=st.integers(0, 3),
    key=values,
    value=values
    | http_values
    | st.just(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"),
    end_us=numbers,
    duration_us=numbers,
)
softs = st.builds(SoftEvent, st.text(), st.text(), values)
headers = st.lists(st.tuples(st.text(), st.text()), max_size=3)
recordings = st.builds(
    Recording,
    st.builds(
        Header,
        started_ns=numbers,
        duration_ns=numbers,
        decision=st.builds(DecisionRecord, st.text(), st.text(), st.text()),
        environment=st.builds(Environment),
        outgoing_headers=headers,
    ),
    st.builds(
        Request,
        protocol=st.just("asgi"),
        raw_path=st.binary(),
        query=st.binary(),
        headers=headers,
        body=st.lists(st.binary(), max_size=2),
        body_error=values,
        extra=st.dictionaries(st.text(), values, max_size=2),
    ),
    st.none() | st.builds(Response, headers=headers, body=st.lists(st.binary(), max_size=2)),
    st.none(),
    st.lists(st.builds(LaneEvents, st.text(), st.lists(events | softs, max_size=6)), max_size=3),
)


@given(recordings)
def test_any_recording_can_be_presented(recording: Recording) -> None:
    """Timeline, JSON and HAR fail for no recording, and JSON is valid."""
    shown = masked(recording)
    assert all(isinstance(row.asked, str) for row in rows(shown))
    json.loads(json.dumps(document(shown), allow_nan=False))
    json.loads(json.dumps(plain(har([shown])), allow_nan=False))


@given(values, st.integers(1, 200))
def test_words_are_bounded(value: Any, limit: int) -> None:
    """A value in words has one line and no more characters than allowed."""
    words = value_words(value, limit)
    assert len(words) <= limit
    assert "\n" not in words


@given(st.text())
def test_visible_text_has_no_control_characters(text: str) -> None:
    """What is printed can be encoded, and holds nothing that a terminal obeys."""
    shown = visible(text)
    assert shown.encode().decode() == shown
    assert not any((ord(char) < 32 and char != "\t") or 0x7F <= ord(char) < 0xA0 for char in shown)


@given(st.integers(-(2**64), 2**64))
def test_any_time_can_be_shown(number: int) -> None:
    """A moment that no calendar has is a question mark, and nothing raises."""
    assert local_time(number)
    assert duration(number)
    assert size(number)


def test_deep_values_are_cut() -> None:
    """A value nested deeper than Python's recursion limit can be shown."""
    value: Any = Decimal(1)
    for _ in range(5000):
        value = [value]
    assert "…" in json.dumps(plain(value), ensure_ascii=False)
    assert value_words(value)


def test_numbers_that_python_refuses_to_print_are_shown() -> None:
    """An integer of more digits than `str` takes is shown in hexadecimal."""
    assert json.loads(json.dumps(plain(1 << 20000))).startswith("0x1000")
    assert value_words([1 << 20000]).startswith("[0x1000")
