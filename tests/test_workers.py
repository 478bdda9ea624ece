"""Workers of Celery and RQ: each task is a recording of its own, in the trace of its sender."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis as library

from retrace_core import Recording, load
from retrace_core.codec import decode
from tests.redis_server import RedisServer, redis_server
from tests.replay_report import reported

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
RUN = [sys.executable, "-m", "retrace_core.cli", "run", "--"]
CELERY = [sys.executable, "-m", "celery", "-A", "tests.worked:queue_app", "worker", "-c", "1"]
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
RQ = [sys.executable, "-m", "rq.cli", "worker"]
PATIENCE_S = 60.0


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Return a broker that the test stops before it replays."""
    with redis_server() as made:
        yield made


def variables(folder: Path, server: RedisServer, **more: str) -> dict[str, str]:
    """Return the environment of a process of the shop."""
    return {
        **os.environ,
        "BROKER": server.url(),
        "RQ_REDIS_URL": server.url(),
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "0",
        "RETRACE_BOOT_TAPE": "1",
        "RETRACE_RECORDING_PATH": str(folder),
        "PYTHONPATH": str(ROOT),
        **more,
    }


@contextmanager
def worker(command: list[str], folder: Path, server: RedisServer, **more: str) -> Iterator[None]:
    """Run a worker; it is asked to end, and has ended, when the block is left."""
    log = folder.parent / "worker.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            env=variables(folder, server, **more),
            cwd=ROOT,
            stdout=said,
            stderr=said,
        )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
    except AssertionError as error:
        error.add_note(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE_S)


SEND = """
import os, sys
from retrace_core import writer
from retrace_mw import RetraceMiddleware
from tests.worked import web
web.wsgi_app = RetraceMiddleware(web.wsgi_app, service="shop")
headers = {"X-Trace-ID": "one"} if os.environ.get("TRACED", "1") == "1" else {}
print(web.test_client().post(sys.argv[1], headers=headers).text)
writer.flush(10)
"""


def send(path: str, folder: Path, server: RedisServer, **more: str) -> str:
    """Send one request to the web application, recorded in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SEND, path],
        env=variables(folder, server, **more),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def recordings_of(folder: Path, service: str) -> list[Path]:
    """Return the recordings of a service, without the boot tapes."""
    found = folder.glob(f"*/{service}/trace*.bin")
    return [path for path in found if not path.parent.parent.name.startswith("boot-")]


def appear(folder: Path, service: str, number: int) -> list[Path]:
    """Wait for so many recordings of a service, and return them in order of their start."""
    deadline = time.monotonic() + PATIENCE_S
    while len(found := recordings_of(folder, service)) < number:
        assert time.monotonic() < deadline, list(folder.rglob("*"))
        time.sleep(0.05)
    assert len(found) == number, found
    return sorted(found, key=lambda path: load(path).header.started_ns)


def value_of(recording: Recording) -> Any:
    """Return what a task returned."""
    assert recording.response is not None
    return decode(b"".join(recording.response.body))


POOLS = {"prefork": [], "threads": ["-P", "threads"], "solo": ["-P", "solo"]}


@pytest.mark.parametrize("pool", POOLS)
def test_a_task_is_recorded_in_its_senders_trace(
    pool: str, tmp_path: Path, server: RedisServer
) -> None:
    """Request and task lie in one folder; both replay alike with the broker gone."""
    folder = tmp_path / "recordings"
    task_id = send("/celery/charge", folder, server)
    with worker([*CELERY, *QUIET, *POOLS[pool]], folder, server, RECORDED="1"):
        (path,) = appear(folder, "billing", 1)
    assert path.parent.parent == folder / "one"
    web = load(folder / "one" / "shop" / "trace.bin")
    recording = load(path)
    assert recording.header.trace_id == web.header.trace_id
    assert recording.request.protocol == "task"
    assert (recording.header.method, recording.header.path) == ("TASK", "charge")
    answer = value_of(recording)
    assert (answer["order"], answer["total"], answer["task"]) == (7, 1, task_id)
    server.stop()
    assert reported(path, cwd=ROOT)["identical"]
    sender = folder / "one" / "shop" / "trace.bin"
    assert reported(sender, "--app", "tests.worked:web", cwd=ROOT)["identical"]
    both = reported(folder / "one", "--app", "tests.worked:web", cwd=ROOT)  # the task has its own
    assert both["identical"]
    assert len(both["recordings"]) == 2


def test_an_unchanged_worker_is_recorded(tmp_path: Path, server: RedisServer) -> None:
    """`retrace run -- celery worker`: the service has the application's name, the boot is kept."""
    folder = tmp_path / "recordings"
    send("/celery/charge", folder, server)
    with worker([*RUN, *CELERY, *QUIET], folder, server):
        (path,) = appear(folder, "shop-worker", 1)
    recording = load(path)
    assert recording.header.environment.app == "tests.worked:queue_app"
    assert recording.header.boot
    server.stop()
    assert reported(path, cwd=ROOT)["identical"]


