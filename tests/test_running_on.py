"""Running on: what the start-up began in the background is on replay where it was at a request."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from retrace_core import native
from retrace_core.boot import tape as boot_tape
from retrace_core.boot.chapter import BOOT
from retrace_core.concurrency.running_on import ON
from retrace_core.native import LANE, OFF, RECORD
from retrace_core.replay.boot import BootPlayer
from retrace_core.replay.chapter_player import ChapterPlayer
from retrace_core.replay.progress import NEVER
from tests.replay_report import replays
from tests.serving import get, under_gunicorn, under_uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

THREAD = """
import sqlite3
import threading

import retrace_mw

SEEN = []
STOP = threading.Event()


def look():
    while not STOP.wait(0.05):
        with sqlite3.connect("shop.db") as connection:
            found = connection.execute("select name from stock").fetchall()
        if found not in SEEN:
            SEEN.append(found)


threading.Thread(target=look, daemon=True).start()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(SEEN).encode()]


app = retrace_mw.RetraceMiddleware(application)
"""

TASK = """
import asyncio
import contextlib
import sqlite3

import retrace_mw

SEEN = []


async def look():
    while True:
        with sqlite3.connect("shop.db") as connection:
            found = connection.execute("select name from stock").fetchall()
        if found not in SEEN:
            SEEN.append(found)
        await asyncio.sleep(0.05)


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        looking = asyncio.create_task(look())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        looking.cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(SEEN).encode()})


app = retrace_mw.RetraceMiddleware(application)
"""

WAITS = """
import asyncio

import retrace_mw

rounds, said = 0, []
asked = asyncio.Queue()


async def look():
    global rounds
    while True:
        try:
            said.append(await asyncio.wait_for(asked.get(), 0.04))
        except TimeoutError:
            rounds += 1


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        looking = asyncio.create_task(look())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        looking.cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = f"{rounds} {len(said)}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


app = retrace_mw.RetraceMiddleware(application)
"""

UNDOES = """
import asyncio

import aiosqlite

import retrace_mw

UNDONE = []


async def undo(connection):
    await connection.rollback()
    UNDONE.append(connection.in_transaction)


async def tick():
    while True:
        await asyncio.sleep(0.05)


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        for _ in range(3):
            async with aiosqlite.connect("shop.db") as connection:
                await connection.execute("insert into stock values ('never')")
                await asyncio.create_task(undo(connection))
        ticking = asyncio.create_task(tick())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ticking.cancel()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(UNDONE).encode()})


app = retrace_mw.RetraceMiddleware(application)
"""

SLEEPS = """
import threading
import time

import retrace_mw


def sleep_on():
    while True:
        time.sleep(0.3)


def application(environ, start_response):
    threading.Thread(target=sleep_on, daemon=True).start()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"started"]


