"""The main job: a request is recorded, the world is taken away, and replay gives the same."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import datetime
import io
import json
import os
import random
import sqlite3
import tempfile
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import flask
import httpx
import pytest
import requests
import sqlalchemy
from fastapi import BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse

from retrace_core import AppNotLoadable, LiveCallRefused, load, replay, writer
from retrace_core.ids import call_span_id
from retrace_mw import RetraceMiddleware
from tests.http_origin import origin
from tests.recorded import assert_identical, identical_body, record_asgi, record_wsgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def test_clocks_and_entropy_come_back(recordings: Path) -> None:
    """What a request read of clocks and randomness is read again."""

    def view() -> dict[str, Any]:
        return {
            "time": [time.time(), time.time_ns(), time.monotonic(), time.perf_counter()],
            "local": [time.strftime("%H:%M:%S"), time.ctime(), list(time.localtime())],
            "now": str(datetime.datetime.now()),
            "utc": str(datetime.datetime.now(datetime.UTC)),
            "today": [str(datetime.date.today()), str(datetime.datetime.today())],
            "random": [random.random(), random.randint(1, 10**9), random.choice("abcdef")],
            "own": random.Random().random(),
            "bytes": os.urandom(8).hex(),
            "uuid": [str(uuid.uuid4()), str(uuid.uuid1())],
            "pid": os.getpid(),
        }

    app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_sqlite_comes_back_without_its_file(recordings: Path, tmp_path: Path) -> None:
    """Rows, errors and row factories come back when the database is deleted."""
    file = tmp_path / "shop.db"

    def view() -> dict[str, Any]:
        connection = sqlite3.connect(file)
        connection.row_factory = sqlite3.Row
        with connection:
            connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, at REAL)")
            cursor = connection.executemany(
                "INSERT INTO t (a, at) VALUES (?, ?)", [("x", time.time()), ("y", 2.5)]
            )
        rows = [dict(row) for row in connection.execute("SELECT * FROM t ORDER BY id")]
        error = ""
        try:
            connection.execute("INSERT INTO t (id) VALUES (1)")
        except sqlite3.IntegrityError as found:
            error = f"{found} {found.sqlite_errorname}"
        connection.rollback()
        names = [column[0] for column in connection.execute("SELECT id, a FROM t").description]
        connection.close()
        return {"rows": rows, "count": cursor.rowcount, "error": error, "names": names}

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200
    file.unlink()
    assert_identical(recording, app)
    assert not file.exists()


def test_sqlalchemy_pool_is_not_the_requests(recordings: Path, tmp_path: Path) -> None:
    """Pings and connects of the pool are no events, statements are."""
    file = tmp_path / "shop.db"
    setup = sqlite3.connect(file)
    setup.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    setup.close()
    engine = sqlalchemy.create_engine(f"sqlite:///{file}", pool_pre_ping=True)

    def view() -> dict[str, Any]:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("INSERT INTO t (a) VALUES (:a)"), {"a": "x"})
            rows = connection.execute(sqlalchemy.text("SELECT * FROM t")).all()
        return {"rows": [tuple(row) for row in rows], "id": str(uuid.uuid4())}

    app, recording = record_wsgi(recordings, view)
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert "sqlite3.connect" not in kinds
    file.unlink()
    assert_identical(recording, app)
    engine.dispose()


@pytest.mark.parametrize("path", ["json", "redirect", "gzip", "chunked", "error"])
def test_requests_comes_back_without_its_server(recordings: Path, path: str) -> None:
    """What requests received comes back, through the library's own code."""
    with origin() as (base, _):

        def view() -> dict[str, Any]:
            answer = requests.get(f"{base}/{path}", timeout=5)
            return {"status": answer.status_code, "text": answer.text}

        app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


@pytest.mark.parametrize("path", ["hang", "broken", "refused"])
def test_http_errors_come_back_as_they_were_raised(recordings: Path, path: str) -> None:
    """Time-outs, torn bodies and refused connections are raised again."""
    with origin() as (base, _):
        target = "http://127.0.0.1:1" if path == "refused" else base

        def view() -> dict[str, Any]:
            try:
                requests.get(f"{target}/{path}", timeout=0.2)
            except requests.RequestException as error:
                return {"error": type(error).__name__, "text": str(error)}
            return {}

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert b"error" in b"".join(recording.response.body)
    assert_identical(recording, app)


