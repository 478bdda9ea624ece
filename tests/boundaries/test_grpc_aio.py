"""grpc.aio: the four kinds of calls come back, and how they ended."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from tests.grpc_server import grpc_server
from tests.recorded import assert_identical, identical_body, record_asgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def requests() -> AsyncIterator[bytes]:
    """Yield three requests, as an application produces them."""
    for _ in range(3):
        await asyncio.sleep(0.001)
        yield str(random.random()).encode()


def test_calls_of_each_kind_come_back(recordings: Path) -> None:
    """One answer, a stream of them, a stream of requests, and both; written by hand too."""
    with grpc_server() as address:

        async def handler() -> dict[str, Any]:
            async with grpc.aio.insecure_channel(address) as channel:
                call = channel.unary_unary("/shop/One")(b"a", timeout=5)
                stream = channel.unary_stream("/shop/Many")(b"c", timeout=5)
                echo = channel.stream_stream("/shop/Echo")
                found: dict[str, Any] = {
                    "one": (await call).decode(),
                    "served by": [value for _, value in await call.initial_metadata()],
                    "code": str(await call.code()),
                    "many": [part.decode() async for part in stream],
                    "collect": (
                        await channel.stream_unary("/shop/Collect")(requests(), timeout=5)
                    ).decode(),
                    "echo": [part.decode() async for part in echo(requests(), timeout=5)],
                }
                dialogue, heard = echo(timeout=5), [b"begin"]
                for _ in range(3):
                    await dialogue.write(heard[-1][-4:])
                    heard.append(await dialogue.read())
                await dialogue.done_writing()
                found["last"] = await dialogue.read() is grpc.aio.EOF
                found["heard"] = [part.decode() for part in heard]
            return found

        app, recording = record_asgi(recordings, handler, tasks=4)
    identical_body(recording, app)


def test_failures_are_raised_again(recordings: Path) -> None:
    """A refusal with metadata, a stream that breaks off, a deadline, and no server."""
    with grpc_server() as address:

        async def handler() -> list[Any]:
            found: list[Any] = []
            async with (
                grpc.aio.insecure_channel(address) as channel,
                grpc.aio.insecure_channel("127.0.0.1:9") as gone,
            ):
                for call, request in (
                    (channel.unary_unary("/shop/One"), b"refuse"),
                    (channel.unary_unary("/shop/One"), b"slow"),
                    (gone.unary_unary("/shop/One"), b"x"),
                ):
                    try:
                        await call(request, timeout=0.5 if request == b"slow" else 30)
                    except grpc.aio.AioRpcError as error:
                        found.append([str(error), error.code().name, error.details()])
                        found.append([list(pair) for pair in error.trailing_metadata() or ()])
                got = []
                try:
                    async for part in channel.unary_stream("/shop/Many")(b"refuse", timeout=5):
                        got.append(part.decode())
                except grpc.aio.AioRpcError as error:
                    found.append([got, error.code().name])
            return found

        app, recording = record_asgi(recordings, handler, tasks=4)
    assert recording.response is not None and recording.response.status == 200
    body = b"".join(recording.response.body)
    for code in (b"RESOURCE_EXHAUSTED", b"DEADLINE_EXCEEDED", b"UNAVAILABLE", b"DATA_LOSS"):
        assert code in body
    assert_identical(recording, app)


def test_calls_side_by_side_come_back(recordings: Path) -> None:
    """Twenty at once, in the order in which they ended; the trace goes along."""
    with grpc_server() as address:

        async def handler() -> list[str]:
            found: list[str] = []
            async with grpc.aio.insecure_channel(address) as channel:
                one = channel.unary_unary("/shop/One")

                async def ask(number: int) -> None:
                    found.append((await one(f"{number}".encode(), timeout=5)).decode())

                await asyncio.gather(*(ask(number) for number in range(20)))
                found.append((await one(b"headers", timeout=5)).decode())
            return found

        app, recording = record_asgi(recordings, handler, tasks=20)
    assert recording.response is not None
    sent = b"".join(recording.response.body).decode()
    assert f"('x-trace-id', '{recording.header.trace_id}')" in sent
    assert_identical(recording, app)


def test_the_first_request_waits_as_it_did(recordings: Path) -> None:
    """For the call to have begun: before, while or after it does, as it was when recorded."""
    with grpc_server() as address:

        async def handler() -> list[str]:
            async with grpc.aio.insecure_channel(address) as channel:
                echo = channel.stream_stream("/shop/Echo")

                async def later(number: int) -> AsyncIterator[bytes]:
                    await asyncio.sleep(number / 4000)
                    yield str(number).encode()

                async def ask(number: int) -> str:
                    parts = [part.decode() async for part in echo(later(number), timeout=5)]
                    return "".join(parts)

                return [await ask(number) for number in range(16)]

        app, recording = record_asgi(recordings, handler, tasks=16)
    identical_body(recording, app)
