"""What `random.gauss` had left over when a request came, it has again on replay."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_the_number_that_an_earlier_request_left_over(recordings: Path) -> None:
    """Of the module's own generator, and of one of the application's."""
    own = random.Random(7)
    random.gauss(0, 1)
    own.gauss()

    def view() -> list[float]:
        return [random.gauss(5, 2), random.gauss(5, 2), random.gauss(0, 1), own.gauss(0, 1)]

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_nothing_was_left_over(recordings: Path) -> None:
    """What is left now, by whatever ran before, is not given out."""
    random.seed(1)

    def view() -> list[float]:
        return [random.gauss(0, 1) for _ in range(3)]

    app, recording = record_wsgi(recordings, view)
    random.gauss(0, 1)
    assert_identical(recording, app)
    before = random.getstate()
    assert random.gauss(0, 1) != random.gauss(0, 1)
    random.setstate(before)
