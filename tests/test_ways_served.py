"""What the protocols allow, under real servers: works as without us, is recorded, and replays."""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from retrace_core import load, replay
from tests import ways
from tests.server_process import free_port
from tests.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording

GUNICORN = "gunicorn -k {kind} -w 1 -b 127.0.0.1:{port} tests.ways:{app}()"
UVICORN = "uvicorn --host 127.0.0.1 --port {port} --factory tests.ways:{app}"
HYPERCORN = "hypercorn --bind 127.0.0.1:{port} tests.ways:{app}()"
WAITRESS = "waitress --listen 127.0.0.1:{port} --call tests.ways:{app}"
WSGI = {
    "sync": GUNICORN.format(kind="sync", port="{port}", app="{app}"),
    "gthread": GUNICORN.format(kind="gthread --threads 2", port="{port}", app="{app}"),
    "waitress": WAITRESS,
}
ASGI = {"uvicorn": UVICORN, "h11": UVICORN + " --http h11", "hypercorn": HYPERCORN}


def recorded(folder: Path, trace: str) -> Recording:
    """Return the recording of that trace id, once it is written."""
    path, deadline = folder / trace / "clock" / "trace.bin", time.monotonic() + 20
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return load(path)


def ask(port: int, method: str, path: str, trace: str, body: bytes | list[bytes] = b"") -> bytes:
    """Send a request, its body chunked where it is a list; return the answer's body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(
        method,
        path,
        body=iter(body) if isinstance(body, list) else body,
        headers={"X-Trace-ID": trace},
        encode_chunked=isinstance(body, list),
    )
    answer = connection.getresponse().read()
    connection.close()
    return answer


def leave_early(port: int, path: str, trace: str) -> None:
    """Take the beginning of an endless answer, and go away."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Trace-ID: {trace}\r\n\r\n"
        connection.sendall(asked.encode())
        got = b""
        while len(got) < 200_000:
            more = connection.recv(65536)
            assert more, f"the server went away first: {got[:2000]!r}"
            got += more


def expect_continue(port: int, path: str, trace: str) -> tuple[bytes, bytes]:
    """Send the body only when the server asks for it; return what it said before and after."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        asked = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Trace-ID: {trace}\r\n"
            "Connection: close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        connection.sendall(asked.encode())
        before = connection.recv(65536)
        connection.sendall(b"hello")
        return before, b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("server", WSGI)
def test_wsgi_as_the_protocol_allows_it(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies that are read late, in part or never, chunked, after 100-continue; file wrappers;
    a client that goes away; `close()` is called once for each answer."""
    closes, recordings, port = tmp_path / "closes", tmp_path / "recordings", free_port()
    monkeypatch.setenv("CLOSES", str(closes))
    command = WSGI[server].format(port=port, app="wsgi")
    with serving(command.split(), port, recordings):
        file = ask(port, "GET", "/file", "file")
        late = ask(port, "POST", "/late", "late", b"hello")
        chunked = ask(port, "POST", "/all", "chunked", [b"one ", b"two"])
        assert ask(port, "POST", "/unread", "unread", b"y" * 200_000) == b"here"
        before, after = expect_continue(port, "/late", "continued")
        leave_early(port, "/endless", "endless")
        found = {
            name: recorded(recordings, name)
            for name in ("file", "late", "chunked", "unread", "continued", "endless")
        }
    assert before.startswith(b"HTTP/1.1 100")
    assert b"hello" in after
    assert late.startswith(b"before hello ")
    assert len(file) > 10_000
    assert closes.read_bytes() == b"ccc"
    for name, answer in (("file", file), ("late", late), ("chunked", chunked)):
        response = found[name].response
        assert response is not None
        assert b"".join(response.body) == answer
    assert found["unread"].request.body == []
    assert b"".join(found["continued"].request.body) == b"hello"
    endless = found["endless"].response
    assert endless is not None
    assert not endless.complete
    assert endless.chunks > 1
    for recording in found.values():
        result = replay(recording, ways.wsgi(), allow_write=[str(tmp_path)])
        assert result.identical, result.summary()


@pytest.mark.parametrize("server", ["gthread", "waitress"])
def test_a_flask_stream_with_its_context(tmp_path: Path, server: str) -> None:
    """The stream sees its request while the server takes it, and again on replay."""
    port = free_port()
    command = WSGI[server].format(port=port, app="streaming")
    with serving(command.split(), port, tmp_path):
        answer = ask(port, "POST", "/stream", "stream", b"one two three")
        recording = recorded(tmp_path, "stream")
    assert answer.count(b"/stream") == 3
    assert recording.response is not None
    assert b"".join(recording.response.body) == answer
    result = replay(recording, ways.streaming())
    assert result.identical, result.summary()


@pytest.mark.parametrize("server", ASGI)
def test_asgi_as_the_protocol_allows_it(tmp_path: Path, server: str) -> None:
    """Bodies that are read after the answer began, or never; 100-continue; a client that goes
    away while the answer is sent."""
    port = free_port()
    with serving(ASGI[server].format(port=port, app="asgi").split(), port, tmp_path):
        late = ask(port, "POST", "/late", "late", [b"one ", b"two"])
        ask(port, "POST", "/unread", "unread", b"y" * 200_000)
        before, after = expect_continue(port, "/late", "continued")
        leave_early(port, "/endless", "endless")
        found = {
            name: recorded(tmp_path, name) for name in ("late", "unread", "continued", "endless")
        }
    assert late.startswith(b"before one two")
    assert b"hello" in before + after
    assert found["unread"].request.body == []
    assert b"".join(found["continued"].request.body) == b"hello"
    endless = found["endless"].response
    assert endless is not None
    assert not endless.complete
    for recording in found.values():
        result = replay(recording, ways.asgi())
        assert result.identical, result.summary()


def test_hints_and_trailers_where_the_server_offers_them(tmp_path: Path) -> None:
    """hypercorn with HTTP/2: passed on as they are, recorded, and compared on replay."""
    port = free_port()
    with serving(HYPERCORN.format(port=port, app="asgi").split(), port, tmp_path) as base:
        with httpx.Client(http1=False, http2=True, timeout=30) as client:
            for name in ("hinted", "trailed"):
                headers = {"X-Trace-ID": name, "te": "trailers"}
                answer = client.get(f"{base}/{name}", headers=headers)
                assert float(answer.text) > 0
        found = {name: recorded(tmp_path, name) for name in ("hinted", "trailed")}
    for name, kind in (("hinted", "early_hint"), ("trailed", "trailers")):
        sent = [event for lane in found[name].lanes for event in lane.events]
        assert any(kind in str(getattr(event, "key", "")) for event in sent), name
        result = replay(found[name], ways.asgi())
        assert result.identical, result.summary()
