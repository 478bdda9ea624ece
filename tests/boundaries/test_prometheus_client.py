"""prometheus_client: a page of metrics adds up what several processes have counted."""

from __future__ import annotations

import gc
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    ProcessCollector,
    generate_latest,
    mmap_dict,
    multiprocess,
)

from retrace_core import replay
from tests.recorded import record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

mmap_key = mmap_dict.mmap_key
MmapedDict: Any = mmap_dict.MmapedDict

COUNTED = {
    "counter_11": mmap_key("sold", "sold_total", ["fruit"], ["lemon"], "Fruit that was sold"),
    "histogram_12": mmap_key("took", "took_bucket", ["le"], ["0.5"], "Seconds that it took"),
    "gauge_livesum_13": mmap_key("open", "open", [], [], "Open baskets"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return one in which processes that have ended since have counted."""
    place = tmp_path / "counted"
    place.mkdir()
    for number, (name, key) in enumerate(COUNTED.items(), 1):
        file = MmapedDict(str(place / f"{name}.db"))
        file.write_value(key, float(number), 0.0)
        file.close()
    return place


def page(folder: Path) -> bytes:
    """Return the page of metrics."""
    registry = CollectorRegistry()
    made: Any = multiprocess.MultiProcessCollector
    made(registry, path=str(folder))
    return generate_latest(registry)


def test_the_page_says_what_it_said(recordings: Path, folder: Path) -> None:
    app, recording = record_wsgi(recordings, lambda: page(folder))
    assert recording.response is not None
    assert b'sold_total{fruit="lemon"} 1.0' in recording.response.body[0]
    shutil.rmtree(folder)
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_a_folder_that_was_not_there_is_not_there_again(recordings: Path, folder: Path) -> None:
    def view() -> bytes:
        try:
            return page(folder / "absent")
        except ValueError as error:
            return str(error).encode()

    app, recording = record_wsgi(recordings, view)
    (folder / "absent").mkdir()
    result = replay(recording, app)
    assert result.identical, result.summary()


def test_what_the_process_is_at_the_moment(recordings: Path) -> None:
    """Its memory and its collected garbage are another's on replay."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    Counter("asked", "Requests", registry=registry).inc()
    app, recording = record_wsgi(recordings, lambda: generate_latest(registry))
    assert recording.response is not None
    said = b"".join(recording.response.body)
    assert b"process_resident_memory_bytes" in said and b"python_gc_collections_total" in said
    held = [bytearray(1000) for _ in range(2000)]
    gc.collect()
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert held