@pytest.mark.parametrize("in_threads", [False, True], ids=["in turn", "in threads"])
def test_each_outgoing_call_has_a_span_id_of_its_own(recordings: Path, in_threads: bool) -> None:
    """By the first twelve digits it is the recording's; a replay gives each call the same."""
    with origin() as (base, _):

        def call(_: int) -> str:
            got = httpx.get(f"{base}/json").json()["headers"]
            return next(str(value) for name, value in got.items() if name.lower() == "traceparent")

        def view() -> Any:
            if not in_threads:
                return [call(number) for number in range(3)]
            with concurrent.futures.ThreadPoolExecutor(3) as pool:
                return list(pool.map(call, range(3)))

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    parents = json.loads(b"".join(recording.response.body))
    spans = {parent.split("-")[2] for parent in parents}
    assert len(spans - {recording.header.span_id}) == 3
    assert {span[:12] for span in spans} == {recording.header.span_id[:12]}
    assert_identical(recording, app)


def test_outgoing_calls_carry_the_trace(recordings: Path) -> None:
    """X-Trace-ID and traceparent go out without the application doing anything."""
    with origin() as (base, _):

        def view() -> Any:
            return requests.get(f"{base}/json", timeout=5).json()["headers"]

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    body = b"".join(recording.response.body).decode()
    assert recording.header.trace_id in body
    span_id = call_span_id(recording.header.span_id, 0)
    assert f"00-{recording.header.trace_id}-{span_id}-03" in body  # sampled, random
    assert_identical(recording, app)


def test_threads_of_a_request_have_lanes(recordings: Path) -> None:
    """What pools and threads did comes back, in the order in which it completed."""
    with origin() as (base, _):

        def job(number: int) -> tuple[int, str, float]:
            time.sleep(random.random() * 0.01)
            return number, requests.get(f"{base}/slow", timeout=5).text, random.random()

        def view() -> dict[str, Any]:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                futures = [pool.submit(job, number) for number in range(4)]
                order = [done.result() for done in concurrent.futures.as_completed(futures)]
            found: list[float] = []
            thread = threading.Thread(target=lambda: found.append(random.random()))
            thread.start()
            thread.join()
            return {"order": order, "found": found}

        app, recording = record_wsgi(recordings, view)
    assert len(recording.lanes) == 6
    assert_identical(recording, app, times=10)


def test_tasks_come_back_in_the_order_of_completion(recordings: Path) -> None:
    """Results collected as they complete are collected in the same order."""
    client = httpx.AsyncClient()
    with origin() as (base, _):

        async def one(number: int) -> tuple[int, float, float]:
            answer = await client.get(f"{base}/slow")
            return number, answer.json()["n"], random.random()

        async def handler() -> dict[str, Any]:
            order = [await done for done in asyncio.as_completed([one(n) for n in range(5)])]
            together = await asyncio.gather(*(one(n) for n in range(5)))
            threaded = await asyncio.to_thread(random.random)
            await asyncio.sleep(0.01)
            return {"order": order, "together": together, "threaded": threaded}

        app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app, times=10)


def test_a_timeout_times_out_again(recordings: Path) -> None:
    """A call that was cancelled while in flight is cancelled on replay."""
    client = httpx.AsyncClient()
    with origin() as (base, _):

        async def handler() -> dict[str, Any]:
            try:
                await asyncio.wait_for(client.get(f"{base}/hang"), 0.05)
            except TimeoutError:
                return {"timed_out": True, "at": time.time()}
            return {}

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert b"timed_out" in b"".join(recording.response.body)
    assert_identical(recording, app)


def test_work_that_outlives_the_response_is_recorded(recordings: Path) -> None:
    """Background tasks, and tasks nobody waits for, belong to the recording."""
    client = httpx.AsyncClient()
    background: set[asyncio.Task[Any]] = set()
    with origin() as (base, _):

        async def later() -> None:
            await client.get(f"{base}/slow")

        async def handler(tasks: BackgroundTasks) -> dict[str, Any]:
            tasks.add_task(later)
            background.add(asyncio.create_task(later()))
            return {"at": time.time()}

        app, recording = record_asgi(recordings, handler, tasks=2)
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert kinds.count("httpx.request") == 2
    assert_identical(recording, app)


