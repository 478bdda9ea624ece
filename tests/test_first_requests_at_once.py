"""First requests of a process that come at once: the start-up ends with one, for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.test_writer import APP, run

if TYPE_CHECKING:
    from pathlib import Path

AT_ONCE = """
import threading
from retrace_core.boot import chapter as boot_chapter

ending, end = threading.Event(), boot_chapter.Chapter.end
second = threading.Thread(target=lambda: ending.wait(20) and request())

def end_slowly(*given):
    ending.set()
    second.join(0.5)  # it may go by here, and must not: then it would wait for nothing
    return end(*given)

boot_chapter.Chapter.end = end_slowly
second.start()
first = threading.Thread(target=request)
first.start()
first.join()
second.join()
"""


def test_a_request_that_comes_as_the_start_up_ends_is_recorded(tmp_path: Path) -> None:
    """Its thread began within the start-up, as those of a server's pool do."""
    begun = "import os\nos.environ['RETRACE_BOOT_TAPE'] = '1'\n" + APP
    assert run(tmp_path, AT_ONCE, begun) == (0, 2)
