"""Addresses of objects in what came out: no replay can bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retrace_core import replay
from retrace_core.replay.addresses import differing_addresses
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = b"<a.B object at 0x7f7ca6c44250>", b"<a.B object at 0x7f7d42fe6e50>"


class Nameless:
    """Its repr is its address."""


KEPT: list[object] = []
"""Kept, so that no two lie in one place."""


def test_a_body_with_addresses_is_the_same(recordings: Path) -> None:
    """And the replay says that there were some."""

    def view() -> str:
        KEPT.append(Nameless())
        return f"<p>{KEPT[-1]!r}</p>"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=1)
    assert "1 address of an object" in " ".join(replay(recording, app).notes)


class Numbered:
    """Its repr has its address in decimal digits."""

    def __repr__(self) -> str:
        return f"< Numbered at /site by {id(self)} >"


def test_a_body_with_addresses_of_decimal_digits_is_the_same(recordings: Path) -> None:
    """And what is masked beside them is compared as ever."""

    def view() -> str:
        KEPT.append(Numbered())
        return f"{KEPT[-1]!r} mail@orchard.example"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=1)
    assert "1 address of an object" in " ".join(replay(recording, app).notes)


def test_an_exception_with_addresses_is_the_same(recordings: Path) -> None:
    """Its message is text like any other."""

    def view() -> str:
        KEPT.append(Nameless())
        raise LookupError(KEPT[-1])

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app, times=1)


@pytest.mark.parametrize(
    ("recorded", "replayed"),
    [
        (ONE, b"other" + OTHER),
        (ONE + ONE, ONE + OTHER),
        (ONE + OTHER, ONE + ONE),
        (b"order 0x7f7ca6c44250", b"order 0x7f7d42fe6e50"),
        (b"at 0x1>", b"at 0x2>"),
        (b"order 139980441316688", b"order 140104624598208"),
        (b"<Order 139980441316681>", b"<Order 140104624598203>"),
        (b"<Order 20241231235900>", b"<Order 20250101000016>"),
    ],
    ids=[
        "more differs",
        "one was two",
        "two are one",
        "no repr",
        "too short",
        "a number in no repr",
        "an odd number",
        "a time",
    ],
)
def test_what_differs_in_more_is_not_the_same(recorded: bytes, replayed: bytes) -> None:
    """Only a repr's address may differ, and always by the same other."""
    assert differing_addresses(recorded, replayed) == 0


def test_the_same_text_has_no_differing_addresses() -> None:
    """Nothing to say where nothing differs."""
    assert differing_addresses(ONE, ONE) == 0
