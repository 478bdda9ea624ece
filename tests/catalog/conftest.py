"""What the tests of the catalog share: a store with recordings, and a catalog on each database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.catalog import Catalog
from retrace_core.recording import DecisionRecord, Header
from retrace_core.store import DirectoryStore
from retrace_core.trace_file import dump
from tests.trace_file.test_trace_file import draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core.store import Store

Put = Callable[..., str] if TYPE_CHECKING else object


def header(**changes: Any) -> Header:
    """Return the header of a small recording, with fields replaced."""
    one = draft().header
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return Header(**{**fields, **changes})


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    """An empty folder as a store."""
    (tmp_path / "recordings").mkdir()
    return DirectoryStore(tmp_path / "recordings")


@pytest.fixture
def put(store: DirectoryStore) -> Put:
    """A function that puts a recording; keywords replace fields of its header."""
    count = 0

    def put_one(trace: str = "", service: str = "shop", **changes: Any) -> str:
        nonlocal count
        count += 1
        trace = trace or f"{count:032x}"
        if "decider" in changes:
            verdict, decider = changes.pop("verdict", "yes"), changes.pop("decider")
            changes["decision"] = DecisionRecord(verdict, decider, "because")
        one = draft()
        one.header = header(
            **{
                "trace_id": trace,
                "folder": trace,
                "service": service,
                "started_ns": count * 10**9,
                "span_id": f"{count:016x}",
                **changes,
            }
        )
        return store.put(trace, service, f"{count:016x}", dump(one))

    return put_one


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A setting RETRACE_CATALOG: a file, or a database of a real PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "catalog.sqlite")
    server = request.getfixturevalue("postgresql")
    url: str = server.url(server.new_database())
    return url


@pytest.fixture
def catalog(store: Store, database: str) -> Iterator[Catalog]:
    """An empty catalog of the store."""
    found = Catalog(store, database)
    yield found
    found.close()
