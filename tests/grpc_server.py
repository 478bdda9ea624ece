"""A real gRPC server on loopback, with bytes for messages: no generated code is needed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator


def _drawn(data: bytes) -> bytes:
    return data + b" " + str(random.random()).encode()


def _one(request: bytes, context: Any) -> bytes:
    if request == b"refuse":
        context.set_trailing_metadata((("retry", "later"),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"too many {random.random()}")
    if request == b"headers":
        return repr(sorted(tuple(pair) for pair in context.invocation_metadata())).encode()
    if request == b"slow":
        context.add_callback(lambda: None)
        while context.is_active():
            context.time_remaining()
    context.send_initial_metadata((("served-by", str(random.random())),))
    return _drawn(request)


def _many(request: bytes, context: Any) -> Iterator[bytes]:
    for _ in range(3):
        yield _drawn(request)
    if request == b"refuse":
        context.abort(grpc.StatusCode.DATA_LOSS, "the rest is gone")


def _collect(requests: Iterator[bytes], _: Any) -> bytes:
    return _drawn(b"|".join(requests))


def _echo(requests: Iterator[bytes], _: Any) -> Iterator[bytes]:
    for request in requests:
        yield _drawn(request)


HANDLERS = {
    "One": grpc.unary_unary_rpc_method_handler(_one),
    "Many": grpc.unary_stream_rpc_method_handler(_many),
    "Collect": grpc.stream_unary_rpc_method_handler(_collect),
    "Echo": grpc.stream_stream_rpc_method_handler(_echo),
}


@contextmanager
def grpc_server() -> Iterator[str]:
    """Yield the address of a server of the service "shop"; it is stopped at the end."""
    with ThreadPoolExecutor(8) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop", HANDLERS),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(0).wait()
