"""A plugin of pytest's: each test is the handler of a recorded request.

For the suites of client libraries, whose calls are recorded within a request only.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pytest
import wrapping

if TYPE_CHECKING:
    from collections.abc import Generator

_ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/test",
    "SERVER_NAME": "test",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http",
}
_SCOPE = {"type": "http", "method": "GET", "path": "/test", "headers": [], "query_string": b""}


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> Generator[None, Any, Any]:
    """Have the test function run inside of a request."""
    test = pyfuncitem.obj
    pyfuncitem.obj = _within_asgi(test) if inspect.iscoroutinefunction(test) else _within_wsgi(test)
    try:
        return (yield)
    finally:
        pyfuncitem.obj = test


def _within_wsgi(test: Any) -> Any:
    @functools.wraps(test)
    def within(**fixtures: Any) -> None:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            test(**fixtures)
            start_response("204 No Content", [])
            return []

        answer = wrapping.wsgi.RetraceMiddleware(app, service="tests")(
            dict(_ENVIRON), lambda *_: None
        )
        list(answer)
        getattr(answer, "close", int)()

    return within


def _within_asgi(test: Any) -> Any:
    @functools.wraps(test)
    async def within(**fixtures: Any) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await test(**fixtures)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            return None

        await wrapping.asgi.RetraceMiddleware(app, service="tests")(dict(_SCOPE), receive, send)

    return within
