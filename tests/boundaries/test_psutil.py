"""psutil: what the system was doing then, and processes that have ended since."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from retrace_core.boundaries.psutil import BOUNDARY
from retrace_core.boundary import Patch
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that waits for the end of its input."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield process


def test_readings_of_the_system_are_the_recorded_ones(recordings: Path) -> None:
    """With their classes, which have fields by name."""

    def view() -> str:
        memory = psutil.virtual_memory()
        times = psutil.cpu_times()
        ports = {name: count.bytes_sent for name, count in psutil.net_io_counters(True).items()}
        addresses = psutil.net_if_addrs()["lo"]
        read = (memory.available, times.user, psutil.cpu_percent(), psutil.boot_time(), ports)
        return repr([type(memory), type(times), read, addresses, psutil.disk_usage("/").free])

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_a_process_that_has_ended_since_is_read_all_the_same(
    recordings: Path, child: subprocess.Popen[bytes]
) -> None:
    """By an object that is made anew."""

    def view() -> str:
        process = psutil.Process(child.pid)
        with process.oneshot():
            read = [process.cmdline(), process.memory_info().rss, process.create_time()]
        return repr([read, process.as_dict(["name", "num_threads", "status", "uids"])])

    app, recording = record_wsgi(recordings, view)
    child.communicate()
    assert_identical(recording, app)


def test_the_children_that_were_there_are_there_again(
    recordings: Path, child: subprocess.Popen[bytes]
) -> None:
    """A health check adds up what the workers of a server need."""

    def view() -> str:
        children = psutil.Process().children(recursive=True)
        return repr(sorted((one.pid, one.memory_info().rss) for one in children))

    app, recording = record_wsgi(recordings, view)
    assert str(child.pid) in str(recording.response)
    child.communicate()
    assert_identical(recording, app)


def test_a_process_that_was_not_there_is_not_there_again(
    recordings: Path, child: subprocess.Popen[bytes]
) -> None:
    """By an error of psutil's own, with all that it says."""
    child.communicate()

    def view() -> str:
        try:
            return repr(psutil.Process(child.pid))
        except psutil.NoSuchProcess as error:
            return f"{error} {error.pid} {psutil.pid_exists(child.pid)}"

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_every_reading_of_the_installed_psutil_is_hooked() -> None:
    """But what changes something; a release that brings another is to be looked at."""
    hooked = {
        hook.name for hook in BOUNDARY.hooks if isinstance(hook, Patch) and hook.owner is psutil
    }
    functions = {
        name for name in vars(psutil)["__all__"] if inspect.isfunction(getattr(psutil, name))
    }
    assert functions - hooked == {"heap_trim", "process_iter", "wait_procs"}
