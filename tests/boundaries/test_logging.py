"""What a log says of the moment is, on replay, what it had said."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

import pytest

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FORMAT = "%(asctime)s.%(msecs)03d %(relativeCreated)d %(process)d %(thread)d %(message)s"


class Kept(logging.Handler):
    """Keeps the last lines, as a log viewer does."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=5)
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(self.format(record))


@pytest.fixture
def shown() -> Iterator[Kept]:
    """Return a handler of the logger "shop"."""
    handler, logger = Kept(), logging.getLogger("shop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


def test_when_a_line_was_logged(recordings: Path, shown: Kept) -> None:
    """And by which process and thread."""

    def view() -> list[str]:
        shown.lines.clear()
        logger = logging.getLogger("shop")
        logger.info("sold %d", 3)
        thread = threading.Thread(target=lambda: logger.warning("out of stock"))
        thread.start()
        thread.join()
        return list(shown.lines)

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_a_line_more_is_no_divergence(recordings: Path, shown: Kept) -> None:
    """As where somebody logs more in order to find out."""
    level = logging.INFO

    def view() -> str:
        logger = logging.getLogger("shop")
        logger.setLevel(level)
        for number in range(3):
            logger.debug("looked at %d", number)
            logger.info("sold %d", number)
        return shown.lines[-1]

    app, recording = record_wsgi(recordings, view)
    level = logging.DEBUG
    assert_identical(recording, app)
