"""A recording over its limit is kept, marked as cut, and says so: never silently wrong."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import flask
import pytest

from retrace_core import replay
from retrace_core.cli import run
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording


def draws() -> str:
    """Read an entropy source often, and answer at length what was sent and drawn."""
    sent = flask.request.get_data()
    return "".join(str(random.random()) for _ in range(500)) + f" {len(sent)}"


def record(folder: Path, **options: Any) -> tuple[Any, Recording]:
    """Record one request with these settings."""
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=draws, methods=["POST"])
    app.wsgi_app = RetraceMiddleware(app.wsgi_app, **options)  # type: ignore[method-assign]
    answer = app.test_client().post("/", data=b"x" * 5000, buffered=True)
    assert answer.status_code == 200
    assert answer.data.endswith(b" 5000")
    return app, only_recording(folder)


def test_a_recording_over_its_size_is_cut_and_says_so(recordings: Path) -> None:
    """The request goes on; replay is divergent where the events end, with the reason."""
    app, recording = record(recordings, recording_limit_bytes=1024)
    assert recording.header.cut
    result = replay(recording, app)
    assert not result.identical
    assert any("RETRACE_RECORDING_LIMIT_BYTES" in note for note in result.notes)


def test_a_request_body_over_its_size_is_cut_and_says_so(recordings: Path) -> None:
    """The application got all of it; the replayed one gets none, and the result tells why."""
    app, recording = record(recordings, body_limit_bytes=1000)
    assert recording.request.body_cut
    assert recording.request.body_bytes == 5000
    result = replay(recording, app)
    assert not result.identical
    assert any("request body was cut" in note for note in result.notes)


def test_a_response_body_over_its_size_is_compared_as_far_as_it_is_kept(recordings: Path) -> None:
    """It is identical as far as can be said, and that is said."""
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: iter(["a" * 800, "b" * 800]))
    app.wsgi_app = RetraceMiddleware(app.wsgi_app, body_limit_bytes=1000)  # type: ignore[method-assign]
    assert len(app.test_client().get("/", buffered=True).data) == 1600
    recording = only_recording(recordings)
    assert recording.response is not None
    assert recording.response.body_cut
    result = replay(recording, app)
    assert result.identical
    assert any("first 800 of 1600 bytes" in note for note in result.notes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"recording_limit_bytes": 1024}, "reached its size limit"),
        ({"body_limit_bytes": 1000}, "cut: the body had"),
    ],
    ids=["recording", "body"],
)
def test_show_says_what_was_cut(
    recordings: Path, options: dict[str, int], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`retrace show` tells it beside what there is."""
    record(recordings, **options)
    (file,) = recordings.glob("*/*/*.bin")
    assert run(["show", str(file)]) == 0
    assert told in capsys.readouterr().out