def test_a_streamed_response_comes_back(recordings: Path) -> None:
    """Chunks that are produced one by one are produced again."""

    async def handler() -> StreamingResponse:
        async def chunks() -> Any:
            for _ in range(3):
                await asyncio.sleep(0.001)
                yield f"{random.random()}\n"

        return StreamingResponse(chunks())

    app, recording = record_asgi(recordings, handler)
    assert_identical(recording, app)


@pytest.mark.parametrize("kind", ["wsgi", "asgi", "sync"])
def test_a_failing_request_fails_the_same_way(recordings: Path, kind: str) -> None:
    """The same exception, with the same traceback, is raised again."""

    def fail() -> Any:
        raise ValueError(f"{time.time()} {random.random()}")

    async def fail_async() -> Any:
        fail()

    if kind == "wsgi":
        app, recording = record_wsgi(recordings, fail)
    else:
        app, recording = record_asgi(recordings, fail_async if kind == "asgi" else fail)
    assert recording.failure is not None
    assert recording.failure.type == "builtins.ValueError"
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert result.failure is not None
    assert result.failure.message == recording.failure.message


def test_changed_code_diverges_in_words(recordings: Path) -> None:
    """A call that was not recorded is named, with the line that made it."""
    with origin() as (base, _):
        paths = ["json"]

        def view() -> str:
            return requests.get(f"{base}/{paths[0]}", timeout=5).text

        app, recording = record_wsgi(recordings, view)
    paths[0] = "other"
    result = replay(recording, app)
    assert not result.identical
    assert result.exit_status == 1
    assert result.divergence is not None
    assert "/other" in result.summary()
    assert "test_replay.py" in result.summary()


def test_the_live_world_is_refused(recordings: Path, tmp_path: Path) -> None:
    """A file written past all boundaries is refused during replay, and reported."""
    file = tmp_path / "written"

    def view() -> str:
        with io.FileIO(file, "w") as raw:
            raw.write(b"x")
        return "done"

    app, recording = record_wsgi(recordings, view)
    file.unlink()
    result = replay(recording, app)
    assert not result.identical
    assert "open for writing" in result.refused[0]
    assert not file.exists()


def test_temporary_folders_are_made_and_removed_again(recordings: Path) -> None:
    """A request may use temporary files: on replay they lie in a scratch folder."""

    def view() -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "file")
            with open(file, "w") as stream:
                stream.write(str(random.random()))
            with open(file) as stream:
                return stream.read()

    app, recording = record_wsgi(recordings, view)
    assert_identical(recording, app)


def test_a_start_up_that_fails_is_told_in_one_line(recordings: Path) -> None:
    """What failed and where, of the traceback that the framework hands on."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no broker")
        yield

    async def view() -> str:
        return "done"

    _, recording = record_asgi(recordings, view)
    with pytest.raises(AppNotLoadable) as told:
        replay(recording, FastAPI(lifespan=lifespan))
    said = str(told.value)
    assert "start-up failed: RuntimeError: no broker (File" in said
    assert "test_replay.py" in said
    assert "\n" not in said


def test_what_is_mixed_into_the_systems_entropy_harms_nobody(recordings: Path) -> None:
    """Frameworks write their process's id to it as they start (web2py)."""

    def view() -> str:
        with open("/dev/urandom", "wb") as device:
            device.write(b"mine")
        return "mixed"

    app, recording = record_wsgi(recordings, view)
    result = replay(recording, app)
    assert result.identical, result.summary()
    assert not result.refused


def test_a_refusal_to_an_earlier_request_is_its_own(recordings: Path, tmp_path: Path) -> None:
    """What one before it tried to write is no call of this one; it is said all the same."""
    changed: list[int] = []
    app = flask.Flask("shop")
    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]

    @app.get("/first")
    def first() -> str:
        if changed:
            with contextlib.suppress(LiveCallRefused):
                (tmp_path / "new.txt").write_text("a")
        return "first"

    @app.get("/second")
    def second() -> str:
        return "second"

    client = app.test_client()
    client.get("/first")
    client.get("/second")
    assert writer.flush(10)
    recorded = sorted(map(load, recordings.glob("*/*/*.bin")), key=lambda one: one.request.path)
    changed.append(1)
    result = replay(recorded[1], app, before=[recorded[0]])
    assert result.identical, result.summary()
    assert any("1 live calls of the 1 earlier requests" in note for note in result.notes)
    assert replay(recorded[0], app).refused
