"""Ids: what is fresh, what is safe as a folder, and what another shape maps to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from retrace_core.ids import (
    call_span_id,
    is_trace_id,
    new_span_id,
    new_trace_id,
    safe_folder,
    to_trace_id,
    valid_service,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_fresh_ids_have_their_shape_and_differ() -> None:
    """32 and 16 lower-case hex digits."""
    assert len({new_trace_id() for _ in range(1000)}) == 1000
    assert is_trace_id(new_trace_id())
    assert len(new_span_id()) == 16
    assert int(new_span_id(), 16)


@given(st.integers(0, 2**40))
def test_a_call_has_the_span_id_of_its_request_and_a_number(number: int) -> None:
    """It is never the request's own, and the next call's is another."""
    own = new_span_id()
    assert own.endswith("0000")
    call = call_span_id(own, number)
    assert (len(call), call[:12]) == (16, own[:12])
    assert len({own, call, call_span_id(own, number + 1)}) == 3


def test_a_forked_process_draws_other_ids(tmp_path: Path) -> None:
    """Two workers must not give the same id."""
    file = tmp_path / "child"
    child = os.fork()
    if child == 0:
        file.write_text(new_trace_id())
        os._exit(0)
    os.waitpid(child, 0)
    assert file.read_text() != new_trace_id()


@given(st.text(max_size=200))
def test_any_text_maps_to_one_trace_id(text: str) -> None:
    """Always the same one, and a trace id to itself."""
    assert is_trace_id(to_trace_id(text))
    assert to_trace_id(text) == to_trace_id(text)
    assert to_trace_id(to_trace_id(text)) == to_trace_id(text)


@given(st.text(max_size=200))
def test_what_is_safe_or_a_service_is_one_harmless_path_part(text: str) -> None:
    """Neither leaves its folder, nor hides."""
    if safe_folder(text) or valid_service(text):
        assert os.path.basename(text) == text
        assert not text.startswith(".")
        assert text.isascii()
        assert "\0" not in text
