"""Work in the background of a served process: what it hands to requests is in their recordings.

A task or a thread that was started with the process works for all requests, and is told of new
work by a plain list, which no hook can see, or by a queue.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.server_process import free_port
from tests.serving import get, serving

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

POLLING = """
import asyncio, gc, random
from contextlib import asynccontextmanager

from fastapi import FastAPI

from retrace_mw import RetraceMiddleware

WAITING, ANSWERS, ENDED = [], {}, []


async def work():
    try:
        while True:
            while WAITING:
                name = WAITING.pop(0)
                for step in range(3):
                    await asyncio.sleep(random.random() / 100)
                    ANSWERS[name].put_nowait({"step": step, "drew": random.random()})
            await asyncio.sleep(0.001)
    finally:
        ENDED.append(True)


@asynccontextmanager
async def lifespan(app):
    asyncio.create_task(work())  # held by nobody
    yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(RetraceMiddleware)


@app.get("/order/{name}")
async def order(name: str):
    ANSWERS[name] = asyncio.Queue()
    WAITING.append(name)
    return "ordered"


@app.get("/result/{name}")
async def result(name: str):
    gc.collect()
    found = [await asyncio.wait_for(ANSWERS[name].get(), 10) for _ in range(3)]
    return {"found": found, "ended": len(ENDED)}


@app.get("/")
def ready():
    return "ready"
"""

THREAD = """
import queue, random, sqlite3, threading

import flask

from retrace_mw import RetraceMiddleware

ORDERS = queue.SimpleQueue()

with sqlite3.connect("numbers.db") as made:
    made.execute("create table if not exists number (id integer primary key, name, drawn)")


def work():
    db = sqlite3.connect("numbers.db")
    while True:
        name, answers = ORDERS.get()
        with db:
            row = (name, random.random())
            number = db.execute("insert into number (name, drawn) values (?, ?)", row).lastrowid
        answers.put((number, *row))


threading.Thread(target=work, daemon=True).start()
app = flask.Flask("numbers")
app.wsgi_app = RetraceMiddleware(app.wsgi_app)


@app.get("/draw/<name>")
def draw(name):
    answers = queue.SimpleQueue()
    ORDERS.put((name, answers))
    return str(answers.get(timeout=10))


@app.get("/")
def ready():
    return "ready"
"""

READING = """
import threading, time

import flask

from retrace_mw import RetraceMiddleware

WAITING, TEMPLATES = [], {}


def work():
    while True:
        while WAITING:
            name = WAITING.pop()
            with open(name) as file:
                TEMPLATES[name] = file.read()
        time.sleep(0.001)


threading.Thread(target=work, daemon=True).start()
app = flask.Flask("pages")
app.wsgi_app = RetraceMiddleware(app.wsgi_app)


@app.get("/page")
def page():
    name = "page.txt"
    if name not in TEMPLATES:
        with open(name, encoding="utf-8") as file:
            TEMPLATES[name] = file.read()
    return TEMPLATES[name]


@app.get("/")
def warm():
    if "page.txt" not in TEMPLATES:
        WAITING.append("page.txt")
    while "page.txt" not in TEMPLATES:
        time.sleep(0.001)
    return "ready"
"""


def recorded(folder: Path, monkeypatch: pytest.MonkeyPatch, server: str, paths: list[str]) -> None:
    """Serve the application of a folder, and ask it; each path names its trace."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RETRACE_BOOT_TAPE", "1")
    port = free_port()
    options = ["--port", str(port)] if server == "uvicorn" else ["-b", f"127.0.0.1:{port}"]
    with serving([server, *options, "work:app"], port, folder / "recordings") as base:
        for path in paths:
            get(f"{base}/{path}", {"X-Trace-ID": path.replace("/", "-")})


def replayed(folder: Path, trace: str) -> dict[str, Any]:
    """Replay in a fresh process; return the report."""
    command = [
        sys.executable,
        "-m",
        "retrace_core.cli",
        "replay",
        trace,
        "--app",
        "work:app",
        "--json",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    report: dict[str, Any] = json.loads(done.stdout)["recordings"][0]
    return report


def test_a_task_that_looks_at_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its results come from the recording; who orders them must have run before."""
    (tmp_path / "work.py").write_text(POLLING)
    paths = [f"{what}/{name}" for name in ("one", "two") for what in ("order", "result")]
    recorded(tmp_path, monkeypatch, "uvicorn", paths)
    for path in paths:
        report = replayed(tmp_path, path.replace("/", "-"))
        assert report["identical"], report


def test_a_thread_that_gets_its_orders_by_a_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its work runs again, in a lane of who ordered it, with the database gone."""
    (tmp_path / "work.py").write_text(THREAD)
    recorded(tmp_path, monkeypatch, "gunicorn", ["draw/one", "draw/two"])
    (tmp_path / "numbers.db").unlink()
    for trace in ("draw-one", "draw-two"):
        report = replayed(tmp_path, trace)
        assert report["identical"], report
        assert not any("earlier requests" in note for note in report["notes"])


def test_what_a_thread_had_read_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lay in a cache; a replay asks for it, where the file is gone, and finds it on the tape."""
    (tmp_path / "work.py").write_text(READING)
    (tmp_path / "page.txt").write_text("a page")
    monkeypatch.setenv("RETRACE_EXCLUDE", "/")  # who had the thread read it is not recorded
    recorded(tmp_path, monkeypatch, "gunicorn", ["page"])
    (tmp_path / "page.txt").unlink()
    report = replayed(tmp_path, "page")
    assert report["identical"], report
    assert any("page.txt" in note and "had read" in note for note in report["notes"])
