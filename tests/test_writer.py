"""The writer and its store: nothing lost silently, nothing overwritten, no fault let through."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from retrace_core import StoreError, load, stats
from retrace_core.store import DirectoryStore
from retrace_core.writer import Writer
from tests.trace_file.test_trace_file import draft

APP = """
import os, sys, signal
os.environ.update(RETRACE="1", RETRACE_SAMPLE_RATE="1", RETRACE_RECORDING_PATH=sys.argv[1])
from retrace_mw import RetraceMiddleware
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"x"]
wrapped = RetraceMiddleware(app, service="shop")
def request():
    chunks = wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
    list(chunks); chunks.close()
"""


def run(tmp_path: Path, code: str, begun: str = APP) -> tuple[int, int]:
    """Run a small program; return its exit status and how many recordings it left."""
    done = subprocess.run(
        [sys.executable, "-c", begun + code, str(tmp_path)], timeout=30, capture_output=True
    )
    paths = list(tmp_path.glob("*/shop/trace.bin"))
    assert all(load(path) for path in paths)
    return done.returncode, len(paths)


def test_what_waits_is_written_at_exit(tmp_path: Path) -> None:
    """A process that ends has written everything."""
    assert run(tmp_path, "for _ in range(50): request()") == (0, 50)


def test_what_waits_is_written_on_an_exception(tmp_path: Path) -> None:
    """Also when the program fails."""
    assert run(tmp_path, "request()\nraise SystemExit(3)") == (3, 1)


def test_what_waits_is_written_where_a_call_before_it_fails(tmp_path: Path) -> None:
    """What others submit at the exit comes first; a fault of theirs is said, and no more."""
    code = "from retrace_core import writer\nwriter.at_exit(lambda: 1 / 0)\nrequest()"
    assert run(tmp_path, code) == (0, 1)


def test_what_waits_is_written_on_sigterm(tmp_path: Path) -> None:
    """SIGTERM ends the process as before, after the queue is written."""
    code = "for _ in range(20): request()\nos.kill(os.getpid(), signal.SIGTERM)"
    assert run(tmp_path, code) == (-signal.SIGTERM, 20)


def test_what_a_thread_records_first_is_written_on_sigterm(tmp_path: Path) -> None:
    """A server of threads, found by its start: the main thread never sees the middleware."""
    code = (
        "import threading\n"
        "def serve():\n"
        "    global wrapped\n"
        "    wrapped = RetraceMiddleware(app, service='shop')\n"
        "    for _ in range(20): request()\n"
        "thread = threading.Thread(target=serve)\nthread.start()\nthread.join()\n"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    begun = APP.replace('wrapped = RetraceMiddleware(app, service="shop")\n', "")
    assert run(tmp_path, code, begun) == (-signal.SIGTERM, 20)


def test_sigterm_may_come_at_any_moment(tmp_path: Path) -> None:
    """Also while the main thread is just handing a recording over, and has the queue's lock."""
    code = (
        "from retrace_core import writer\nrequest()\n"
        "with writer._writer._lock:\n    os.kill(os.getpid(), signal.SIGTERM)\n    request()"
    )
    assert run(tmp_path, code) == (-signal.SIGTERM, 1)


