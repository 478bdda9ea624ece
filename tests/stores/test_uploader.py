"""The thread that ships: at once, at the exit, after a fork, and with the store down."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retrace_core import spooling, uploader, writer
from retrace_core.settings import resolve
from retrace_core.stats import counter
from retrace_core.store import DirectoryStore, open_store
from retrace_core.store.shipper import Shipper
from retrace_core.store.spool import Spool
from tests.stores.contract import SPAN, fresh
from tests.stores.gate import Gate

if TYPE_CHECKING:
    from retrace_core.store import Store
    from tests.stores.emulators import Emulator

ROOT = Path(__file__).resolve().parents[2]
APP = """
import os, sys, threading, time
from wsgiref.util import setup_testing_defaults
import retrace_mw
from retrace_core.stats import stats

def app(environ, start_response):
    start_response(environ["PATH_INFO"][1:] or "200 OK", [])
    return [b"hello"]

wrapped = retrace_mw.RetraceMiddleware(app)

def ask(status="200 OK"):
    environ = {"PATH_INFO": "/" + status}
    setup_testing_defaults(environ)
    b"".join(wrapped(environ, lambda *a, **k: None))

def until(done, seconds=20):
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.01)
    assert done(), stats()
"""


def run(code: str, url: str, spool: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program that records everything into a store."""
    environment = {
        **os.environ,
        "RETRACE": "1",
        "RETRACE_SAMPLE_RATE": "1",
        "RETRACE_LIMITS_SHARE": "0",
        "RETRACE_RECORDING_PATH": url,
        "RETRACE_SPOOL": str(spool),
        **more,
    }
    return subprocess.run(
        [sys.executable, "-c", APP + textwrap.dedent(code)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def waiting(spool: Path) -> int:
    """Return how many files a spool has."""
    found = Spool(str(spool))
    return len(found.list()) + len(found.list("claimed"))


@pytest.fixture
def url(s3: Emulator) -> str:
    """Return a prefix of its own."""
    return f"s3://recordings/{fresh()}"


@pytest.fixture
def store(url: str) -> Store:
    """Return what is below it."""
    return open_store(url)


def test_a_recording_is_shipped_while_the_process_runs(
    url: str, store: Store, tmp_path: Path
) -> None:
    """And packed when there are many at once."""
    done = run(
        """
        ask()
        until(lambda: stats().get("shipped") == 1)
        for _ in range(30):
            ask()
        until(lambda: stats().get("shipped") == 31)
        """,
        url,
        tmp_path / "spool",
    )
    assert done.returncode == 0, done.stderr
    assert len(list(store.list())) == 31
    assert len(list(store.blobs.list(".packs"))) >= 1
    assert waiting(tmp_path / "spool") == 0


def test_the_end_of_a_process_ships_the_rest(url: str, store: Store, tmp_path: Path) -> None:
    """Within its time."""
    done = run("for _ in range(5): ask()", url, tmp_path / "spool")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(store.list())) == 5


def test_sigterm_ships_the_rest(url: str, store: Store, tmp_path: Path) -> None:
    """Where it would kill the process at once."""
    done = run(
        """
        import signal
        for _ in range(5): ask()
        os.kill(os.getpid(), signal.SIGTERM)
        """,
        url,
        tmp_path / "spool",
    )
    assert done.returncode == -15, done.stderr
    assert len(list(store.list())) == 5


def test_what_a_process_left_is_shipped_by_the_next(
    s3: Emulator, url: str, store: Store, tmp_path: Path
) -> None:
    """The store was down when it ended, and it ended in time."""
    gate = Gate(s3.port)
    gate.shut()
    begun = time.monotonic()
    done = run(
        "for _ in range(3): ask()",
        url,
        tmp_path / "spool",
        AWS_ENDPOINT_URL=gate.endpoint,
        RETRACE_SHIP_EXIT_S="1",
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 15
    assert "shipping failed, recordings wait in" in done.stderr
    assert waiting(tmp_path / "spool") == 3
    gate.close()
    run("ask()", url, tmp_path / "spool")
    assert len(list(store.list())) == 4
    assert waiting(tmp_path / "spool") == 0


def test_a_store_that_never_answers_does_not_hold_the_end(url: str, tmp_path: Path) -> None:
    """What is under way is called off."""
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        done = run(
            "for _ in range(3): ask()",
            url,
            tmp_path / "spool",
            AWS_ENDPOINT_URL=address,
            RETRACE_SHIP_EXIT_S="0.5",
        )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 15
    assert waiting(tmp_path / "spool") == 3


def test_forked_children_ship_what_they_recorded(url: str, store: Store, tmp_path: Path) -> None:
    """Each by a thread of its own, where the parent has not reached the store."""
    done = run(
        """
        children = []
        for _ in range(3):
            if (child := os.fork()) == 0:
                ask()
                sys.exit(0)
            children.append(child)
        for child in children:
            assert os.waitpid(child, 0)[1] == 0
        """,
        url,
        tmp_path / "spool",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(store.list())) == 3


def test_the_parent_ships_for_children_that_can_not(url: str, store: Store, tmp_path: Path) -> None:
    """A cloud's client does not survive a fork: who has used it before goes on for them."""
    done = run(
        """
        ask()
        until(lambda: stats().get("shipped") == 1)
        if (child := os.fork()) == 0:
            ask()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        until(lambda: stats().get("shipped") == 2)
        """,
        url,
        tmp_path / "spool",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list(store.list())) == 2


def test_without_a_thread_a_sidecar_ships(url: str, store: Store, tmp_path: Path) -> None:
    """The process only fills the spool; `retrace ship --once` empties it."""
    spool = tmp_path / "spool"
    assert run("for _ in range(20): ask()", url, spool, RETRACE_SHIP="0").returncode == 0
    assert waiting(spool) > 0
    command = [sys.executable, "-m", "retrace_core.cli", "ship", "--once"]
    done = subprocess.run(
        [*command, "--spool", str(spool), "--to", url], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("shipped 20 recordings")
    assert len(list(store.list())) == 20


def test_a_slow_folder_may_have_a_spool(tmp_path: Path) -> None:
    """Recordings get there as files of their own."""
    done = run("for _ in range(20): ask()", str(tmp_path / "nfs"), tmp_path / "spool")
    assert done.returncode == 0, done.stderr
    assert len(list(DirectoryStore(tmp_path / "nfs").list())) == 20


def test_failures_are_told_from_successes(url: str, tmp_path: Path) -> None:
    """By the status of the response."""
    code = 'ask("500 Internal Server Error"); ask()'
    assert run(code, url, tmp_path / "spool", RETRACE_SHIP="0").returncode == 0
    assert sorted(one.rank for one in Spool(str(tmp_path / "spool")).list()) == [0, 1]


def test_a_cloud_has_a_spool_by_default() -> None:
    """Of this user and this store, where a reboot leaves it."""
    settings = resolve({"recording_path": "s3://bucket/x"})
    folder = spooling.spool_folder(settings)
    assert folder.startswith(f"/var/tmp/retrace-spool-{os.geteuid()}-")
    assert folder != spooling.spool_folder(resolve({"recording_path": "s3://bucket/y"}))
    assert spooling.spool_folder(resolve({"recording_path": "recordings"})) == ""


def test_another_users_spool_is_refused(tmp_path: Path) -> None:
    """Whoever made the folder before us could read all that is in it."""
    from retrace_core.errors import StoreError

    if os.geteuid() != 0:
        pytest.skip("only root can make another user's folder")
    spool = tmp_path / "spool"
    spool.mkdir()
    os.chown(spool, 12345, 12345)
    settings = resolve({"recording_path": "s3://bucket/x", "spool": str(spool)})
    with pytest.raises(StoreError, match="another user's"):
        spooling.store_for(settings)


def test_the_uploader_never_asks_a_store_that_is_down_too_often(tmp_path: Path) -> None:
    """However often it is woken: the next try waits."""
    from retrace_core.errors import StoreUnavailable

    class Down(DirectoryStore):
        asked = 0

        def put_all(self, recordings):  # type: ignore[no-untyped-def]
            Down.asked += 1
            return [StoreUnavailable("down") for _ in recordings]

    spool = Spool(str(tmp_path / "spool"))
    shipping = uploader.Uploader(Shipper(spool, Down(tmp_path / "store")), 0.2)
    spool.put_all([(0, 1, fresh(), "shop", SPAN, b"x")])
    before = counter("ship_failures")
    end = time.monotonic() + 0.4
    while time.monotonic() < end:
        shipping.wake()
    shipping.finish()
    assert 1 <= Down.asked <= 3
    assert counter("ship_failures") > before
    assert writer.waiting() == (0, 0)
