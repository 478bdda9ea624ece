"""Finding what an argument RECORDING means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retrace_core.cli.find import find, find_all
from retrace_core.errors import RecordingNotFound
from retrace_core.ids import to_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable

TRACE = "6a5b04c1d2e3f405162738495a6b7c8d"


@pytest.fixture
def root(put: Callable[..., Path], tmp_path: Path) -> str:
    """A store with one trace of two services, one of them called twice, and another trace."""
    put()
    put(service="till")
    put(service="till", name="trace.00f067aa0ba902b8.bin")
    put("6a5b99" + "0" * 26)
    put("order-77")
    return str(tmp_path / "recordings")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (TRACE, 3),
        (TRACE[:6], 3),
        (f"{TRACE}/till", 2),
        (f"{TRACE[:8]}/till/trace.00f067aa0ba902b8.bin", 1),
        ("order-77", 1),
        (to_trace_id("order-77")[:10], 1),
        ("order-", 1),
    ],
)
def test_ids_are_looked_up(root: str, text: str, count: int) -> None:
    """A trace id, the beginning of one, and TRACE/SERVICE mean what they say."""
    assert len(find(text, root)) == count


@pytest.mark.parametrize(("below", "count"), [("", 3), ("till", 2), ("till/trace.bin", 1)])
def test_paths_are_taken(root: str, below: str, count: int) -> None:
    """The folder of a trace, of a service in it, and a file are taken as they are."""
    assert len(find(str(Path(root, TRACE, below)), "/nowhere")) == count


def test_the_same_file_is_taken_once(root: str) -> None:
    """A recording that two arguments mean is one recording."""
    assert len(find_all([TRACE, f"{TRACE}/till"], root)) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("6a5b", "give 6 characters of the trace id or more"),
        ("6a5b04c1/bank", "it has shop, till"),
        ("6a5b05", "did you mean"),
        ("zzzzzzzz", "retrace ls lists what there is"),
        ("", "there is no recording ''"),
        ("../../etc/passwd\0", "there is no recording"),
    ],
)
def test_what_is_not_there_is_said(root: str, text: str, words: str) -> None:
    """The error says what was searched and what is near."""
    with pytest.raises(RecordingNotFound, match=words.replace("?", r"\?")):
        find(text, root)


def test_several_traces_that_begin_so(root: str, put: Callable[..., Path]) -> None:
    """The beginning of two trace ids is refused, and both are named."""
    put("6a5b04ff" + "0" * 24)
    with pytest.raises(RecordingNotFound, match=r"2 traces begin so.*give more of the id"):
        find("6a5b04", root)