app = retrace_mw.RetraceMiddleware(application)
"""


def _stock(folder: Path, name: str) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as connection, connection:
        connection.execute("create table if not exists stock (name)")
        connection.execute("insert into stock values (?)", [name])


def _until(base: str, text: str) -> None:
    """Ask until the background has seen something."""
    deadline = time.monotonic() + 20
    while text not in (said := get(base)):
        assert time.monotonic() < deadline, said


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database, in which a server is started and replayed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    _stock(tmp_path, "tea")
    return tmp_path


@pytest.mark.parametrize(("program", "under"), [(THREAD, under_gunicorn), (TASK, under_uvicorn)])
def test_the_background_is_where_it_was_when_the_request_came(
    shop: Path, program: str, under: Callable[..., AbstractContextManager[str]]
) -> None:
    """The first request saw tea, the last one salt and oil too; each does so again, alone."""
    (shop / "shop.py").write_text(program)
    with under("shop:app", shop / "recordings", sample_rate=0) as base:
        _until(base, "tea")
        get(base, {"X-Trace-ID": "first"})
        for name in ("salt", "oil"):
            _stock(shop, name)
            _until(base, name)
        get(base, {"X-Trace-ID": "last"})
        _stock(shop, "never")
        _until(base, "never")
        get(base, {"X-Trace-ID": "later"})
    (shop / "shop.db").unlink()
    for trace in ("first", "last"):
        replays(trace, "--cold")


def test_a_task_that_waits_in_vain_has_done_so_as_often(shop: Path) -> None:
    """It waits for something, a moment at a time, and counts how often that did not come."""
    (shop / "shop.py").write_text(WAITS)
    with under_uvicorn("shop:app", shop / "recordings", sample_rate=0) as base:
        for trace, least in (("first", 0), ("fifth", 5), ("thirtieth", 30)):
            while int(get(base).split()[0]) < least:
                time.sleep(0.01)
            get(base, {"X-Trace-ID": trace})
    for trace in ("first", "fifth", "thirtieth"):
        replays(trace, "--cold")


def test_a_task_that_the_start_up_waits_for_is_not_kept_waiting(shop: Path) -> None:
    """What it asks first does not say what it is about; it is the next one that began so."""
    (shop / "shop.py").write_text(UNDOES)
    with under_uvicorn("shop:app", shop / "recordings", sample_rate=0) as base:
        assert get(base, {"X-Trace-ID": "first"}) == "[False, False, False]"
    replays("first", "--cold")


def test_a_thread_of_a_request_that_sleeps_on_is_left_asleep(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next sleep was not over when the recording was closed."""
    monkeypatch.setenv("RETRACE_GRACE_S", "1")
    (shop / "shop.py").write_text(SLEEPS)
    with under_gunicorn("shop:app", shop / "recordings", sample_rate=0) as base:
        get(base, {"X-Trace-ID": "sleeps"})
        deadline = time.monotonic() + 20
        while not list((shop / "recordings" / "sleeps").glob("*/trace.bin")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    replays("sleeps", "--cold")


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> Iterator[boot_tape.BootTape]:
    """A tape whose boot goes on."""
    tape = boot_tape.BootTape(1 << 20)
    monkeypatch.setattr(boot_tape, "_tape", tape)
    tape.boot = tape.open(BOOT)
    yield tape
    if tape.running is not None:
        tape.running.stop()
    LANE.set(None)


def _asks(lane: native.Lane, what: str) -> None:
    lane.record("news.get", what, 0, "nothing", native.now_ns())


def test_only_what_has_not_ended_goes_on(boot: boot_tape.BootTape) -> None:
    """Where nothing does, the process pays nothing."""
    assert boot.boot is not None
    lane = boot.boot.root.spawn()
    _asks(lane, "a")
    lane.end()
    armed = native.arm(0)
    boot_tape.end_boot()
    assert (lane.mode, boot.running, native.arm(0)) == (OFF, None, armed - 1)


def test_what_has_come_since_is_a_part_of_its_own(boot: boot_tape.BootTape) -> None:
    """With what had come before it, it is all that the lane asked."""
    assert boot.boot is not None
    lane = boot.boot.root.spawn()
    _asks(lane, "a")
    boot_tape.end_boot()
    _, [first] = boot.take_unsaved()
    _asks(lane, "b")
    lane.end()
    _, [second] = boot.take_unsaved()
    assert [first.label, second.label] == [BOOT, ON]
    parts = [next(part for part in one.lanes if part.id == lane.id) for one in (first, second)]
    assert b"".join(part.data() for part in parts) == lane.data()
    assert boot.take_unsaved() == (0, [])


def test_a_lane_in_which_a_request_comes_is_the_servers(boot: boot_tape.BootTape) -> None:
    """So are those that it was started from; the request is none of the start-up's."""
    assert boot.boot is not None
    server = boot.boot.root.spawn()
    looks = boot.boot.root.spawn()
    boot_tape.end_boot()
    connection = server.spawn()
    assert boot_tape.serves_request(connection)
    assert [one.mode for one in (server, connection, looks)] == [OFF, OFF, RECORD]


def test_it_ends_where_it_asks_too_much(boot: boot_tape.BootTape) -> None:
    """A quarter of what is left of the tape is for it."""
    assert boot.boot is not None
    lane = boot.boot.root.spawn()
    boot_tape.end_boot()
    for _ in range(5000):
        _asks(lane, "x" * 100)
    assert lane.state.size_bytes <= boot.limit_bytes // 4
    assert lane.state.cut


def test_a_call_of_a_task_that_is_made_when_the_replay_is_over_waits_for_nothing() -> None:
    """A task that is cancelled then may insist on closing its connection, and its loop on it."""
    boot = BootPlayer([], started_ns=0)
    boot.progress.shut_down()
    lane = ChapterPlayer(boot, None).root
    waiting = boot.progress.wait_async(lane, NEVER, calls=True)
    assert not asyncio.run(asyncio.wait_for(waiting, timeout=1))
