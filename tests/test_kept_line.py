"""The log line: one for each recording that was written, with what is known of it."""

from __future__ import annotations

import logging
import shlex
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from retrace_core import load, stats, writer
from retrace_core.kept_line import _quoted
from retrace_mw import RetraceMiddleware

if TYPE_CHECKING:
    from pathlib import Path


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """A WSGI application."""
    start_response("200 OK", [])
    return [b"hello"]


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records of recordings that were kept."""
    return [one for one in caplog.records if one.getMessage().startswith("retrace: kept ")]


def test_a_kept_recording_is_one_line_with_its_path(
    recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO, as logfmt and as fields of the record; the file is there by then."""
    with caplog.at_level(logging.INFO, "retrace"):
        Client(RetraceMiddleware(hello, service="shop")).get("/a b?x=1", buffered=True)
        assert writer.flush()
    (record,) = lines(caplog)
    fields = dict(part.split("=", 1) for part in shlex.split(record.getMessage())[2:])
    header = load(fields["path"]).header
    assert record.levelno == logging.INFO
    assert record.__dict__["retrace_path"] == fields["path"]
    assert record.__dict__["retrace_trace_id"] == fields["trace_id"] == header.trace_id
    assert (fields["method"], fields["url_path"], fields["status"]) == ("GET", "/a b", "200")
    assert record.__dict__["retrace_status"] == 200
    assert fields["decider"] == "SampleRate"


def test_the_writer_says_it_and_no_request(
    recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A slow log handler is no request's burden."""
    with caplog.at_level(logging.INFO, "retrace"):
        Client(RetraceMiddleware(hello, service="shop")).get("/", buffered=True)
        assert writer.flush()
    (record,) = lines(caplog)
    assert record.threadName == "retrace-writer"
    assert threading.current_thread().name != record.threadName


def test_nothing_is_said_below_the_level(
    recordings: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By default a library's INFO is not shown, and costs nothing."""
    with caplog.at_level(logging.WARNING, "retrace"):
        Client(RetraceMiddleware(hello, service="shop")).get("/", buffered=True)
        assert writer.flush()
    assert not lines(caplog)


class Failing(logging.Handler):
    """A handler that fails once, and logs that as an error."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Fail, and log it."""
        if record.getMessage().startswith("retrace: kept ") and not self.calls:
            self.calls += 1
            try:
                raise RuntimeError("the handler failed")
            except RuntimeError:
                logging.getLogger("shop").exception("not sent")


def test_what_a_handler_does_is_in_no_recording(recordings: Path) -> None:
    """An error that it logs is nobody's failure: there is no scope on the writer's thread."""
    client = Client(RetraceMiddleware(hello, service="shop"))
    logger, handler = logging.getLogger("retrace"), Failing()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        client.get("/", buffered=True)
        client.get("/", buffered=True)
        assert writer.flush()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert handler.calls == 1
    found = [load(path) for path in recordings.glob("*/*/*.bin")]
    assert [one.failure for one in found] == [None, None]


@pytest.mark.faults_expected
def test_a_handler_that_raises_costs_nothing_but_the_line(recordings: Path) -> None:
    """The recording is written, and the next one too."""

    class Broken(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise RuntimeError("broken")

    logger, broken = logging.getLogger("retrace"), Broken()
    client = Client(RetraceMiddleware(hello, service="shop"))
    before, level = stats().get("faults.log line", 0), logger.level
    logger.setLevel(logging.INFO)
    client.get("/", buffered=True)
    logger.addFilter(broken)
    try:
        client.get("/", buffered=True)
        assert writer.flush()
    finally:
        logger.removeFilter(broken)
        logger.setLevel(level)
    assert len(list(recordings.glob("*/*/*.bin"))) == 2
    assert stats()["faults.log line"] > before


@given(st.text())
def test_a_value_from_outside_forges_no_line(text: str) -> None:
    """One line, and one value, whatever a request holds."""
    quoted = _quoted(text)
    assert len(quoted.splitlines()) <= 1
    assert len(shlex.split(f"name={quoted}")) == 1
