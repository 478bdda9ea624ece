"""Boot threads: what the start-up begins in the background does no more on replay than it had."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.replay_report import replays
from tests.serving import get, under_gunicorn, under_uvicorn

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SHOP = """
import os
import sqlite3
import threading
import time

import retrace_mw

STOCK = []
LOOKED = threading.Event()
LOOKED_MORE = threading.Event()


def look():
    # Each time for something else: what it looks for next is on no tape.
    with sqlite3.connect("shop.db") as connection:
        asked = ("select name from stock where place = ?", [len(STOCK) + 1])
        STOCK.append(connection.execute(*asked).fetchone()[0])


def look_every_hour():
    for pause, done in ((0.01, None), (3600, LOOKED), (3600, LOOKED_MORE)):
        try:
            look()
        except Exception as error:
            STOCK.append(type(error).__name__)
        if done is not None:
            done.set()
        time.sleep(pause)


threading.Thread(target=look_every_hour, daemon=True).start()
LOOKED.wait(10)
with open(os.environ.get("ANOTHER_LOG", "shop.log"), "a") as log:
    print("started", file=log)


def application(environ, start_response):
    LOOKED_MORE.wait(0.5)  # in vain
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(STOCK).encode()]


app = retrace_mw.RetraceMiddleware(application)
"""

PRICES = """
import sqlite3
from concurrent import futures

import retrace_mw


def price_of(name):
    with sqlite3.connect("shop.db") as connection:
        return connection.execute("select price from stock where name = ?", [name]).fetchone()[0]


with futures.ThreadPoolExecutor(2) as pool:
    asked = [pool.submit(price_of, name) for name in ("tea", "salt")]
    PRICES = sorted(one.result() for one in futures.wait(asked).done)
    asked = [pool.submit(price_of, name) for name in ("rice", "figs")]
    PRICES += sorted(one.result() for one in futures.as_completed(asked))


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(PRICES).encode()]


app = retrace_mw.RetraceMiddleware(application)
"""


WORKER = """
import contextlib
import queue
import threading

from fastapi import FastAPI
from retrace_mw import RetraceMiddleware


class Worker(threading.Thread):
    def __init__(self):
        super().__init__()
        self.tasks = queue.Queue()
        self.running = True

    def run(self):
        while self.running:
            with contextlib.suppress(queue.Empty):
                self.tasks.get(timeout=0.2)()


@contextlib.asynccontextmanager
async def lifespan(app):
    worker = Worker()
    worker.start()
    yield
    worker.running = False
    worker.join(timeout=600)


app = FastAPI(lifespan=lifespan)
app.add_middleware(RetraceMiddleware)


@app.get("/")
def hello():
    return "hello"
"""


def test_a_thread_that_sleeps_for_an_hour_does_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has looked twice when the request comes, and does not go on to what nobody recorded.

    A log that the start-up comes to on replay only is written elsewhere.
    """
    (tmp_path / "shop.py").write_text(SHOP)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("create table stock (place, name)")
        rows = [(1, "tea"), (2, "salt"), (3, "never"), (4, "never")]
        connection.executemany("insert into stock values (?, ?)", rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_gunicorn("shop:app", tmp_path / "recordings") as base:
        get(f"{base}/", {"X-Trace-ID": "stock"})
    (tmp_path / "shop.db").unlink()
    monkeypatch.setenv("ANOTHER_LOG", str(tmp_path / "never.log"))
    replays("stock")
    assert not (tmp_path / "never.log").exists()


def test_a_start_up_waits_for_its_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `wait` and by `as_completed`, for what the threads of a pool had asked."""
    (tmp_path / "shop.py").write_text(PRICES)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute("create table stock (name, price)")
        rows = [("tea", 4), ("salt", 1), ("rice", 2), ("figs", 3)]
        connection.executemany("insert into stock values (?, ?)", rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_gunicorn("shop:app", tmp_path / "recordings") as base:
        assert get(f"{base}/", {"X-Trace-ID": "prices"}) == "[1, 4, 2, 3]"
    (tmp_path / "shop.db").unlink()
    replays("prices")


def test_a_shutdown_waits_for_its_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They end at once, though none of them goes on to what it had not done by the request."""
    (tmp_path / "shop.py").write_text(WORKER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    with under_uvicorn("shop:app", tmp_path / "recordings") as base:
        get(f"{base}/", {"X-Trace-ID": "hello"})
    replays("hello")