def test_a_task_of_an_unrecorded_request_is_not_recorded(
    tmp_path: Path, server: RedisServer
) -> None:
    """The sender's decision holds; a task with a trace that asks for it shows that it works."""
    folder = tmp_path / "recordings"
    send("/celery/charge", folder, server, TRACED="0")
    send("/celery/double", folder, server)
    with worker([*CELERY, *QUIET, "-P", "solo"], folder, server, RECORDED="1"):
        (path,) = appear(folder, "billing", 1)
    assert load(path).header.path == "double"
    assert recordings_of(folder, "billing") == [path]


def test_a_retry_is_a_recording_and_so_is_what_it_leads_to(
    tmp_path: Path, server: RedisServer
) -> None:
    """The first run says when it wants to run again; the second one returns."""
    folder = tmp_path / "recordings"
    send("/celery/refund", folder, server)
    with worker([*CELERY, *QUIET], folder, server, RECORDED="1"):
        paths = appear(folder, "billing", 2)
    first, second = map(load, paths)
    assert [one.header.status for one in (first, second)] == [202, 200]
    assert value_of(first)["when"] == 0
    assert value_of(second) == "refunded after 1"
    assert "celery.send_task" in [event.kind for event in first.lanes[0].events]
    server.stop()
    assert all(reported(path, cwd=ROOT)["identical"] for path in paths)


def test_a_failure_is_raised_again(tmp_path: Path, server: RedisServer) -> None:
    """The same exception with the same traceback comes out."""
    folder = tmp_path / "recordings"
    send("/celery/fail", folder, server)
    with worker([*CELERY, *QUIET], folder, server, RECORDED="1"):
        (path,) = appear(folder, "billing", 1)
    failure = load(path).failure
    assert failure is not None
    assert (failure.type, failure.message) == ("builtins.ValueError", "order 7 is None")
    server.stop()
    assert reported(path, cwd=ROOT)["identical"]


def test_tasks_sent_by_a_task_are_of_the_same_trace(tmp_path: Path, server: RedisServer) -> None:
    """A task of a class with its own `__call__` sends two; all three replay."""
    folder = tmp_path / "recordings"
    send("/celery/lead", folder, server)
    with worker([*CELERY, *QUIET], folder, server, RECORDED="1"):
        paths = appear(folder, "billing", 3)
    recordings = [load(path) for path in paths]
    assert {one.header.folder for one in recordings} == {"one"}
    assert value_of(recordings[0]).startswith("shop ")
    parents = {one.header.parent_span_id for one in recordings[1:]}
    assert len(parents) == 2
    assert "" not in parents
    server.stop()
    assert all(reported(path, cwd=ROOT)["identical"] for path in paths)


