"""Web sockets: the whole conversation is one recording, and replays with nobody there."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import httpx
import litestar
import pytest
import quart
from fastapi import FastAPI, WebSocketException
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from retrace_core import Recording, load, replay, writer
from retrace_core.cli import run
from retrace_core.conversation import messages
from retrace_mw import Decision, RequestView, RetraceMiddleware
from retrace_mw import asgi as asgi_middleware
from tests.http_origin import origin
from tests.peer import Peer
from tests.recorded import assert_identical, only_recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def said(recording: Recording) -> list[tuple[str, object]]:
    """Return who said what, in order, without the handshake and the end."""
    return [
        (one.by, one.message.get("text") or one.message.get("bytes"))
        for one in messages(recording)
        if one.message.get("text") or one.message.get("bytes")
    ]


def serving(handler: Callable[[WebSocket], Any], **options: Any) -> Any:
    """Return a Starlette application with one web socket."""
    app = Starlette(routes=[WebSocketRoute("/ws", handler)])
    app.add_middleware(RetraceMiddleware, service="chat", **options)
    return app


def starlette_app() -> Any:
    """Starlette."""

    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(f"{text} {random.random()}")

    return serving(echo)


def fastapi_app() -> Any:
    """FastAPI."""
    app = FastAPI(title="chat")

    @app.websocket("/ws")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.send_json({"heard": await socket.receive_text(), "at": time.time()})

    app.add_middleware(RetraceMiddleware)
    return app


def quart_app() -> Any:
    """Quart."""
    app = quart.Quart("chat")

    @app.websocket("/ws")
    async def echo() -> None:
        while True:
            await quart.websocket.send(f"{await quart.websocket.receive()} {random.random()}")

    app.asgi_app = RetraceMiddleware(app.asgi_app)  # type: ignore[method-assign]
    return app


def litestar_app() -> Any:
    """Litestar."""

    @litestar.websocket("/ws")
    async def echo(socket: litestar.WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        with contextlib.suppress(litestar.exceptions.WebSocketDisconnect):
            while True:
                await socket.send_text(f"{await socket.receive_text()} {random.random()}")

    return RetraceMiddleware(litestar.Litestar([echo]))


@pytest.mark.parametrize("make", [starlette_app, fastapi_app, quart_app, litestar_app])
def test_a_conversation_is_one_recording(recordings: Path, make: Callable[[], Any]) -> None:
    """What both sides said is there, in order; replay gives the peer's words, and compares."""
    app = make()

    async def main() -> list[str]:
        async with Peer(app) as peer:
            assert peer.answer["type"] == "websocket.accept"
            return [await peer.ask(text) for text in ("one", "two", "three")]

    heard = asyncio.run(main())
    assert len(set(heard)) == 3
    recording = only_recording(recordings)
    assert recording.request.path == "/ws"
    assert recording.header.status == 101
    assert [text for by, text in said(recording) if by == "app"] == heard
    assert [text for by, text in said(recording) if by == "client"] == ["one", "two", "three"]
    assert recording.response is not None
    assert recording.response.complete
    assert_identical(recording, app)


def test_what_is_asked_in_between_comes_back(recordings: Path, tmp_path: Path) -> None:
    """A database and a server, asked between the messages, are gone at the replay."""
    file = tmp_path / "chat.db"
    setup = sqlite3.connect(file)
    setup.execute("CREATE TABLE said (text TEXT, at REAL)")
    setup.close()
    with origin() as (base, _):

        async def handler(socket: WebSocket) -> None:
            await socket.accept(subprotocol=socket.scope["subprotocols"][1])
            async with httpx.AsyncClient() as client:
                async for data in socket.iter_bytes():
                    with sqlite3.connect(file) as connection:
                        connection.execute("INSERT INTO said VALUES (?, ?)", (data, time.time()))
                        rows = connection.execute("SELECT count(*), max(at) FROM said").fetchall()
                    answer = await client.get(f"{base}/json")
                    await socket.send_json([rows, answer.status_code])

        app = serving(handler)

        async def main() -> None:
            async with Peer(app, subprotocols=["a", "b"]) as peer:
                assert peer.answer["subprotocol"] == "b"
                for number in range(3):
                    await peer.ask(bytes([number]))

        asyncio.run(main())
    file.unlink()
    recording = only_recording(recordings)
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    assert kinds.count("httpx.request") == 3
    assert_identical(recording, app)
    assert not file.exists()


def test_timers_and_the_peer_interleave_as_before(recordings: Path) -> None:
    """One task listens, others send when their time has come: one recording, one order."""

    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        seen: list[str] = []

        async def tick(name: str) -> None:
            while True:
                await asyncio.sleep(random.random() / 200)
                seen.append(name)
                await socket.send_text("".join(seen[-5:]))

        tasks = [asyncio.create_task(tick(name)) for name in "ab"]
        async for text in socket.iter_text():
            seen.append(text)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = serving(handler)

    async def main() -> None:
        async with Peer(app) as peer:
            for text in "XYZ":
                peer.say(text)
                for _ in range(4):
                    await peer.hear()

    asyncio.run(main())
    recording = only_recording(recordings)
    assert {one.lane for one in messages(recording)} == {"0", "0.0", "0.1"}
    assert_identical(recording, app, times=10)


