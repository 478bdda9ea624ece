"""A trace file survives truncation, and hostile bytes give a recording or a typed error."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import ForeignFile, NewerVersion, Recording, RecordingError, TornRecording, load
from retrace_core.failure import describe
from retrace_core.native import RECORD, SOFT_KINDS, Lane, ScopeState
from retrace_core.recording import (
    DecisionRecord,
    Environment,
    Event,
    Header,
    Request,
    Response,
    SoftEvent,
)
from retrace_core.trace_file import Draft, dump, load_header, recover
from retrace_core.trace_file.frames import frame_bytes, preamble


def draft(path: str = "/", message: str = "boom", size: int = 10) -> Draft:
    """Return a small recording that holds one of everything."""
    state = ScopeState()
    lane = Lane(state, RECORD)
    lane.record("sqlite3.execute", ("SELECT ?", (1,)), 0, [("row", 2.5, None)], 0)
    lane.soft(0, 0, 1.5)
    header = Header(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id="",
        service="shop",
        started_ns=1,
        duration_ns=2,
        method="GET",
        path=path,
        status=200,
        error="",
        decision=DecisionRecord("yes", "Always", "every request"),
        environment=Environment(python="3.11"),
        events=2,
    )
    request = Request("wsgi", "GET", "http", path, b"", b"", "", "1.1", None, None, [("A", "b")])
    response = Response(200, "OK", [("C", "d")], [b"x" * size], size)
    lanes = [("0", lane.data(), lane.events, True)]
    return Draft(header, request, response, describe(ValueError(message)), lanes, {0: "a.py:f"})


DATA = dump(draft())


def test_a_recording_comes_back_whole() -> None:
    """What was dumped is loaded."""
    recording = load(DATA)
    assert recording.header == load_header(DATA) == draft().header
    assert recording.response == draft().response
    event, soft = recording.lanes[0].events
    assert event.kind == "sqlite3.execute"
    assert event.value == [("row", 2.5, None)]
    assert (soft.kind, soft.value) == ("time.time", 1.5)


def test_every_truncation_is_named() -> None:
    """A file that ends early is torn (or no trace file), at every length."""
    for end in range(len(DATA)):
        with pytest.raises((TornRecording, ForeignFile)) as found:
            load(DATA[:end])
        assert "again" in str(found.value) or "trace.bin" in str(found.value), end


def test_whole_frames_of_a_torn_file_are_recovered() -> None:
    """Without its footer a recording is still readable, and says that it is torn."""
    recording, torn = recover(DATA[:-3])
    assert torn is not None
    assert recording is not None
    assert len(recording.lanes[0].events) == 2


@given(st.integers(0, len(DATA) * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    """One wrong bit gives a typed error, or the very same recording (reserved bytes)."""
    data = bytearray(DATA)
    data[bit // 8] ^= 1 << (bit % 8)
    try:
        assert load(bytes(data)) == load(DATA)
    except RecordingError:
        pass


@given(st.binary(max_size=300))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    """Random bytes, also after a right beginning, never crash the reader."""
    for hostile in (data, DATA[:12] + data, DATA[:60] + data):
        try:
            assert isinstance(load(hostile), Recording)
        except RecordingError:
            pass


@given(st.binary(max_size=200))
def test_hostile_events_give_a_typed_error(data: bytes) -> None:
    """Right frames with damaged events inside never crash the reader."""
    one = draft()
    one.lanes = [("0", data, 3, True)]
    try:
        assert isinstance(load(dump(one)), Recording)
    except RecordingError:
        pass


def test_a_newer_version_says_so(tmp_path: Path) -> None:
    """The message names both versions and what to do."""
    file = tmp_path / "trace.bin"
    file.write_bytes(DATA[:9] + b"\x07" + DATA[10:])
    with pytest.raises(NewerVersion, match=r"version 7.*upgrade"):
        load(file)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x7fELF" * 100, b"PK\x03\x04"])
def test_a_foreign_file_says_so(data: bytes) -> None:
    """What is no trace file is called that."""
    with pytest.raises(ForeignFile, match=r"trace\.bin"):
        load(data)


def test_lone_surrogates_do_not_lose_a_recording() -> None:
    """A path or a message that is no valid Unicode is kept, escaped."""
    recording = load(dump(draft(path="/\udcff", message="\ud800")))
    assert recording.header.path == "/\\udcff"
    assert recording.failure is not None
    assert recording.failure.message == "\\ud800"


def test_a_large_recording_has_several_frames() -> None:
    """More than a mebibyte comes back whole."""
    recording = load(dump(draft(size=3 << 20)))
    assert recording.response is not None
    assert recording.response.body == [b"x" * (3 << 20)]


def test_a_file_of_version_1_is_read_for_ever() -> None:
    """A recording written when the version was frozen comes back as it was."""
    recording = load(Path(__file__).parents[1] / "data" / "trace-1.bin")
    assert recording.header == draft().header
    assert recording.request == draft().request
    assert recording.response == draft().response
    assert recording.failure == draft().failure
    event, soft = recording.lanes[0].events
    assert event == Event(
        1, "sqlite3.execute", 0, ("SELECT ?", (1,)), [("row", 2.5, None)], 2, 20321260703
    )
    assert soft == SoftEvent("time.time", "a.py:f", 1.5)


def test_a_dictionary_of_the_future_is_named() -> None:
    """A file compressed with a dictionary that this version lacks asks for an upgrade."""
    raw = b"x" * 100
    frame = bytearray(frame_bytes(1, raw))
    frame[1] |= 0xFE
    stored = frame[14:]
    frame[10:14] = zlib.crc32(stored, zlib.crc32(frame[:10])).to_bytes(4, "big")
    with pytest.raises(NewerVersion, match=r"dictionary 127.*upgrade"):
        load(preamble() + bytes(frame))


def test_the_numbers_of_soft_kinds_are_documented_and_keep_their_order() -> None:
    """Another reader finds the table in the format's page; it only grows at its end."""
    page = Path("docs/format.md").read_text(encoding="utf-8")
    documented = re.findall(r"^(\d+)\. `(.+)`$", page, re.MULTILINE)
    assert documented == [(str(number), kind) for number, kind in enumerate(SOFT_KINDS)]
