"""Tables that are compressed in pages: masked all the same, and read again."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.feather
import pyarrow.parquet
import pytest

from retrace_core import native
from retrace_core.codec import decode
from retrace_core.recording import BY_NAME
from retrace_core.redaction.columnar import with_plain_tables
from tests.recorded import assert_identical, record_wsgi, replays_without

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = [f"anna.quince{number}@example.org" for number in range(100)]
TABLE = pa.table({"mail": ADDRESSES, "note": [f"asked by {one}, twice" for one in ADDRESSES]})


def says(recording: Any) -> bytes:
    """Return all that is in the events of a recording."""
    return b"".join(native.encode(event.value) for event in recording.lanes[0].events)


@pytest.mark.parametrize("packing", ["snappy", "lz4", "zstd", "gzip", "none"])
def test_a_masked_table_is_read_again(data: Path, recordings: Path, packing: str) -> None:
    """However its pages were packed: no address is left in the recording."""
    pa.parquet.write_table(TABLE, data / "a.parquet", compression=packing, row_group_size=40)

    def view() -> str:
        found = pa.parquet.ParquetFile("data/a.parquet")
        return f"{found.num_row_groups} {found.read().to_pydict()}"

    recording = replays_without(data, recordings, view)
    assert b"anna.quince" not in says(recording)


@pytest.mark.parametrize("packing", ["lz4", "zstd", "uncompressed"])
def test_so_are_arrows_own_files(data: Path, recordings: Path, packing: str) -> None:
    """Feather is one of them. Its texts stand one after another, with nothing between."""
    pa.feather.write_feather(TABLE, str(data / "a.feather"), compression=packing)
    replays_without(
        data, recordings, lambda: str(pa.feather.read_table("data/a.feather").to_pydict())
    )


def test_so_are_all_files_of_a_folder(data: Path, recordings: Path) -> None:
    """Those that are no tables are kept as they are."""
    pa.dataset.write_dataset(TABLE, data / "shop", format="parquet")
    (data / "shop" / "_about").write_text("about")

    def view() -> str:
        return str(pa.dataset.dataset("data/shop").to_table().to_pydict())

    recording = replays_without(data, recordings, view)
    assert b"anna.quince" not in says(recording)
    assert b"about" in says(recording)


def test_one_that_python_opens_is_kept_as_it_is(data: Path, recordings: Path) -> None:
    """It may be sent to somebody, byte by byte."""
    pa.parquet.write_table(pa.table({"a": [1, 2]}), data / "a.parquet")
    before = (data / "a.parquet").read_bytes()

    def view() -> bytes:
        return (data / "a.parquet").read_bytes()

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"".join(recording.response.body) == before
    assert_identical(recording, app)


@pytest.mark.parametrize("form", ["parquet", "ipc"])
def test_polars_unpacks_them_where_there_is_no_pyarrow(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The library that has read them is there."""
    packed = io.BytesIO()
    getattr(pl.from_arrow(TABLE), f"write_{form}")(packed, compression="zstd")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    value = native.encode((packed.getvalue(), False, 0))
    event = b"\x97\x01" + native.encode("file.open") + b"\x00"
    lane = event + native.encode(("a", BY_NAME)) + value + b"\x00\x00"
    plain = with_plain_tables(lane)
    assert len(plain) > len(lane)
    ((_, _, begin, end),) = native.hard_events(plain, 0, len(plain))
    data = decode(plain[begin:end])[0]
    assert ADDRESSES[50].encode() in data
    assert getattr(pl, f"read_{form}")(io.BytesIO(data)).equals(pl.from_arrow(TABLE))


def test_what_only_looks_like_a_table_is_kept(data: Path, recordings: Path) -> None:
    """And the recording is written."""
    (data / "a.parquet").write_bytes(b"PAR1 is no table PAR1")

    def view() -> str:
        try:
            pa.parquet.read_table("data/a.parquet")
        except pa.ArrowInvalid:
            return "none"
        return "one"

    replays_without(data, recordings, view)
