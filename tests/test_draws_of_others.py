"""Draws of others: how many ids a library makes for itself changes nothing for the application."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import sentry_sdk

from retrace_core.recording import SoftEvent
from retrace_core.replay.soft import SoftAnswers
from tests.recorded import assert_identical, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path


def test_ids_of_a_tracer(recordings: Path) -> None:
    """A trace that begins within what is replayed only leaves the application its own draws."""
    traced: list[str] = []

    def view() -> str:
        for name in traced:
            with sentry_sdk.start_transaction(name=name) as transaction:
                transaction.to_traceparent()
        return f"{uuid.uuid4()} {random.randrange(10**9)} {uuid.uuid4()}"

    with sentry_sdk.isolation_scope():
        sentry_sdk.init(traces_sample_rate=1.0, default_integrations=False)
        app, recording = record_wsgi(recordings, view)
        traced += ["one", "two"]
        assert_identical(recording, app)


def test_draws_by_other_callers(recordings: Path) -> None:
    """By `uuid`, `random` and `secrets`: each function that calls them has draws of its own."""
    more: list[int] = []

    def library() -> None:
        for _ in range(1 + len(more)):
            uuid.uuid4()
            random.randint(1, 99)
            random.shuffle(list(range(9)))
            secrets.token_hex(8)

    def view() -> str:
        library()
        drawn = [random.randint(1, 10**9), *random.sample(range(10**6), 3), secrets.token_hex(8)]
        return f"{uuid.uuid4()} {drawn} {secrets.choice(range(10**6))}"

    app, recording = record_wsgi(recordings, view)
    more.append(1)
    assert_identical(recording, app)
    sites = {event.site for event in recording.lanes[0].events if isinstance(event, SoftEvent)}
    assert any(site.startswith("uuid.py:uuid4 < ") for site in sites)


def test_a_recording_that_does_not_name_callers() -> None:
    """Of an earlier version: what `uuid4` drew is given to whoever draws by it, in order."""
    read = [SoftEvent("os.urandom", "uuid.py:uuid4", bytes([n]) * 16) for n in range(2)]
    soft = SoftAnswers(read, started_ns=0, seed="")
    for number, caller in enumerate(("app.py:view", "library.py:ids")):
        site = f"uuid.py:uuid4 < {caller}"
        assert soft.answer("os.urandom", site, (16,)) == bytes([number]) * 16
    assert soft.extra == []


HANDING_ON = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import sentry_sdk
from sentry_sdk.integrations.threading import ThreadingIntegration
from tests.recorded import assert_identical, record_wsgi

folder = Path(sys.argv[1])
path = folder / "note.txt"


def view():
    with ThreadPoolExecutor(1) as pool:
        with pool.submit(open, path, "w").result() as file:
            file.write("hello")
        with pool.submit(open, path).result() as file:
            return [file.read(), pool.submit(time.time).result()]


sentry_sdk.init(integrations=[ThreadingIntegration()], default_integrations=False)
app, recording = record_wsgi(folder / "recordings", view)
path.unlink()
print(*[event.kind for lane in recording.lanes for event in lane.events])
assert_identical(recording, app)
"""


def test_files_and_clocks_that_a_tracer_hands_on(recordings: Path, tmp_path: Path) -> None:
    """Sentry wraps what is handed to a pool: who reads and writes there is the application."""
    environ = {**os.environ, "PYTHONPATH": ".", "RETRACE_BOOT_TAPE": "0"}
    command = [sys.executable, "-c", HANDING_ON, str(tmp_path)]
    said = subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout
    assert said.split().count("file.open") == 2 and "time.time" in said