def test_a_broadcast_is_in_each_recording_and_replays_alone(recordings: Path) -> None:
    """What one peer's message makes the application send to another is listed with that one."""
    sockets: set[WebSocket] = set()

    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        try:
            async for text in socket.iter_text():
                for one in list(sockets):
                    await one.send_text(f"{text}!")
        finally:
            sockets.discard(socket)

    app = serving(handler)

    async def main() -> None:
        async with (
            Peer(app, headers=[(b"x-trace-id", b"first")]) as first,
            Peer(app, headers=[(b"x-trace-id", b"second")]) as second,
        ):
            assert await first.ask("hello") == "hello!"
            assert (await second.hear())["text"] == "hello!"
            assert await second.ask("hi") == "hi!"
            assert (await first.hear())["text"] == "hi!"

    asyncio.run(main())
    assert writer.flush()
    one = load(recordings / "first" / "chat" / "trace.bin")
    other = load(recordings / "second" / "chat" / "trace.bin")
    assert said(one) == [("client", "hello"), ("app", "hello!"), ("elsewhere", "hi!")]
    assert said(other) == [("elsewhere", "hello!"), ("client", "hi"), ("app", "hi!")]
    for recording in (one, other):
        assert_identical(recording, app)


def test_a_changed_answer_is_a_difference(recordings: Path) -> None:
    """The message that is sent otherwise is named, with both of its contents."""
    endings = ["!"]

    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text + endings[0])

    app = serving(handler)

    async def main() -> None:
        async with Peer(app) as peer:
            await peer.ask("a")
            await peer.ask("b")

    asyncio.run(main())
    endings[0] = "?"
    result = replay(only_recording(recordings), app)
    assert not result.identical
    assert [one.what for one in result.differences] == ["message 2", "message 3"]
    assert result.differences[0].recorded["text"] == "a!"
    assert result.differences[0].replayed["text"] == "a?"


async def denied_by_close(socket: WebSocket) -> None:
    """Refuse the handshake."""
    await socket.close(4003)


async def denied_by_response(socket: WebSocket) -> None:
    """Refuse the handshake, with a page."""
    await socket.send_denial_response(PlainTextResponse(f"no, {time.time()}", 402))


@pytest.mark.parametrize(("handler", "status"), [(denied_by_close, 403), (denied_by_response, 402)])
def test_a_refused_handshake_is_refused_again(
    recordings: Path, handler: Callable[..., Any], status: int
) -> None:
    """Its status, and the body where the server takes one, are the response."""
    app = serving(handler)

    async def main() -> None:
        async with Peer(app):
            pass

    asyncio.run(main())
    recording = only_recording(recordings)
    assert recording.header.status == status
    assert recording.response is not None
    assert bool(recording.response.body) == (status == 402)
    assert_identical(recording, app)


async def closes(socket: WebSocket) -> None:
    """Say good-bye."""
    await socket.accept()
    await socket.receive_text()
    await socket.close(4000, f"enough at {time.time()}")


async def raises(socket: WebSocket) -> None:
    """Crash in the midst of it."""
    await socket.accept()
    await socket.receive_text()
    raise ValueError(f"broken at {time.time()}")


async def gives_a_reason(socket: WebSocket) -> None:
    """Say what was wrong, in FastAPI's way."""
    await socket.accept()
    raise WebSocketException(1008, f"not so, {await socket.receive_text()}")


async def loses_the_peer(socket: WebSocket) -> None:
    """Tell in the code how it ended."""
    await socket.accept()
    await socket.receive_text()
    try:
        await socket.receive_text()
    except WebSocketDisconnect as error:
        with sqlite3.connect(":memory:") as connection:
            connection.execute("SELECT ?", (error.code,))


@pytest.mark.parametrize("handler", [closes, raises, gives_a_reason, loses_the_peer])
def test_an_end_comes_again(recordings: Path, handler: Callable[..., Any]) -> None:
    """Close codes and reasons, crashes, and a peer that was lost, end the replay as well."""
    app = FastAPI(title="chat")
    app.websocket("/ws")(handler)
    app.add_middleware(RetraceMiddleware)

    async def main() -> None:
        async with Peer(app) as peer:
            peer.say("x")
            if handler is loses_the_peer:
                peer.leave(1006)

    asyncio.run(main())
    recording = only_recording(recordings)
    assert (recording.failure is not None) == (handler is raises)
    assert recording.response is not None
    assert recording.response.complete == (handler not in (raises, loses_the_peer))
    assert_identical(recording, app)