def test_the_steps_of_a_chain_are_of_one_trace(tmp_path: Path, server: RedisServer) -> None:
    """The worker itself sends the second step, after the first one; its child ends with each."""
    folder = tmp_path / "recordings"
    send("/chain/double", folder, server)
    with worker([*CELERY, *QUIET, "--max-tasks-per-child", "1"], folder, server, RECORDED="1"):
        paths = appear(folder, "billing", 2)
    recordings = [load(path) for path in paths]
    assert [value_of(one) for one in recordings] == [6, 12]
    assert {one.header.folder for one in recordings} == {"one"}
    server.stop()
    verified = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", "verify", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "3" in verified.stdout  # the request's too


def test_an_eager_task_is_of_its_requests_recording(tmp_path: Path, server: RedisServer) -> None:
    """It is recorded once, and replays with the request."""
    folder = tmp_path / "recordings"
    send("/celery/charge", folder, server, EAGER="1", RECORDED="1")
    assert recordings_of(folder, "billing") == []
    (path,) = recordings_of(folder, "shop")
    kinds = [event.kind for event in load(path).lanes[0].events]
    assert any(kind.startswith("redis") for kind in kinds)
    server.stop()
    eager = os.environ | {"EAGER": "1", "PYTHONPATH": str(ROOT)}
    command = ["replay", str(path), "--app", "tests.worked:web"]
    done = subprocess.run(
        [sys.executable, "-m", "retrace_core.cli", *command],
        cwd=ROOT,
        env=eager,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout


JOBS = {
    "class": ("mail", [*RQ, "--worker-class", "retrace_mw.rq.Worker"]),
    "coroutine": ("mail_later", [*RQ, "--worker-class", "retrace_mw.rq.Worker"]),
    "failure": ("bounce", [*RUN, *RQ]),
    "run": ("mail", [*RUN, *RQ]),
    "simple": ("mail", [*RUN, *RQ, "--worker-class", "rq.worker.SimpleWorker"]),
}


@pytest.mark.parametrize(("name", "command"), JOBS.values(), ids=JOBS)
def test_a_job_is_recorded_in_its_senders_trace(
    name: str, command: list[str], tmp_path: Path, server: RedisServer
) -> None:
    """The work horse leaves by `os._exit`, and has written its recording; both replay."""
    folder = tmp_path / "recordings"
    job_id = send(f"/rq/{name}", folder, server)
    with worker(command, folder, server):
        (path,) = appear(folder, "rq-worker", 1)
    assert path.parent.parent == folder / "one"
    recording = load(path)
    assert recording.header.environment.app == f"tests.worked:{name}"
    if name == "mail":
        answer = value_of(recording)
        assert (answer[:3], answer[4:6]) == (["ann", 1, 1], [job_id, "x"])
    elif name == "bounce":
        assert recording.failure is not None
        assert recording.failure.message == "ann: None"
    else:
        assert value_of(recording) == "ann 1"
    server.stop()
    assert reported(path, cwd=ROOT)["identical"]
    sender = folder / "one" / "shop" / "trace.bin"
    assert reported(sender, "--app", "tests.worked:web", cwd=ROOT)["identical"]


def test_the_job_itself_is_not_harmed(tmp_path: Path, server: RedisServer) -> None:
    """Its result is stored as without us, also where nothing can be written."""
    folder = tmp_path / "recordings"
    folder.write_text("no folder")
    with library.Redis.from_url(server.url()) as client:
        import rq

        queue = rq.Queue(connection=client)
        job = queue.enqueue("tests.worked.mail", "ann", meta={"X-Trace-ID": "one"})
        with worker([*RUN, *RQ, "--burst"], folder, server):
            deadline = time.monotonic() + PATIENCE_S
            while not job.is_finished:
                assert time.monotonic() < deadline, job.get_status()
                time.sleep(0.05)
        assert job.return_value()[:3] == ["ann", 1, 1]
