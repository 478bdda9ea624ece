"""Web sockets under real servers, with real clients: each is recorded apart, and replays."""

from __future__ import annotations

import concurrent.futures
import sqlite3
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from retrace_core import load, replay
from retrace_core.conversation import messages
from tests.chat import chat
from tests.replay_report import replayed
from tests.server_process import free_port
from tests.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

    from retrace_core import Recording

SERVERS = {
    "uvicorn": "uvicorn --host 127.0.0.1 --port {port} --factory tests.chat:chat",
    "wsproto": "uvicorn --ws wsproto --loop asyncio --host 127.0.0.1 --port {port}"
    " --factory tests.chat:chat",
    "hypercorn": "hypercorn --bind 127.0.0.1:{port} tests.chat:chat()",
}
CLIENTS = 8


def talk(base: str, number: int) -> str:
    """Hold a conversation; return how it ended."""
    address = base.replace("http://", "ws://")
    with connect(f"{address}/room", additional_headers={"X-Trace-ID": f"c{number}"}) as socket:
        for word in ("hello", f"word{number}"):
            socket.send(word)
            while not socket.recv(timeout=20).startswith(f"{word} "):
                pass
        if number % 4 == 0:
            return "left"
        if number % 4 == 1:
            socket.socket.close()  # without a word
            return "lost"
        socket.send("crash" if number % 4 == 2 else "close")
        try:
            while True:
                socket.recv(timeout=20)
        except ConnectionClosed as error:
            return str(error.rcvd.code if error.rcvd else "lost")


def refused(base: str) -> int:
    """Ask to be let in; return the status of the answer."""
    try:
        address = base.replace("http://", "ws://")
        with connect(f"{address}/closed", additional_headers={"X-Trace-ID": "refused"}):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def words(recording: Recording, by: str) -> list[str]:
    """Return what one side has said."""
    return [
        one.message["text"]
        for one in messages(recording)
        if by == one.by and one.message.get("text")
    ]


@pytest.mark.parametrize("server", SERVERS)
def test_conversations_under_a_server(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight at once who hear one another: echo, broadcast, timers, threads, a database; all end
    in another way. Each is one recording, and replays alone, with the database gone."""
    database = tmp_path / "chat.db"
    setup = sqlite3.connect(database)
    setup.execute("CREATE TABLE said (text TEXT, at REAL)")
    setup.close()
    monkeypatch.setenv("CHAT_DB", str(database))
    port, recordings = free_port(), tmp_path / "recordings"
    with serving(SERVERS[server].format(port=port).split(), port, recordings) as base:
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            ends = list(pool.map(talk, [base] * CLIENTS, range(CLIENTS)))
        assert refused(base) == 403
    database.unlink()
    assert ends[3] == ends[7] == "4001"
    app = chat()
    paths = [recordings / f"c{number}" / "clock" / "trace.bin" for number in range(CLIENTS)]
    for number, path in enumerate(paths):
        recording = load(path)
        assert words(recording, "client")[:2] == ["hello", f"word{number}"]
        assert any(word.startswith("hello ") for word in words(recording, "app"))
        assert (recording.failure is not None) == (number % 4 == 2)
        for _ in range(3):
            result = replay(recording, app)
            assert result.identical, result.summary()
    assert any(words(load(path), "elsewhere") for path in paths)
    closed = load(recordings / "refused" / "clock" / "trace.bin")
    assert closed.header.status == 403
    assert replay(closed, app).identical
    report = replayed(paths[0], cwd=paths[0].parent)
    assert report["identical"], report
