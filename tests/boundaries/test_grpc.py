"""grpcio's synchronous client: the four kinds of calls come back, and how they ended."""

from __future__ import annotations

import queue
import random
from typing import TYPE_CHECKING, Any

import grpc

from tests.grpc_server import grpc_server
from tests.recorded import assert_identical, identical_body, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_calls_of_each_kind_come_back(recordings: Path) -> None:
    """One answer, a stream of them, a stream of requests, and both; metadata too."""
    with grpc_server() as address, grpc.insecure_channel(address) as channel:
        one, many = channel.unary_unary("/shop/One"), channel.unary_stream("/shop/Many")
        collect, echo = channel.stream_unary("/shop/Collect"), channel.stream_stream("/shop/Echo")

        def requests() -> Iterator[bytes]:
            for _ in range(3):
                yield str(random.random()).encode()

        def view() -> dict[str, Any]:
            answer, call = one.with_call(b"a", timeout=5, metadata=(("user", "ann"),))
            later = one.future(b"b", timeout=5)
            stream = many(b"c", timeout=5)
            return {
                "one": answer.decode(),
                "served by": [pair.value for pair in call.initial_metadata()],
                "code": str(call.code()),
                "future": later.result().decode(),
                "many": [part.decode() for part in stream],
                "ended": [str(stream.code()), stream.details()],
                "collect": collect(requests(), timeout=5).decode(),
                "collected": collect.future(requests(), timeout=5).result().decode(),
                "echo": [part.decode() for part in echo(requests(), timeout=5)],
            }

        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_a_dialogue_comes_back(recordings: Path) -> None:
    """Each request of the stream depends on the answer before it."""
    with grpc_server() as address, grpc.insecure_channel(address) as channel:
        echo = channel.stream_stream("/shop/Echo")

        def view() -> list[str]:
            said: queue.Queue[bytes | None] = queue.Queue()
            said.put(b"begin")
            heard: list[str] = []
            for part in echo(iter(said.get, None), timeout=5):
                heard.append(part.decode())
                said.put(part[-4:] if len(heard) < 3 else None)
            return heard

        app, recording = record_wsgi(recordings, view)
    identical_body(recording, app)


def test_failures_are_raised_again(recordings: Path) -> None:
    """A refusal with metadata, a stream that breaks off, a deadline, no server, no such method."""
    with grpc_server() as address, grpc.insecure_channel(address) as channel:
        gone = grpc.insecure_channel("127.0.0.1:9")

        def view() -> list[Any]:
            found: list[Any] = []
            for call, request in (
                (channel.unary_unary("/shop/One"), b"refuse"),
                (channel.unary_unary("/shop/One"), b"slow"),
                (channel.unary_unary("/shop/None"), b"x"),
                (gone.unary_unary("/shop/One"), b"x"),
            ):
                try:
                    call(request, timeout=0.5 if request == b"slow" else 30)
                except grpc.RpcError as error:
                    assert isinstance(error, grpc.Call)
                    found.append([str(error), error.code().name, error.details()])
                    found.append([list(pair) for pair in error.trailing_metadata() or ()])
            got = []
            try:
                for part in channel.unary_stream("/shop/Many")(b"refuse", timeout=5):
                    got.append(part.decode())
            except grpc.RpcError as error:
                found.append([got, type(error).__name__, str(error.code())])
            return found

        app, recording = record_wsgi(recordings, view)
        gone.close()
    assert recording.response is not None and recording.response.status == 200
    body = b"".join(recording.response.body)
    for code in (b"RESOURCE_EXHAUSTED", b"DEADLINE_EXCEEDED", b"UNIMPLEMENTED", b"DATA_LOSS"):
        assert code in body
    assert_identical(recording, app)


def test_interceptors_run_again_and_the_trace_is_sent_along(recordings: Path) -> None:
    """Interceptors are the application's; metadata carries the trace below them."""
    seen: list[str] = []

    class Seeing(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]
        def intercept_unary_unary(self, go_on: Any, details: Any, request: Any) -> Any:
            seen.append(details.method)
            return go_on(details, request)

    with grpc_server() as address, grpc.insecure_channel(address) as channel:
        one = grpc.intercept_channel(channel, Seeing()).unary_unary("/shop/One")

        def view() -> bytes:
            answer: bytes = one(b"headers", timeout=5)
            return answer

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    sent = b"".join(recording.response.body).decode()
    assert f"('x-trace-id', '{recording.header.trace_id}')" in sent
    assert "'traceparent'" in sent
    assert_identical(recording, app)
    assert len(seen) == 4
