"""Columnar: tables in Parquet and Arrow files that a library read by their name are kept unpacked.

Secrets are masked where they stand. Of a page that snappy or LZ4 packed, half of each text stands
there, and the page can't be unpacked any more when that is masked; of one that zstd packed nothing
does, and nothing would be masked. What is read of a table is what is in it, and the same however it
is packed. The library that the application has loaded unpacks it, here on the writer's thread.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

from retrace_core import native
from retrace_core.codec import decode
from retrace_core.recording import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["with_plain_tables"]

_PARQUET, _ARROW = b"PAR1", b"ARROW1"
_PACKED = (b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd")
"""What begins a buffer of Arrow's that is packed, by LZ4 or zstd."""
_LARGEST_PLAIN = 16 << 20
_TELLS_SIZES = "_delta_log/"
"""What a folder has in it that says how large its files are."""
_KINDS = ("file.open", "file.folder")


def with_plain_tables(lane: bytes) -> bytes:
    """Return the encoded events of a lane, with the tables that were read by name unpacked.

    The same object where there is none.
    """
    if _PARQUET not in lane and _ARROW not in lane:
        return lane
    parts: list[bytes] = []
    done = 0
    for kind, key, value, end in native.hard_events(lane, 0, len(lane)):
        if kind not in _KINDS:
            continue
        asked: Any = decode(lane[key:value])
        if kind == _KINDS[0] and asked[1] != BY_NAME:
            continue
        before: Any = decode(lane[value:end])
        after = _plain_of(kind, before)
        if after is not before:
            parts += [lane[done:value], native.encode(after)]
            done = end
    return b"".join((*parts, lane[done:])) if parts else lane


def _plain_of(kind: str, value: Any) -> Any:
    if kind == _KINDS[0]:
        if value is None or value[1]:
            return value
        data = _plain(value[0])
        return value if data is None else (data, *value[1:])
    if any(name.startswith(_TELLS_SIZES) for name, *_ in value):
        return value
    changed = [
        (name, (None if cut or data is None else _plain(data)) or data, cut, *more)
        for name, data, cut, *more in value
    ]
    same = all(one[1] is was[1] for one, was in zip(changed, value, strict=True))
    return value if same else changed


def _plain(data: bytes) -> bytes | None:
    """Return a table unpacked, None for what is none, or is unpacked already."""
    is_parquet = data.startswith(_PARQUET) and data.endswith(_PARQUET)
    is_arrow = data.startswith(_ARROW) and any(mark in data for mark in _PACKED)
    if not is_parquet and not is_arrow:
        return None
    unpack = _unpacking(is_parquet)
    try:
        return None if unpack is None else unpack(data)
    except _errors():  # it only looks like one, or is encrypted
        return None


def _errors() -> tuple[type[BaseException], ...]:
    found: list[type[BaseException]] = [OSError, ValueError, NotImplementedError]
    if (arrow := sys.modules.get("pyarrow")) is not None:
        found.append(arrow.ArrowException)
    if (polars := sys.modules.get("polars")) is not None:
        found += (polars.exceptions.PolarsError, polars.exceptions.PanicException)
    return tuple(found)


def _unpacking(is_parquet: bool) -> Callable[[bytes], bytes | None] | None:
    if "pyarrow" in sys.modules and (not is_parquet or "pyarrow.parquet" in sys.modules):
        return _parquet_by_arrow if is_parquet else _file_by_arrow
    if "polars" in sys.modules:
        return _parquet_by_polars if is_parquet else _file_by_polars
    return None


def _parquet_by_arrow(data: bytes) -> bytes | None:
    arrow: Any = sys.modules["pyarrow"]
    parquet: Any = sys.modules["pyarrow.parquet"]
    file = parquet.ParquetFile(arrow.BufferReader(data))
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    columns = [one.column(at) for one in groups for at in range(one.num_columns)]
    if all(column.compression == "UNCOMPRESSED" for column in columns):
        return None
    if sum(column.total_uncompressed_size for column in columns) > _LARGEST_PLAIN:
        return None
    sink = arrow.BufferOutputStream()
    # Without the least and the greatest of a column: pseudonyms come in another order.
    options: dict[str, Any] = {"compression": "none", "write_statistics": False}
    with parquet.ParquetWriter(sink, file.schema_arrow, **options) as writer:
        for number in range(file.num_row_groups):
            writer.write_table(file.read_row_group(number))
    return bytes(sink.getvalue())


def _file_by_arrow(data: bytes) -> bytes:
    arrow: Any = sys.modules["pyarrow"]
    file = arrow.ipc.open_file(arrow.BufferReader(data))
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_file(sink, file.schema) as writer:
        for number in range(file.num_record_batches):
            writer.write_batch(file.get_batch(number))
    return bytes(sink.getvalue())


def _parquet_by_polars(data: bytes) -> bytes:
    polars: Any = sys.modules["polars"]
    found = io.BytesIO()
    options: dict[str, Any] = {"compression": "uncompressed", "statistics": False}
    polars.read_parquet(io.BytesIO(data)).write_parquet(found, **options)
    return found.getvalue()


def _file_by_polars(data: bytes) -> bytes:
    polars: Any = sys.modules["polars"]
    found = io.BytesIO()
    polars.read_ipc(io.BytesIO(data)).write_ipc(found, compression="uncompressed")
    return found.getvalue()
