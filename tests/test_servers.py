"""Real servers: what they serve at once is recorded apart, and replays with the world gone."""

from __future__ import annotations

import concurrent.futures
import re
import socket
from typing import TYPE_CHECKING

import pytest

from benchmarks.fidelity import SERVERS, measure
from retrace_core import load, replay
from tests import test_frameworks
from tests.replay_report import reported
from tests.server_process import free_port
from tests.serving import get, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("server", SERVERS)
def test_concurrent_requests_replay_identically(server: str) -> None:
    """Twenty at once, half of them recorded; database deleted and upstream stopped."""
    good, total, said = measure(server, requests=20, times=2)
    assert total > 2
    assert (good, said) == (total, [])


def under_server(name: str, port: int) -> list[str]:
    """Return the command that serves an application of `test_frameworks`."""
    made = f"tests.test_frameworks:{name}"
    if name.endswith("wsgi"):
        gunicorn = f"gunicorn -k gthread --threads 4 -w 2 -b 127.0.0.1:{port}"
        return [*gunicorn.split(), f"{made}()"]
    return [*f"uvicorn --host 127.0.0.1 --port {port} --factory".split(), made]


@pytest.mark.parametrize("make", test_frameworks.MAKERS, ids=lambda make: make.__name__)
def test_every_framework_under_its_server(tmp_path: Path, make: object) -> None:
    """gunicorn with two workers of four threads for WSGI, uvicorn for ASGI; here and afresh."""
    name: str = make.__name__  # type: ignore[attr-defined]
    port = free_port()
    with serving(under_server(name, port), port, tmp_path) as base:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = set(pool.map(get, [base] * 16))
    paths = sorted(tmp_path.glob("*/clock/trace.bin"))
    recordings = [load(path) for path in paths]
    bodies = [b"".join(recording.response.body).decode() for recording in recordings]
    assert answers <= set(bodies)
    app = make()  # type: ignore[operator]
    for recording in recordings[:5]:
        result = replay(recording, app)
        assert result.identical, result.summary()
    # The application is found by the recording, not by where we are.
    report = reported(paths[0], cwd=paths[0].parent)
    assert report["identical"], report
    assert report["recordings"][0]["app"] == f"tests.test_frameworks:{name}()"


HOSTILE = [
    b"../../etc/passwd",
    b"..%2f..%2fetc%2fpasswd",
    b"%2e%2e%5c%2e%2e%5cetc",
    b"..\\..\\etc\\passwd",
    b"/etc/passwd",
    b"~root/x",
    b".",
    b"..",
    b"...",
    b"",
    b"a" * 129,
    b"a" * 6000,
    b"a\0/../../etc",
    "..\u2215..\u2215etc".encode(),
    "\u202edwssap".encode(),
    b"caf\xe9",
    b"$(RETRACE_SERVICE)",
    b"a, ../../b",
    b"a\tb",
]
"""Values of X-Trace-ID that must not become part of a path."""


def ask(port: int, *values: bytes) -> bytes:
    """Send a request with these X-Trace-ID headers, as raw bytes; return the whole answer."""
    lines = [b"GET / HTTP/1.1", b"Host: localhost", b"Connection: close"]
    lines += [b"X-Trace-ID: " + value for value in values]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("server", ["waitress", "uvicorn"])
def test_hostile_trace_ids_never_touch_a_path(tmp_path: Path, server: str) -> None:
    """Each gets a fresh trace, or is refused by the server; nothing is written elsewhere."""
    port, recordings = free_port(), tmp_path / "deep" / "down" / "recordings"
    command = under_server("falcon_asgi", port)
    if server == "waitress":
        command = (
            f"waitress --listen 127.0.0.1:{port} --call tests.test_frameworks:falcon_wsgi".split()
        )
    with serving(command, port, recordings):
        answers = [ask(port, value) for value in HOSTILE]
        answers += [ask(port, b"fine", value) for value in HOSTILE]
        answers.append(ask(port, b"fine-alone"))
    assert {answer[9:12] for answer in answers} <= {b"200", b"400", b"431"}
    assert sum(answer[9:12] == b"200" for answer in answers) > len(HOSTILE)
    assert (recordings / "fine-alone" / "clock" / "trace.bin").exists()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    for file in files:
        trace, service, name = file.relative_to(recordings).parts
        assert re.fullmatch(r"[0-9a-f]{32}|fine|fine-alone", trace), trace
        assert (service, name[:5], name[-4:]) == ("clock", "trace", ".bin")
        assert load(file).header.folder == trace
    # Every request was recorded, apart: nothing was overwritten, nothing lost.
    assert len(files) >= sum(answer[9:12] == b"200" for answer in answers)
