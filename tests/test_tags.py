"""Tags: the application names a recording, and finds it by that; bad ones harm nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import load, stats, tags
from retrace_core.tags import MOST_TAGS, add_tags, refusal, tag_text
from retrace_core.trace_file import dump, load_header
from retrace_mw import tag
from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.trace_file.test_trace_file import draft

if TYPE_CHECKING:
    from pathlib import Path


def test_wsgi_keeps_tags_and_route(recordings: Path) -> None:
    """Tags and the framework's route stand in the header, as their types."""

    def view() -> str:
        tag(user="ann", order=42)
        tag(paid=True, user="bob")
        return "ok"

    app, recording = record_wsgi(recordings, view)
    assert recording.header.tags == {"user": "bob", "order": 42, "paid": True}
    assert recording.header.route == "/"
    assert_identical(recording, app, times=1)


def test_asgi_keeps_tags_and_route(recordings: Path) -> None:
    """The same under ASGI, from a handler."""

    async def handler() -> str:
        tag(tenant="acme")
        return "ok"

    app, recording = record_asgi(recordings, handler)
    assert (recording.header.tags, recording.header.route) == ({"tenant": "acme"}, "/")
    assert_identical(recording, app, times=1)


def test_a_thread_of_the_request_tags_it(recordings: Path) -> None:
    """What a spawned thread tags belongs to the request."""

    def view() -> str:
        worker = threading.Thread(target=tag, kwargs={"worker": 1})
        worker.start()
        worker.join()
        return "ok"

    _, recording = record_wsgi(recordings, view)
    assert recording.header.tags == {"worker": 1}


def test_nothing_happens_outside_a_recording() -> None:
    """Where nothing is recorded even bad tags are no matter."""
    before = stats()
    tag(user=object())
    assert stats() == before


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("user", None, "not NoneType"),
        ("user", 1.5, "not float"),
        ("user", b"ann", "not bytes"),
        ("user", "x" * 201, "at most 200 characters"),
        ("user", "a\nb", "control characters"),
        ("user", "\ud800", "control characters"),
        ("user", 1 << 63, "64 bits"),
        ("two words", "x", "letters, digits"),
        ("", "x", "letters, digits"),
        ("ü", "x", "letters, digits"),
    ],
)
def test_a_bad_tag_is_left_out_and_told(
    recordings: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: object,
    why: str,
) -> None:
    """It is left out and told once; the response and the other tags are as they would be."""
    monkeypatch.setattr(tags, "_told", set[str]())

    def view() -> str:
        tag(**{name: value, "order": 7})
        tag(**{name: value})
        return "ok"

    _, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert (recording.response.status, recording.header.tags) == (200, {"order": 7})
    (told,) = [one.getMessage() for one in caplog.records if "left out" in one.getMessage()]
    assert why in told


def test_tags_are_bounded_in_number() -> None:
    """Beyond the limit new names are left out, and those that are there may still change."""
    held: dict[str, Any] = {}
    add_tags(held, {f"t{n}": n for n in range(MOST_TAGS + 5)})
    add_tags(held, {"t0": "changed"})
    assert len(held) == MOST_TAGS
    assert held["t0"] == "changed"


@given(st.dictionaries(st.from_regex(r"\A[a-z][a-z0-9_.-]{0,20}\Z"), st.text() | st.integers()))
def test_what_is_taken_comes_back(given_tags: dict[str, Any]) -> None:
    """Whatever tags are taken stand in the trace file as they were given."""
    held: dict[str, Any] = {}
    add_tags(held, {name: value for name, value in given_tags.items() if not refusal(name, value)})
    one = draft()
    one.header = type(one.header)(
        **{
            **{name: getattr(one.header, name) for name in one.header.__struct_fields__},
            "tags": held,
        }
    )
    data = dump(one)
    assert load_header(data).tags == load(data).header.tags == held


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (7, "7"), ("a", "a")]
)
def test_text_of_a_value(value: Any, text: str) -> None:
    """What `--tag` compares."""
    assert tag_text(value) == text
