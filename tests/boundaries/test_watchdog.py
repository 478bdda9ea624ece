"""watchdog: a folder is watched from a request on, and is gone on replay."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


class _Stopping:
    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()


@pytest.mark.parametrize("kind", [Observer, PollingObserver])
def test_a_folder_that_a_request_has_watched_need_not_be_there(
    kind: Any, recordings: Path, tmp_path: Path
) -> None:
    """What is read of it is no event of the request's, and nothing is watched on replay."""
    watched = tmp_path / "watched"
    (watched / "below").mkdir(parents=True)

    def view() -> str:
        observer = kind()
        observer.schedule(FileSystemEventHandler(), str(watched), recursive=True)
        observer.start()
        with closing(_Stopping(observer)):
            return f"{len(observer.emitters)} is watched: {observer.is_alive()}"

    app, recording = record_wsgi(recordings, view)
    kinds = {event.kind for lane in recording.lanes for event in lane.events}
    assert "file.scandir" not in kinds
    shutil.rmtree(watched)
    assert_identical(recording, app)
