"""What start-up read of clocks and entropy comes back where it was read."""

from __future__ import annotations

from typing import Any

from retrace_core.recording import SoftEvent
from retrace_core.replay.placed_answers import PlacedAnswers

KIND, SITE = "os.urandom", "uuid.py:uuid4"


def drawn(letter: str) -> SoftEvent:
    """Return a draw of 16 bytes."""
    return SoftEvent(kind=KIND, site=SITE, value=letter.encode() * 16)


def answers(*reads: tuple[str, int, str]) -> Any:
    """Return a function that draws: it gets the last call, and returns the letter of the draw."""
    placed = PlacedAnswers(
        [(lane, calls, drawn(letter)) for lane, calls, letter in reads], started_ns=0, seed="s"
    )

    def draw(*here: Any) -> str:
        value = placed.answer_at(KIND, SITE, (16,), here or None)
        assert isinstance(value, bytes)
        return value[:1].decode()

    return draw


def test_one_draw_less_in_a_lane_moves_none_of_another() -> None:
    """As where a module draws at its import, which is done elsewhere on replay."""
    draw = answers(("0", 0, "a"), ("0", 2, "b"), ("0.0", 1, "c"), ("0.0", 2, "d"))
    assert draw() == "a"
    assert draw("0.0", 0) == "c"
    assert draw("0.0", 1) == "d"
    assert draw("0", 1) == "b"


def test_one_draw_less_before_a_call_moves_none_after_it() -> None:
    """The lane falls into step again with its next call."""
    draw = answers(("0", 1, "a"), ("0", 1, "b"), ("0", 2, "c"), ("0", 3, "d"))
    assert draw("0", 0) == "a"
    assert draw("0", 1) == "c"
    assert draw("0", 2) == "d"


def test_one_draw_more_gets_what_is_left() -> None:
    """First of its own lane, then of the others, then a made-up one."""
    draw = answers(("0", 1, "a"), ("0", 2, "b"), ("0.0", 0, "c"))
    assert draw("0", 1) == "b"
    assert draw("0", 1) == "a"
    assert draw("0", 1) == "c"
    assert draw("0", 1) != "a"


def test_a_draw_of_another_size_is_made_up() -> None:
    """The recorded one stays for who asks for its size."""
    placed = PlacedAnswers([("0", 0, drawn("a"))], started_ns=0, seed="s")
    other = placed.answer_at(KIND, SITE, (8,), None)
    assert isinstance(other, bytes)
    assert len(other) == 8
    assert placed.answer_at(KIND, SITE, (16,), None) == b"a" * 16