def test_sigterm_waits_for_a_request_whose_answer_has_gone_out(tmp_path: Path) -> None:
    """The client has its answer before the server closes it: the recording is kept all the same."""
    code = (
        "import threading\nout, go = threading.Event(), threading.Event()\n"
        "def serve():\n"
        "    chunks = wrapped({'REQUEST_METHOD': 'GET', 'PATH_INFO': '/'}, lambda *_: None)\n"
        "    list(chunks); out.set(); go.wait(); chunks.close()\n"
        "threading.Thread(target=serve, daemon=True).start()\n"
        "out.wait()\n"
        "from retrace_core import sigterm\nasked = sigterm._await_open_scopes\n"
        "def asks():\n    go.set()\n    asked()\n"
        "sigterm._await_open_scopes = asks\n"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    assert run(tmp_path, code) == (-signal.SIGTERM, 1)


def test_what_waits_is_written_when_the_program_leaves_at_once(tmp_path: Path) -> None:
    """`os._exit` ends the process as before, after the queue is written."""
    assert run(tmp_path, "for _ in range(20): request()\nos._exit(7)") == (7, 20)


def test_a_request_whose_work_goes_on_is_written_when_the_program_leaves_at_once(
    tmp_path: Path,
) -> None:
    """Its thread has not ended, and never will."""
    code = (
        "import threading\ninner = app\n"
        "def app(environ, start_response):\n"
        "    threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "    return inner(environ, start_response)\n"
        "wrapped = RetraceMiddleware(app, service='shop')\nrequest()\nos._exit(0)"
    )
    assert run(tmp_path, code) == (0, 1)


def test_a_child_that_leaves_at_once_writes_nothing_of_its_parents(tmp_path: Path) -> None:
    """As one of multiprocessing does; its parent's recording is written once."""
    code = "request()\nif os.fork() == 0: os._exit(0)\nos.wait()"
    assert run(tmp_path, code) == (0, 1)


def test_a_forked_worker_has_a_writer_of_its_own(tmp_path: Path) -> None:
    """Prefork servers: the parent's recordings and the child's are all written, once."""
    code = (
        "request()\nfrom retrace_core import writer\nif os.fork() == 0:\n    request()\n"
        "    sys.exit(0)\nos.wait()\nrequest()"
    )
    assert run(tmp_path, code) == (0, 3)


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    """A recording beyond the bound is dropped at once."""
    before = stats().get("dropped.queue_full", 0)
    Writer(DirectoryStore(tmp_path), 1000).submit(draft, 1001)
    assert stats()["dropped.queue_full"] == before + 1


def failing_encode(_: Any) -> bytes:
    """Fail as an encoder might."""
    raise ValueError("no")


@pytest.mark.faults_expected
def test_an_encoding_fault_is_counted(tmp_path: Path) -> None:
    """The recording is dropped, the thread goes on."""
    writer = Writer(DirectoryStore(tmp_path), 1 << 20, failing_encode)
    before = stats().get("dropped.encode_error", 0)
    writer.submit(draft, 10)
    assert writer.flush(5)
    assert stats()["dropped.encode_error"] == before + 1


@pytest.mark.faults_expected
def test_a_store_that_fails_is_counted(tmp_path: Path) -> None:
    """A file where the folder should be: dropped, counted, and the next one is tried."""
    root = tmp_path / "r"
    root.write_text("in the way")
    writer = Writer(DirectoryStore(root), 1 << 20)
    before = stats().get("dropped.store_error", 0)
    writer.submit(draft, 10)
    assert writer.flush(5)
    assert stats()["dropped.store_error"] == before + 1
    root.unlink()
    writer.submit(draft, 10)
    assert writer.flush(5)
    assert len(list(root.glob("*/*/trace.bin"))) == 1


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="needs to mount a tmpfs")
@pytest.mark.faults_expected
def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """What does not fit is dropped and counted; no file is torn."""
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        writer = Writer(
            DirectoryStore(tmp_path), 1 << 20, lambda drafts: [os.urandom(6000) for _ in drafts]
        )
        before = stats().get("dropped.store_error", 0)
        for _ in range(5):
            writer.submit(draft, 10)
        assert writer.flush(5)
        assert stats()["dropped.store_error"] > before
        assert {path.stat().st_size for path in tmp_path.glob("*/*/*")} <= {6000}
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_folder_that_may_not_be_written_costs_only_the_recording(tmp_path: Path) -> None:
    """Permission denied: the request is answered, the recording dropped and counted."""
    code = (
        "from retrace_core import stats, writer\nrequest()\nassert writer.flush()\n"
        "os.chmod(sys.argv[1], 0o500)\nos.setuid(65534)\nrequest()\nassert writer.flush()\n"
        "assert stats()['dropped.store_error'] == 1, stats()"
    )
    assert run(tmp_path, code) == (0, 1)


@pytest.mark.faults_expected
def test_a_folder_removed_while_running_is_made_again(tmp_path: Path) -> None:
    """The next recording makes its folders anew."""
    root = tmp_path / "r"
    store = DirectoryStore(root)
    store.put("a" * 32, "shop", "b" * 16, b"x")
    subprocess.run(["rm", "-r", str(root)], check=True)
    store.put("a" * 32, "shop", "b" * 16, b"x")
    assert len(list(root.glob("*/*/trace.bin"))) == 1


@pytest.mark.faults_expected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_replaced(tmp_path: Path) -> None:
    """A writer thread that died is noticed with the next recording."""

    class Killer(DirectoryStore):
        def put_all(self, recordings: Any) -> Any:
            if threading.current_thread().name == "retrace-writer" and not self.__dict__.get("hit"):
                self.__dict__["hit"] = True
                raise SystemExit
            return super().put_all(recordings)

    writer = Writer(Killer(tmp_path), 1 << 20)
    writer.submit(draft, 10)
    thread = writer._thread
    assert thread is not None
    thread.join(5)
    writer.submit(draft, 10)
    assert writer.flush(5)
    assert len(list(tmp_path.glob("*/*/trace.bin"))) == 1


