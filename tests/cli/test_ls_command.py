"""`retrace ls`: finds recordings by their headers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECOND_NS = 10**9
STARTED_NS = 1_750_000_000 * SECOND_NS


@pytest.fixture
def three(put: Callable[..., Path]) -> None:
    """Three recordings, a second apart: a success, a failure, another service."""
    put("a" * 32, started_ns=STARTED_NS)
    put("b" * 32, started_ns=STARTED_NS + SECOND_NS, status=503, path="/pay/7")
    put("c" * 32, "till", started_ns=STARTED_NS + 2 * SECOND_NS, status=0, error="app.Broken")


def traces(output: str) -> list[str]:
    """Return the first letters of the traces in a JSON listing."""
    return [entry["trace"][0] for entry in json.loads(output)]


@pytest.mark.usefixtures("three")
def test_newest_comes_first(retrace: Callable[..., Any]) -> None:
    """The listing is in order of the beginning of the request, newest first."""
    assert traces(retrace("ls", "--json").stdout) == ["c", "b", "a"]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--status", "5xx"], ["b"]),
        (["--status", "200"], ["a"]),
        (["--status", "ERROR"], ["c", "b"]),
        (["--service", "till"], ["c"]),
        (["--path", "/pay/*"], ["b"]),
        (["--trace", "aaaa"], ["a"]),
        (["--limit", "2"], ["c", "b"]),
        (["--since", "2025-06-15T15:06:41+00:00"], ["c", "b"]),
        (["--until", "2025-06-15T15:06:40+00:00"], ["a"]),
        (["--since", "1s"], []),
    ],
)
def test_filters(retrace: Callable[..., Any], options: list[str], expected: list[str]) -> None:
    """Each filter keeps what it says."""
    assert traces(retrace("ls", "--json", *options).stdout) == expected


@pytest.mark.usefixtures("three")
def test_table_is_not_cut_when_piped(retrace: Callable[..., Any]) -> None:
    """Piped, a row holds the time, the request, the outcome and the reason, without colour."""
    rows = retrace("ls", env={"TZ": "UTC"}).stdout.splitlines()
    oldest = " ".join(rows[3].split())
    assert oldest.startswith("2025-06-15 15:06:40 aaaaaaaa shop POST /orders 200 12.0 ms 7 ")
    assert oldest.endswith(" drawn at rate 1")


@pytest.mark.usefixtures("three")
def test_jsonl_has_one_object_on_each_line(retrace: Callable[..., Any]) -> None:
    """--jsonl can be read line by line."""
    lines = retrace("ls", "--jsonl").stdout.splitlines()
    assert [json.loads(line)["service"] for line in lines] == ["till", "shop", "shop"]


@pytest.mark.usefixtures("three")
def test_unreadable_files_are_listed_with_the_reason(
    retrace: Callable[..., Any], tmp_path: Path
) -> None:
    """A foreign file in the tree takes one line, and the others are listed."""
    place = tmp_path / "recordings" / "junk" / "shop"
    place.mkdir(parents=True)
    (place / "trace.bin").write_bytes(b"#!/bin/sh")
    done = retrace("ls")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 5
    assert "unreadable  junk/shop/trace.bin is no trace file" in done.stdout


def test_hostile_text_reaches_no_terminal(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """Escape sequences and direction marks in a path are shown as escapes."""
    put(path="/\x1b]0;owned\x07\u202etxt.exe")
    done = retrace("ls")
    assert "\x1b" not in done.stdout
    assert r"/\x1b]0;owned\x07\u202etxt.exe" in done.stdout


def test_limit_sees_through_files_written_late(
    retrace: Callable[..., Any], put: Callable[..., Path]
) -> None:
    """The newest request is found although an older one was written after it."""
    import os

    early, late = put("a" * 32, started_ns=5 * SECOND_NS), put("b" * 32, started_ns=9 * SECOND_NS)
    os.utime(early, ns=(20 * SECOND_NS, 20 * SECOND_NS))
    os.utime(late, ns=(10 * SECOND_NS, 10 * SECOND_NS))
    assert traces(retrace("ls", "--limit", "1", "--json").stdout) == ["b"]


def test_empty_folder_says_where_to_look(retrace: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing found is no error, and points to the doctor."""
    (tmp_path / "recordings").mkdir()
    done = retrace("ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert "retrace doctor" in done.stderr


@pytest.mark.parametrize(
    "options", [["--since", "yesterday"], ["--status", "9xx"], ["--limit", "0"]]
)
def test_wrong_option_is_one_line(retrace: Callable[..., Any], options: list[str]) -> None:
    """An option that means nothing is refused with what is allowed."""
    done = retrace("ls", *options)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("retrace: ")
