"""A trace that one service keeps is kept by its neighbours, while they still hold it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from retrace_core import ConfigurationError, flight_recorder, keep_sharing, load, writer
from retrace_core.ids import safe_folder
from retrace_core.store import DirectoryStore
from retrace_core.store.keep_list import KeepList
from retrace_mw import RetraceMiddleware, on_keep
from retrace_mw.deciders import Always, KeepIfFailed

if TYPE_CHECKING:
    from pathlib import Path

# Pricing answers well, and so drops; it ends when its standard input does.
PRICING = """
import os, sys, threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import KeepIfFailed

class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"4990"]

wrapped = RetraceMiddleware(app, service="pricing", decide=KeepIfFailed(), share_keeps=True,
    flight_recorder_bytes=1 << 20)
server = make_server("127.0.0.1", 0, wrapped, handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
server.shutdown()
"""

# The storefront asks for a price, and fails when it is told to.
STOREFRONT = """
import sys, urllib.request
from retrace_mw import RetraceMiddleware
from retrace_mw.deciders import KeepIfFailed

def app(environ, start_response):
    with urllib.request.urlopen(sys.argv[1]) as answer:
        price = answer.read()
    status = "500 Oops" if environ["PATH_INFO"] == "/fail" else "200 OK"
    start_response(status, [("Content-Type", "text/plain")])
    return [price]

wrapped = RetraceMiddleware(app, service="storefront", decide=KeepIfFailed(), share_keeps=True)
for path in ("/well", "/fail", "/well"):
    chunks = wrapped({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)
    assert b"".join(chunks) == b"4990"
    chunks.close()
"""


def recordings_in(folder: Path) -> dict[str, list[Any]]:
    """Return service -> headers of its recordings."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*/*/*.bin")):
        found.setdefault(path.parts[-2], []).append(load(path).header)
    return found


def test_a_neighbour_saves_its_part_of_a_trace_that_is_kept(tmp_path: Path) -> None:
    """Two processes: the storefront fails and keeps; pricing had decided to drop."""
    environ = {**os.environ, "RETRACE": "1", "RETRACE_RECORDING_PATH": str(tmp_path)}
    pricing = subprocess.Popen(
        [sys.executable, "-c", PRICING],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with pricing:
        assert pricing.stdin is not None
        assert pricing.stdout is not None
        url = f"http://127.0.0.1:{pricing.stdout.readline().strip()}/"
        command = [sys.executable, "-c", STOREFRONT, url]
        subprocess.run(command, env=environ, timeout=60, check=True)
        deadline = time.monotonic() + 30
        while "pricing" not in recordings_in(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.05)
        pricing.stdin.close()
    found = recordings_in(tmp_path)
    (kept,) = found["storefront"]
    (saved,) = found["pricing"]
    assert (kept.path, saved.trace_id) == ("/fail", kept.trace_id)
    assert saved.decision.decider == "flight recorder"
    assert saved.decision.reason == "storefront keeps this trace"


def failing(environ: Any, start_response: Any) -> list[bytes]:
    """Fail at /fail, else not."""
    status = "500 Oops" if environ["PATH_INFO"] == "/fail" else "200 OK"
    start_response(status, [("Content-Type", "text/plain")])
    return [b"x"]


def test_a_callback_is_told_of_each_trace_that_is_kept(recordings: Path) -> None:
    """By a tail decision: what was decided at the start every service knows from the headers."""
    told: list[tuple[str, str]] = []

    def broken(trace_id: str, reason: str) -> None:
        told.append((trace_id, reason))

    remove = on_keep(broken)
    try:
        for decide in (KeepIfFailed(), Always()):
            client = Client(RetraceMiddleware(failing, service="shop", decide=decide))
            for path in ("/well", "/fail"):
                client.get(path, headers={"X-Trace-ID": f"t{path[1:]}"}, buffered=True)
        assert writer.flush()
        deadline = time.monotonic() + 20
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        remove()
    assert told == [("tfail", "status 500")]
    assert not (recordings / ".keep").exists()


@pytest.mark.faults_expected
def test_a_callback_that_fails_harms_nothing(recordings: Path) -> None:
    """The recording is written, the list is, and the next callback is called."""
    told: list[str] = []

    def broken(trace_id: str, reason: str) -> None:
        raise RuntimeError("broken callback")

    removers = [on_keep(broken), on_keep(lambda trace_id, reason: told.append(trace_id))]
    try:
        wrapped = RetraceMiddleware(
            failing, service="shop", decide=KeepIfFailed(), share_keeps=True
        )
        Client(wrapped).get("/fail", headers={"X-Trace-ID": "t"}, buffered=True)
        deadline = time.monotonic() + 20
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert writer.flush()
    finally:
        for remove in removers:
            remove()
    assert told == ["t"]
    assert os.listdir(recordings / ".keep") == ["t"]


# -- the list itself


def test_what_is_published_is_found(tmp_path: Path) -> None:
    """With the service; private, and no trace to any command."""
    mine, theirs = KeepList(str(tmp_path)), KeepList(str(tmp_path))
    assert theirs.look() == frozenset()
    mine.publish("order-1", "shop")
    mine.publish("order-1", "pricing")
    assert theirs.look() == {"order-1"}
    assert theirs.publisher("order-1") == "shop"
    assert stat.S_IMODE((tmp_path / ".keep" / "order-1").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".keep").stat().st_mode) == 0o700
    assert list(DirectoryStore(tmp_path).list()) == []


