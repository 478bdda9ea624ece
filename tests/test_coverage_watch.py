"""Coverage watch: what passes all boundaries is listed, with its line; what doesn't is not."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import inspect
import logging
import logging.handlers
import os
import socket
import socketserver
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
import trustme

from retrace_core import boundary, load, trace_file
from retrace_core.coverage import coverage_watch
from retrace_core.coverage.coverage_watch import MOST_HOLES
from retrace_core.recording import Frame, Hole
from tests.recorded import record_asgi, record_wsgi
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from retrace_core import Recording


class Echo(socketserver.StreamRequestHandler):
    """Answers each line with itself."""

    def handle(self) -> None:
        """Answer one connection."""
        for line in self.rfile:
            self.wfile.write(line)


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """Return the address of a server of a protocol that no boundary knows."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield ("127.0.0.1", server.server_address[1])
        server.shutdown()
        thread.join()


def seen(recording: Recording) -> list[tuple[str, str, str]]:
    """Return operation, target, and the source of the line."""
    assert recording.header.holes == len(recording.holes)
    return [
        (one.operation, one.target, one.where.source if one.where else "")
        for one in recording.holes
    ]


class Tunnel(socket.socket):
    """A class of sockets of a library's own: what goes over a plain one would be recorded."""


def ask(address: tuple[str, int]) -> str:
    """Ask without a client."""
    with Tunnel() as connection:
        connection.connect(address)
        connection.sendall(b"hello\n")
        return connection.makefile().readline()


def test_a_raw_socket(recordings: Path, echo: tuple[str, int]) -> None:
    """Host, port and line; the look-up of the name is part of it."""
    _, recording = record_wsgi(recordings, lambda: ask(echo))
    (hole,) = recording.holes
    assert (hole.operation, hole.target) == ("socket.connect", f"127.0.0.1:{echo[1]}")
    assert hole.where is not None
    assert hole.where.file == __file__
    assert hole.where.function == "ask"
    assert hole.where.source == "connection.connect(address)"
    assert hole.library == ""
    assert recording.header.holes == 1