LEFT_OPEN = """
import atexit, builtins, sys
from retrace_mw import RetraceMiddleware

def app(environ, start_response):
    start_response("200 OK", [])
    return iter([b"x", b"y"])

def ask():
    chunks = RetraceMiddleware(app, service="shop")(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None
    )
    next(chunks)
    return chunks

chunks = ask()
if sys.argv[1] == "until it is taken down":
    builtins.kept = chunks
elif sys.argv[1] == "until an exit call":
    atexit._clear()
    from retrace_core import writer
    late = [chunks]
    del chunks
    atexit.register(late.clear)
    atexit.register(writer._end)
print("done")
"""


@pytest.mark.parametrize("left", ["in a module", "until it is taken down", "until an exit call"])
def test_a_response_left_open_does_not_hang_the_exit(recordings: Path, left: str) -> None:
    """It ends only after the last flush: no thread is started any more, which would never run."""
    done = subprocess.run(
        [sys.executable, "-c", LEFT_OPEN, left],
        env={**os.environ, "RETRACE_BOOT_TAPE": "0"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    written = len(list(recordings.glob("*/*/trace.bin")))
    assert written == (1 if left == "until an exit call" else 0)


def test_files_are_private(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600."""
    store = DirectoryStore(tmp_path / "r")
    path = Path(store.root) / store.put("a" * 32, "shop", "b" * 16, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(parent.stat().st_mode) for parent in path.parents[:2]} == {0o700}


def put_many(root: str, number: int) -> None:
    """Claim one path many times over."""
    store = DirectoryStore(root)
    for count in range(25):
        store.put("a" * 32, "shop", f"{number * 100 + count:016x}", f"{number} {count}".encode())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Eight processes that claim the same path leave eight times their recordings."""
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=put_many, args=(str(tmp_path), n)) for n in range(8)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    found = list(DirectoryStore(tmp_path).list())
    assert len(found) == 200
    assert len({DirectoryStore(tmp_path).get(one.path) for one in found}) == 200


@pytest.mark.parametrize("path", ["../x/trace.bin", "a/b/c", "a/../trace.bin", "/etc/passwd", ""])
def test_a_path_out_of_the_store_is_refused(tmp_path: Path, path: str) -> None:
    """Reading and deleting stay inside."""
    store = DirectoryStore(tmp_path)
    with pytest.raises(StoreError):
        store.get(path)
    with pytest.raises(StoreError):
        store.delete(path)
    with pytest.raises(StoreError):
        store.put("..", "shop", "b" * 16, b"x")


FORKING = """
import os, signal, sys, threading, time

sys.argv = ["forking"]
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
import retrace_mw
from retrace_core import sigterm, writer

retrace_mw.RetraceMiddleware(lambda environ, start: [])
assert signal.getsignal(signal.SIGTERM) is sigterm._on_sigterm
held, done = threading.Event(), threading.Event()


def hold():
    with writer._writer._lock:
        held.set()
        done.wait()


threading.Thread(target=hold).start()
held.wait()
child = os.fork()
deadline = time.monotonic() + 20
ended, status = 0, 0
while not ended and time.monotonic() < deadline:
    ended, status = os.waitpid(child, os.WNOHANG)
    time.sleep(0.01)
if not ended:
    os.kill(child, signal.SIGKILL)
done.set()
print(ended == child, os.WTERMSIG(status) == signal.SIGTERM)
"""


def test_a_child_that_is_ended_while_it_begins_ends(recordings: Path) -> None:
    """A thread of its parent had the writer's lock when it was forked, and nobody gives it back."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "True True\n", done.stdout + done.stderr


ENDED_AT_ONCE = """
import os, signal, time

import retrace_mw

retrace_mw.RetraceMiddleware(lambda environ, start: [])
ended = 0
for _ in range(100):
    child = os.fork()
    if child == 0:
        time.sleep(1)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    ended += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
print(ended, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_a_child_that_is_ended_at_once_ends() -> None:
    """The signal comes while the child is not whole yet, or after that: it is never lost."""
    done = subprocess.run(
        [sys.executable, "-c", ENDED_AT_ONCE], capture_output=True, text=True, timeout=110
    )
    assert done.stdout == "100 set()\n", done.stdout + done.stderr