def test_a_peer_that_leaves_while_tasks_send(recordings: Path) -> None:
    """A task group ends what still runs: cancelled at the same place."""

    async def handler(socket: WebSocket) -> None:
        await socket.accept()

        async def listen() -> None:
            async for text in socket.iter_text():
                await socket.send_text(text)
            raise WebSocketDisconnect

        async def speak() -> None:
            while True:
                await asyncio.sleep(0.001)
                await socket.send_text(str(random.random()))

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(listen())
                group.create_task(speak())
        except* WebSocketDisconnect:
            pass

    app = serving(handler)

    async def main() -> None:
        async with Peer(app) as peer:
            for text in "abc":
                await peer.ask(text)

    asyncio.run(main())
    assert_identical(only_recording(recordings), app, times=5)


def test_it_is_decided_once_at_the_handshake(recordings: Path) -> None:
    """The decider sees a GET of the path, its headers and its route; mounted ones are silent."""
    seen: list[tuple[str, str, str, str]] = []

    def decide(request: RequestView) -> Decision:
        seen.append((request.method, request.path, request.route, request.header("host")))
        return Decision("no", "not now", "test")

    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)

    inner = asgi_middleware.RetraceMiddleware(
        Starlette(routes=[WebSocketRoute("/{room}", echo)]), decide=decide
    )
    app = RetraceMiddleware(Starlette(routes=[Mount("/chat", app=inner)]), decide=decide)

    async def main() -> None:
        async with Peer(app, "/chat/blue") as peer:
            assert await peer.ask("a") == "a"
            assert await peer.ask("b") == "b"

    asyncio.run(main())
    assert [(one[0], one[1], one[3]) for one in seen] == [("GET", "/chat/blue", "localhost")]
    assert not recordings.exists()


@pytest.mark.parametrize("make", [starlette_app, fastapi_app, litestar_app, quart_app])
def test_the_route_of_a_web_socket_is_known(
    recordings: Path, make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules by route count for web sockets, too."""
    monkeypatch.setenv("RETRACE_SAMPLE_RATE", "0")
    app, routes = make(), list[str]()

    def decide(request: RequestView) -> Decision:
        routes.append(request.route)
        return Decision("no", "", "test")

    async def main() -> None:
        async with Peer(RetraceMiddleware(app, decide=decide)) as peer:
            await peer.ask("a")

    asyncio.run(main())
    assert routes == ["/ws"]


def test_a_long_conversation_is_cut_and_says_so(recordings: Path) -> None:
    """The conversation goes on; what was kept replays, and the end of it is told."""
    app = serving(
        lambda socket: _echo_all(socket),
        recording_limit_bytes=4096,
    )

    async def main() -> None:
        async with Peer(app) as peer:
            for _ in range(40):
                assert await peer.ask("x" * 100) == "x" * 100

    asyncio.run(main())
    recording = only_recording(recordings)
    assert recording.header.cut
    assert 10 < len(messages(recording)) < 80
    result = replay(recording, app)
    assert any("RETRACE_RECORDING_LIMIT_BYTES" in note for note in result.notes)


async def _echo_all(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


class Mailbox:
    """One message that another socket leaves, handed over by a future, which is in no recording."""

    def __init__(self) -> None:
        self.letter: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def get(self) -> str:
        """Wait for it."""
        return await self.letter

    async def put(self, text: str) -> None:
        """Leave it."""
        self.letter.set_result(text)


@pytest.mark.parametrize("make", [asyncio.Queue, Mailbox])
def test_what_another_request_gives(recordings: Path, make: Callable[[], Any]) -> None:
    """By a queue, it is in the recording; else the replay ends in words, and hangs nowhere."""
    kept: list[Any] = []

    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        if not kept:
            kept.append(make())
            await socket.send_text(await kept[0].get())
        else:
            await kept[0].put(await socket.receive_text())
            await socket.send_text("done")

    app = serving(handler)

    async def main() -> None:
        async with Peer(app, headers=[(b"x-trace-id", b"first")]) as first:
            async with Peer(app, headers=[(b"x-trace-id", b"second")]) as second:
                assert await second.ask("hello") == "done"
            assert (await first.hear())["text"] == "hello"

    asyncio.run(main())
    assert writer.flush()
    kept.clear()
    result = replay(recordings / "first" / "chat" / "trace.bin", app, patience_s=0.3)
    if make is Mailbox:
        assert result.divergence is not None
        assert "another request" in result.summary()
    else:
        assert result.identical, result.summary()


def test_show_lists_the_conversation(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`retrace show` has who said what and when."""
    app = starlette_app()

    async def main() -> None:
        async with Peer(app) as peer:
            await peer.ask("how are you")
            peer.leave(4999)

    asyncio.run(main())
    assert writer.flush()
    (file,) = recordings.glob("*/*/*.bin")
    assert run(["show", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Conversation (5 messages)" in out
    assert "how are you" in out
    assert "4999" in out
