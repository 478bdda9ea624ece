"""pyarrow: what Arrow opens by its name, past Python, replays without the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.feather
import pyarrow.json
import pyarrow.orc
import pyarrow.parquet
import pytest

from tests.recorded import replays_without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRUIT = pa.table({"sort": ["quince", "medlar"], "count": [2, 3]})


def _mapped() -> Any:
    with pa.memory_map("data/fruit.arrow") as file:
        return pa.ipc.open_file(file).read_all()


def _opened() -> Any:
    with pa.OSFile("data/fruit.arrow") as file:
        return pa.ipc.open_file(file).read_all()


_READS: dict[str, Callable[[], Any]] = {
    "csv": lambda: pa.csv.read_csv("data/fruit.csv"),
    "csv in pieces": lambda: pa.csv.open_csv("data/fruit.csv").read_all(),
    "feather": lambda: pa.feather.read_table("data/fruit.feather"),
    "json": lambda: pa.json.read_json("data/fruit.json"),
    "mapped": _mapped,
    "opened": _opened,
    "orc": lambda: pa.orc.read_table("data/fruit.orc"),
    "parquet": lambda: pa.parquet.read_table("data/fruit.parquet"),
    "parquet file": lambda: pa.parquet.ParquetFile("data/fruit.parquet").read(),
    "parquet's schema": lambda: pa.parquet.read_schema("data/fruit.parquet"),
}


def _write_all(data: Path) -> None:
    pa.csv.write_csv(FRUIT, data / "fruit.csv")
    pa.feather.write_feather(FRUIT, data / "fruit.feather")
    (data / "fruit.json").write_text('{"sort": "quince"}\n{"sort": "medlar"}\n')
    with pa.ipc.new_file(str(data / "fruit.arrow"), FRUIT.schema) as file:
        file.write_table(FRUIT)
    pa.orc.write_table(FRUIT, str(data / "fruit.orc"))
    pa.parquet.write_table(FRUIT, data / "fruit.parquet")


@pytest.mark.parametrize("way", _READS)
def test_a_table_is_read_again(data: Path, recordings: Path, way: str) -> None:
    """By each of its formats, and ways to open one."""
    _write_all(data)
    replays_without(data, recordings, lambda: str(_READS[way]()))


def test_a_dataset_is_a_folder_with_all_its_files(data: Path, recordings: Path) -> None:
    """What its folders are called is in its rows."""
    pa.dataset.write_dataset(FRUIT, data / "shops", format="parquet", partitioning=["sort"])

    def view() -> str:
        found = pa.dataset.dataset("data/shops", partitioning=["sort"])
        paths = [str(path) for path in found.files]
        same = pa.parquet.read_table("data/shops/quince")
        return f"{found.to_table().sort_by('sort').to_pydict()} {paths} {same.to_pydict()}"

    replays_without(data, recordings, view)


def test_what_is_written_is_read_again(data: Path, recordings: Path) -> None:
    """On replay it goes to the scratch folder, by each of the ways."""

    def view() -> str:
        data.mkdir(exist_ok=True)
        _write_all(data)
        pa.dataset.write_dataset(FRUIT, "data/shops", format="csv")
        with pa.OSFile("data/raw", "wb") as raw:
            raw.write(b"raw")
        sizes = sorted((path.name, path.stat().st_size) for path in data.glob("*.*"))
        same = pa.parquet.read_table("data/fruit.parquet").equals(FRUIT)
        read = same, (data / "raw").read_bytes()
        return f"{sizes} {read} {(data / 'fruit.csv').read_text()}"

    replays_without(data, recordings, view)