def test_a_driver_of_an_unknown_library(
    recordings: Path, echo: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, with the line of the application that called it."""
    packages = tmp_path / "lib" / "site-packages" / "unheard"
    packages.mkdir(parents=True)
    (packages / "__init__.py").write_text("from unheard.pool import ask\n")
    (packages / "pool.py").write_text(
        "import socket\n"
        "def ask(address):\n"
        "    with type('Tunnel', (socket.socket,), {})() as made:\n"
        "        made.connect(address)\n"
        "        made.sendall(b'hello\\n')\n"
        "        return made.recv(100).decode()\n"
    )
    monkeypatch.syspath_prepend(str(packages.parent))
    import unheard  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    _, recording = record_wsgi(recordings, lambda: unheard.ask(echo))
    connect = recording.holes[0]
    assert connect.operation == "socket.connect"
    assert connect.library == "unheard"
    assert connect.where is not None
    assert connect.where.source.endswith("lambda: unheard.ask(echo))")


def test_a_program(recordings: Path) -> None:
    """Only its name: what comes after it may be secret. What `subprocess` starts is covered."""

    def view() -> str:
        started = os.posix_spawnp("true", ["true", "--password=secret"], os.environ)
        os.waitpid(started, 0)
        with subprocess.Popen(["true"]) as process:
            process.wait()
        return str(subprocess.run(["true"], check=True).returncode)

    _, recording = record_wsgi(recordings, view)
    line = 'started = os.posix_spawnp("true", ["true", "--password=secret"], os.environ)'
    assert seen(recording) == [("os.posix_spawn", "true", line)]


def test_a_c_library(recordings: Path, tmp_path: Path) -> None:
    """A database that is opened through C: the library and its function are seen."""
    name = ctypes.util.find_library("sqlite3") or "libsqlite3.so.0"
    file = str(tmp_path / "c.db").encode()

    def view() -> str:
        library = ctypes.CDLL(name)
        handle = ctypes.c_void_p()
        library.sqlite3_open(file, ctypes.byref(handle))
        library.sqlite3_close(handle)
        return "ok"

    _, recording = record_wsgi(recordings, view)
    assert seen(recording) == [
        ("ctypes.dlopen", name, "library = ctypes.CDLL(name)"),
        (
            "ctypes.dlsym",
            f"{name}: sqlite3_open",
            "library.sqlite3_open(file, ctypes.byref(handle))",
        ),
        ("ctypes.dlsym", f"{name}: sqlite3_close", "library.sqlite3_close(handle)"),
    ]


def test_a_file_written_past_open(recordings: Path, tmp_path: Path) -> None:
    """By a file object that is made directly; what `open` writes is covered."""
    import io

    def view() -> str:
        with io.FileIO(str(tmp_path / "raw"), "w") as file:
            file.write(b"x")
        (tmp_path / "covered").write_text("x")
        return "ok"

    _, recording = record_wsgi(recordings, view)
    assert seen(recording) == [
        ("open", str(tmp_path / "raw"), 'with io.FileIO(str(tmp_path / "raw"), "w") as file:')
    ]


def test_a_datagram_and_a_local_socket(recordings: Path, tmp_path: Path) -> None:
    """Each is one."""
    path = str(tmp_path / "s")

    def view() -> str:
        with Tunnel(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.sendto(b"hits:1|c", ("127.0.0.1", 9))
        with Tunnel(socket.AF_UNIX) as made:
            made.connect(path)
            return "ok"

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        _, recording = record_wsgi(recordings, view)
    assert [one[:2] for one in seen(recording)] == [
        ("socket.sendto", "127.0.0.1:9"),
        ("socket.connect", path),
    ]


def test_tls_of_a_protocol_of_its_own(recordings: Path) -> None:
    """What goes out over asyncio's TLS past all boundaries: the host is named."""
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.configure_trust(trusting)

    class Asking(asyncio.Protocol):
        def __init__(self) -> None:
            self.answer = asyncio.get_running_loop().create_future()
            self.ended = asyncio.Event()

        def connection_lost(self, exc: Exception | None) -> None:
            self.ended.set()

        def data_received(self, data: bytes) -> None:
            self.answer.set_result(data.decode())

    async def handler() -> str:
        past_all_hooks: Any = inspect.unwrap(asyncio.BaseEventLoop.create_connection)
        loop = asyncio.get_running_loop()
        transport, asking = await past_all_hooks(
            loop, Asking, "127.0.0.1", port, ssl=trusting, server_hostname="localhost"
        )
        transport.write(b"hello\n")
        answer: str = await asking.answer
        transport.close()
        await asking.ended.wait()
        return answer

    @asynccontextmanager
    async def echoing() -> AsyncIterator[int]:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            await reader.read()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=serving)
        async with server:
            yield server.sockets[0].getsockname()[1]

    with served(echoing()) as port:
        _, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    assert [one for one in seen(recording) if one[1] == "localhost"]


def test_the_same_line_is_one_and_the_list_is_bounded(recordings: Path, tmp_path: Path) -> None:
    """How often is counted, beyond the bound too."""
    import io

    def write(name: str) -> None:
        io.FileIO(str(tmp_path / name), "w").close()

    # Each on a line of its own.
    direct = compile(
        "\n".join(
            f"io.FileIO(str(folder / '{number}'), 'w').close()" for number in range(MOST_HOLES + 7)
        ),
        "many.py",
        "exec",
    )

    def view() -> str:
        for number in range(3):
            write(str(number))
        exec(direct, {"io": io, "folder": tmp_path})
        return "ok"

    _, recording = record_wsgi(recordings, view)
    assert recording.holes[0].times == 3
    assert len(recording.holes) == MOST_HOLES
    assert recording.header.holes == MOST_HOLES + 8


def test_what_a_declared_boundary_does_is_covered(recordings: Path, echo: tuple[str, int]) -> None:
    """The advice that the list gives works."""
    covered = boundary(kind="echo")(ask)
    _, recording = record_wsgi(recordings, lambda: covered(echo))
    assert recording.holes == []


