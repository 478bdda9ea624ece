"""Packs: many recordings in one object, whatever bytes come back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.errors import DamagedPack
from retrace_core.store.pack import make_pack, read_index, recording_in

SPAN = "b" * 16
names = st.sampled_from(["a", "b-2", "c.3", "A" * 64])
spans = st.integers(0, 5).map(lambda number: f"{number:016x}")
recordings = st.lists(st.tuples(names, names, spans, st.binary(max_size=200)), max_size=20)


@given(recordings)
def test_what_was_packed_comes_back(given: list[tuple[str, str, str, bytes]]) -> None:
    """In order, each with a path of its own."""
    data = make_pack(given)
    entries = read_index(data, len(data), "a pack")
    assert [
        (one.folder, one.service, one.span_id, data[one.start : one.start + one.length])
        for one in entries
    ] == given
    assert len({one.path for one in entries}) == len(given)


@given(recordings, st.data())
def test_a_damaged_pack_is_refused_or_right(
    given: list[tuple[str, str, str, bytes]], draw: st.DataObject
) -> None:
    """One byte changed anywhere, or an end cut off: an error of ours, or the recordings as put."""
    data = bytearray(make_pack(given))
    if draw.draw(st.booleans()):
        del data[draw.draw(st.integers(0, len(data) - 1)) :]
    else:
        data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    try:
        entries = read_index(bytes(data), len(data), "a pack")
        found = [
            recording_in(bytes(data[one.start : one.start + one.length]), one, "a pack")
            for one in entries
        ]
    except DamagedPack as error:
        assert "nothing was changed" in str(error)
    else:
        assert found == [one[-1] for one in given]


@given(st.binary(max_size=100))
def test_foreign_bytes_are_no_pack(data: bytes) -> None:
    """Whatever they are."""
    with pytest.raises(DamagedPack):
        read_index(data, len(data), "a pack")


def test_a_name_out_of_the_store_is_refused() -> None:
    """An index may be anybody's: a hostile name in it is damage."""
    data = make_pack([("..", "shop", SPAN, b"x")])
    with pytest.raises(DamagedPack, match="no pack of ours"):
        read_index(data, len(data), "a pack")
