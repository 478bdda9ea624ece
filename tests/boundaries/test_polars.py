"""Polars: what it opens by its name, in Rust, replays without the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.recorded import replays_without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRUIT = pl.DataFrame({"sort": ["quince", "medlar"], "count": [2, 3]})

_READS: dict[str, Callable[[], Any]] = {
    "csv": lambda: pl.read_csv("data/fruit.csv"),
    "bytes": lambda: pl.read_csv(b"sort,count\nquince,2\n"),
    "two": lambda: pl.read_csv(["data/fruit.csv", "data/fruit.csv"]),
    "csv, lazily": lambda: pl.scan_csv("data/fruit.csv").filter(pl.col("count") > 2).collect(),
    "ipc": lambda: pl.read_ipc("data/fruit.arrow"),
    "json": lambda: pl.read_json("data/fruit.json"),
    "parquet": lambda: pl.read_parquet("data/fruit.parquet"),
    "parquet, a pattern": lambda: pl.read_parquet("data/shops/*/fruit.parquet").sort("count"),
    "parquet, a folder": lambda: pl.scan_parquet("data/shops").collect().sort("shop", "count"),
}


@pytest.mark.parametrize("way", _READS)
def test_a_table_is_read_again(data: Path, recordings: Path, way: str) -> None:
    """By each of its formats; lazily, too, and where one is not a path."""
    FRUIT.write_csv(data / "fruit.csv")
    FRUIT.write_ipc(data / "fruit.arrow")
    FRUIT.write_json(data / "fruit.json")
    FRUIT.write_parquet(data / "fruit.parquet")
    for shop in ("shop=1", "shop=2"):
        (data / "shops" / shop).mkdir(parents=True)
        FRUIT.write_parquet(data / "shops" / shop / "fruit.parquet")
    replays_without(data, recordings, lambda: str(_READS[way]()))


def test_what_is_written_is_read_again(data: Path, recordings: Path) -> None:
    """On replay it goes to the scratch folder."""

    def view() -> str:
        FRUIT.write_csv("data/fruit.csv")
        FRUIT.lazy().sink_csv("data/sunk.csv")
        FRUIT.write_parquet("data/fruit.parquet")
        same = pl.read_parquet("data/fruit.parquet").equals(FRUIT)
        return f"{same} {(data / 'fruit.csv').read_text()} {(data / 'sunk.csv').read_text()}"

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert recording.response.body[0].startswith(b"True sort,count")