def test_switched_off(
    recordings: Path, echo: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is listed."""
    monkeypatch.setenv("RETRACE_COVERAGE_WATCH", "0")
    _, recording = record_wsgi(recordings, lambda: ask(echo))
    assert recording.holes == []
    assert recording.header.holes == 0


# -- none in a usual application


def usual(folder: Path, url: str, handler: logging.Handler) -> Callable[[], str]:
    """Return a view that does what views do."""
    database = str(folder / "shop.db")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT)")
    connection.close()
    logger = logging.getLogger("usual")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def view() -> str:
        with sqlite3.connect(database) as made:
            made.execute("INSERT INTO orders (name) VALUES (?)", ("x",))
            found = made.execute("SELECT count(*) FROM orders").fetchall()
        made.close()
        logger.info("found %s", found)
        logger.info("x" * 200)  # the file rolls over
        answer = requests.get(url, timeout=5).text + httpx.get(url).text
        with tempfile.TemporaryDirectory() as scratch:
            os.mkdir(os.path.join(scratch, "a"))
            with open(os.path.join(scratch, "a", "b"), "w") as file:
                file.write(answer)
            with (
                tempfile.NamedTemporaryFile() as named,
                tempfile.SpooledTemporaryFile(1) as spooled,
            ):
                named.write(b"x")
                spooled.write(b"xx")
        report = folder / "report.txt"
        report.write_text(answer)
        report.rename(folder / "report.old")
        (folder / "report.old").unlink()
        import wave  # not imported before  # noqa: F401

        return answer

    return view


class Page(socketserver.StreamRequestHandler):
    """Answers one HTTP request."""

    def handle(self) -> None:
        """Answer, and close."""
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage")


@pytest.fixture
def page() -> Iterator[str]:
    """Return the address of a page."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


@pytest.fixture
def rolling(tmp_path: Path) -> Iterator[logging.Handler]:
    """Return a log file that rolls over all the time."""
    handler = logging.handlers.RotatingFileHandler(
        tmp_path / "app.log", maxBytes=100, backupCount=2, delay=True
    )
    yield handler
    logging.getLogger("usual").removeHandler(handler)
    handler.close()


def test_none_in_a_usual_flask_application(
    recordings: Path, tmp_path: Path, page: str, rolling: logging.Handler
) -> None:
    """SQL, HTTP by name, files, temporary files, a rolling log, an import."""
    sys.modules.pop("wave", None)
    _, recording = record_wsgi(recordings, usual(tmp_path, page, rolling))
    assert recording.response is not None
    assert recording.response.status == 200
    assert recording.holes == []


def test_none_in_a_usual_fastapi_application(
    recordings: Path, tmp_path: Path, page: str, rolling: logging.Handler
) -> None:
    """The same on a thread of the pool, and an asynchronous client."""
    work = usual(tmp_path, page, rolling)

    async def handler() -> str:
        import asyncio

        async with httpx.AsyncClient() as client:
            first = (await client.get(page)).text
        return first + await asyncio.to_thread(work)

    _, recording = record_asgi(recordings, handler, tasks=2)
    assert recording.response is not None
    assert recording.response.status == 200
    assert recording.holes == []


# -- the list in a file


def test_holes_survive_the_file(recordings: Path, echo: tuple[str, int]) -> None:
    """And the memory of the flight recorder."""
    hole = Hole("open", "/x", Frame("a.py", 1, "f", "f()"), "lib", 3)
    _, recording = record_wsgi(recordings, lambda: ask(echo))
    assert recording.holes[0] == load(next(recordings.glob("*/*/*.bin"))).holes[0]
    draft = trace_file.Draft(
        header=recording.header,
        request=recording.request,
        response=None,
        failure=None,
        lanes=[],
        sites={},
        holes=[hole],
    )
    assert load(trace_file.dump(draft)).holes == [hole]
    unpacked = trace_file.unpack(trace_file.pack(draft), recording.header.environment)
    assert unpacked.holes == [hole]


@pytest.mark.faults_expected
def test_a_fault_in_the_watch_harms_nobody(
    recordings: Path, echo: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request goes on, and is recorded."""

    def fault(*_: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(coverage_watch, "_note", fault)
    _, recording = record_wsgi(recordings, lambda: ask(echo))
    assert recording.response is not None
    assert recording.response.body == [b"hello\n"]


def test_outside_of_a_recording_nothing_is_noted(
    recordings: Path, echo: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is the callback called at all."""
    called: list[Any] = []
    record_wsgi(recordings, lambda: "ok")
    monkeypatch.setattr(coverage_watch, "_note", lambda *given: called.append(given))
    ask(echo)
    assert called == []


def test_a_connection_that_was_open_before(recordings: Path, echo: tuple[str, int]) -> None:
    """A driver's pool connects once for the process: its traffic is seen all the same."""
    connection = Tunnel()
    connection.connect(echo)

    def view() -> str:
        connection.sendall(b"hello\n")
        return connection.recv(100).decode()

    with connection:
        _, recording = record_wsgi(recordings, view)
    assert seen(recording) == [
        ("socket.traffic", f"127.0.0.1:{echo[1]}", 'connection.sendall(b"hello\\n")')
    ]
    assert recording.holes[0].times == 2