def test_a_folder_that_did_not_change_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking costs two calls then; a new name is seen all the same."""
    keep_list = KeepList(str(tmp_path))
    keep_list.publish("a", "shop")
    os.utime(keep_list.folder, (1, 1))
    scans: list[int] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (scans.append(1), scandir(path))[1])
    assert keep_list.look() == keep_list.look() == {"a"}
    assert len(scans) == 1
    KeepList(str(tmp_path)).publish("b", "shop")
    scans.clear()
    assert keep_list.look() == {"a", "b"}
    assert len(scans) == 1


def test_what_has_expired_is_removed(tmp_path: Path) -> None:
    """By whoever publishes next; what is none of ours stays."""
    keep_list = KeepList(str(tmp_path))
    keep_list.publish("old", "shop")
    (tmp_path / ".keep" / ".hidden").write_text("")
    for name in ("old", ".hidden"):
        os.utime(tmp_path / ".keep" / name, (1, 1))
    KeepList(str(tmp_path)).publish("new", "shop")
    assert sorted(os.listdir(keep_list.folder)) == [".hidden", "new"]


HOSTILE = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 255)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sets(HOSTILE, max_size=5))
def test_only_safe_names_are_believed(tmp_path: Path, names: set[str]) -> None:
    """Whatever else lies in the folder is passed over."""
    folder = tmp_path / ".keep"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("x")
    try:
        assert KeepList(str(tmp_path)).look() == set(filter(safe_folder, names))
    finally:
        for name in names:
            (folder / name).unlink()


@pytest.mark.parametrize("trace", ["../x", "a/b", "", ".", "..", "-x", "x" * 129, "a\n"])
def test_an_unsafe_id_is_not_published(tmp_path: Path, trace: str) -> None:
    """It leaves nothing."""
    KeepList(str(tmp_path)).publish(trace, "shop")
    assert not list(tmp_path.rglob("*"))


def test_folders_and_links_are_no_names(tmp_path: Path) -> None:
    """Neither is read, nor followed out of the store."""
    keep_list = KeepList(str(tmp_path))
    keep_list.publish("good", "shop")
    folder = tmp_path / ".keep"
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("/etc/hostname")
    assert keep_list.look() == {"good"}
    assert keep_list.publisher("link") == keep_list.publisher("folder") == ""


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Nothing is written where it leads."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".keep").symlink_to(elsewhere)
    keep_list = KeepList(str(tmp_path / "store"))
    with pytest.raises(OSError):
        keep_list.publish("a", "shop")
    with pytest.raises(OSError):
        keep_list.look()
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("content", ["", "../../etc", "x" * 100, "\ud7ff\n"])
def test_a_publisher_that_is_no_service_is_not_named(tmp_path: Path, content: str) -> None:
    """What a stranger wrote does not get into a recording."""
    keep_list = KeepList(str(tmp_path))
    keep_list.publish("a", "shop")
    (tmp_path / ".keep" / "a").write_text(content, encoding="utf-8")
    keep_sharing.share(DirectoryStore(tmp_path))
    assert list(keep_sharing.kept_elsewhere({"a", "b"})) == [("a", "a neighbour keeps this trace")]


def test_an_empty_ring_does_not_look(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing could be saved, nobody looks at the disk."""
    monkeypatch.setattr(KeepList, "look", lambda self: pytest.fail("it looked"))
    RetraceMiddleware(
        failing,
        service="shop",
        decide=KeepIfFailed(),
        share_keeps=True,
        flight_recorder_bytes=1 << 20,
    )
    recorder = flight_recorder.recorder()
    assert recorder is not None
    recorder._tick()
    assert not recorder._ticking


def test_a_store_that_can_not_hold_a_list_is_refused() -> None:
    """At start, with what to do instead."""
    store: Any = object()
    with pytest.raises(ConfigurationError, match="on_keep"):
        keep_sharing.share(store)


def test_the_list_of_recordings_passes_the_keep_list_over(recordings: Path) -> None:
    """`retrace ls` and `retrace show` see the trace, and no trace named .keep."""
    wrapped = RetraceMiddleware(failing, service="shop", decide=KeepIfFailed(), share_keeps=True)
    Client(wrapped).get("/fail", headers={"X-Trace-ID": "order-1"}, buffered=True)
    assert writer.flush()
    deadline = time.monotonic() + 20
    while not (recordings / ".keep" / "order-1").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    for arguments in (["ls"], ["show", "order-1"], ["ls", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "retrace_core.cli", *arguments, "--recordings", str(recordings)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert "order-1" in done.stdout
        assert ".keep" not in done.stdout + done.stderr
