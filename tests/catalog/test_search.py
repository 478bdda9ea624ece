"""Each filter of a search finds what it says, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from retrace_core.catalog import Catalog, Search, page, pages, update
from retrace_core.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_core.store import DirectoryStore

SECOND_NS = 10**9


@pytest.fixture
def four(store: DirectoryStore, catalog: Catalog, put: Callable[..., str]) -> Catalog:
    """A catalog of four recordings, a second apart: a to d."""
    put(
        "a" * 32,
        "shop",
        route="/orders/{id}",
        path="/orders/1",
        status=200,
        tags={"user": 42, "paid": True},
        decider="SampleRate",
        method="GET",
    )
    put(
        "b" * 32,
        "till",
        route="/orders/{id}/pay",
        path="/orders/2/pay",
        status=500,
        error="builtins.KeyError",
        duration_ns=2 * SECOND_NS,
        tags={"user": 7},
        verdict="tail",
        decider="KeepIfFailed",
        method="POST",
    )
    put("c" * 32, "shop", route="", path="/100%_done/7", status=503, tags={"user": 42})
    put("d" * 32, "shop-2", trace_id="f" * 32, route="/x\\y", path="/ü", status=0, error="a.Broken")
    update(store, catalog)
    return catalog


def found(catalog: Catalog, **asked: Any) -> str:
    """Return the first letters of the traces that a search finds, however few are few."""
    answers = {
        "".join(one.folder[0] for one in page(catalog, Search(**asked), limit=10, few=few))
        for few in (0, 1, 1500)
    }
    assert len(answers) == 1, answers
    return answers.pop()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "dcba"),
        ({"service": "shop"}, "ca"),
        ({"service": "shop*"}, "dca"),
        ({"service": "sh_p"}, ""),
        ({"service": "SHOP"}, ""),
        ({"route": "/orders/{id}"}, "a"),
        ({"route": "/orders/*"}, "ba"),
        ({"route": "*pay"}, "b"),
        ({"route": "/x\\y"}, "d"),
        ({"route": "/x\\*"}, "d"),
        ({"path": "/orders/*"}, "ba"),
        ({"path": "/100%*"}, "c"),
        ({"path": "/10%"}, ""),
        ({"path": "/ü"}, "d"),
        ({"status": "5xx"}, "cb"),
        ({"status": "503"}, "c"),
        ({"status": "error"}, "dcb"),
        ({"error": "KeyError"}, "b"),
        ({"error": "builtins.KeyError"}, "b"),
        ({"error": "*Error"}, "b"),
        ({"error": "Key"}, ""),
        ({"decision": "tail"}, "b"),
        ({"decision": "Keep*"}, "b"),
        ({"decision": "SampleRate"}, "a"),
        ({"method": "post"}, "b"),
        ({"slower_ns": 2 * SECOND_NS}, "b"),
        ({"larger_bytes": 1 << 20}, ""),
        ({"larger_bytes": 1}, "dcba"),
        ({"tags": (("user", "42"),)}, "ca"),
        ({"tags": (("user", "42"), ("paid", "true"))}, "a"),
        ({"tags": (("user", "4"),)}, ""),
        ({"trace": "aaaa"}, "a"),
        ({"trace": "ffff"}, "d"),
        ({"trace": "e"}, ""),
        ({"since_ns": 3 * SECOND_NS}, "dc"),
        ({"until_ns": 2 * SECOND_NS}, "ba"),
        ({"service": "shop", "status": "5xx", "tags": (("user", "42"),)}, "c"),
    ],
    ids=str,
)
def test_filters(four: Catalog, asked: dict[str, Any], expected: str) -> None:
    """What is found is the same whichever filter goes first."""
    assert found(four, **asked) == expected


def test_what_is_known_comes_back(four: Catalog) -> None:
    """An entry holds what the header said."""
    (one,) = page(four, Search(trace="bb"), limit=1)
    assert (one.path, one.service, one.route) == (
        f"{'b' * 32}/till/trace.bin",
        "till",
        "/orders/{id}/pay",
    )
    assert (one.status, one.error, one.failed) == (500, "builtins.KeyError", True)
    assert (one.verdict, one.decider, one.tags) == ("tail", "KeepIfFailed", {"user": "7"})
    assert (one.started_ns, one.duration_ns, one.trace_id) == (
        2 * SECOND_NS,
        2 * SECOND_NS,
        "b" * 32,
    )


def test_a_route_is_guessed_from_the_path(four: Catalog) -> None:
    """Where the framework told none, it is the path without its ids."""
    (one,) = page(four, Search(trace="cc"), limit=1)
    assert one.route == "/*/*"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_follow_one_another(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str], size: int
) -> None:
    """Page by page each recording comes once, in order, also those of one moment."""
    for number in range(7):
        put(started_ns=5 + number // 3)
    update(store, catalog)
    listed = [one for part in pages(catalog, Search(), size) for one in part]
    assert [one.started_ns for one in listed] == [7, 6, 6, 6, 5, 5, 5]
    assert len({one.path for one in listed}) == 7


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-2-3", "9" * 30 + "-1", "1-2\n"])
def test_a_cursor_that_is_none_is_refused(catalog: Catalog, cursor: str) -> None:
    """What no page ended with is an error that says so."""
    with pytest.raises(CatalogError, match="no place"):
        page(catalog, Search(), limit=1, after=cursor)


def test_hostile_texts_are_kept(
    store: DirectoryStore, catalog: Catalog, put: Callable[..., str]
) -> None:
    """NUL, surrogates, and texts without end in a header reach no database as they are."""
    put("a" * 32, path="/\0" + "x" * 9000, error="E\udcff", route="'; DROP TABLE recordings; --")
    put("b" * 32, path="/%", tags={"bad name": "x", "user": "y" * 5000, "ok": "1"}, status=-7)
    update(store, catalog)
    assert found(catalog, path="/\\x00xxx*") == "a"
    assert found(catalog, route="'; DROP*") == "a"
    (one,) = page(catalog, Search(trace="bb"), limit=1)
    assert (one.tags, one.status) == ({"ok": "1"}, 0)


def test_the_folder_of_a_default_catalog_is_private(store: DirectoryStore) -> None:
    """The default is a file beside the recordings that nobody else may read."""
    catalog = Catalog(store)
    assert catalog.place.endswith("/recordings/.catalog/catalog.sqlite")
    file = f"{store.root}/.catalog/catalog.sqlite"
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(file)).st_mode & 0o777 == 0o700
    assert list(store.list()) == []
    catalog.close()
