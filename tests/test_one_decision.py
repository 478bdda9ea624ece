"""A request that passes from one protocol into the other within a process is decided on once."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from asgiref.wsgi import WsgiToAsgi

from retrace_mw import Decision, RequestView, RetraceMiddleware, one_decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def _starlettes(app: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and used by many
        from starlette.middleware.wsgi import WSGIMiddleware
    return WSGIMiddleware(app)


ADAPTERS = {"asgiref": WsgiToAsgi, "starlette": _starlettes}


def hello(environ: Any, start_response: Any) -> list[bytes]:
    """Answer by WSGI."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


async def hello_asgi(scope: Any, receive: Any, send: Any) -> None:
    """Answer by ASGI."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def refusing(asked: list[str], name: str) -> Callable[[RequestView], Decision]:
    """Return what decides against each request, and notes that it was asked."""

    def decide(request: RequestView) -> Decision:
        asked.append(name)
        return Decision("no", "a test")

    return decide


async def _get(app: Any) -> str:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        return (await client.get("/")).text


@pytest.mark.parametrize("handing_on", [True, False])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_one_of_wsgi_within_one_of_asgi_is_not_asked_again(
    adapter: str, handing_on: bool, recordings: Path
) -> None:
    """The environ that an adapter makes says nothing of the decision; the context does."""
    asked: list[str] = []
    handed: dict[str, Any] = {"propagate_unrecorded": handing_on}
    inner = RetraceMiddleware(hello, decide=refusing(asked, "inner"), **handed)
    outer = RetraceMiddleware(ADAPTERS[adapter](inner), decide=refusing(asked, "outer"), **handed)
    for _ in range(3):
        assert asyncio.run(_get(outer)) == "hello"
    assert asked == ["outer"] * 3


def test_one_of_asgi_within_one_of_wsgi_is_not_asked_again(recordings: Path) -> None:
    """The other way round."""
    asked: list[str] = []
    inner = RetraceMiddleware(hello_asgi, decide=refusing(asked, "inner"))

    def adapted(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [asyncio.run(_get(inner)).encode()]

    outer = RetraceMiddleware(adapted, decide=refusing(asked, "outer"))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}
    assert list(outer(environ, lambda *_: print)) == [b"hello"]
    assert asked == ["outer"]


def test_the_next_request_of_the_inner_one_alone_is_decided_on(recordings: Path) -> None:
    """Nothing of the one before is left in the context."""
    asked: list[str] = []
    inner = RetraceMiddleware(hello, decide=refusing(asked, "inner"))
    outer = RetraceMiddleware(WsgiToAsgi(inner), decide=refusing(asked, "outer"))

    async def both() -> None:
        await _get(outer)
        inner({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: print)

    asyncio.run(both())
    assert asked == ["outer", "inner"]


def test_of_one_protocol_alone_no_context_is_set(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would cost each request that is not recorded."""
    monkeypatch.setattr(one_decision, "SPOKEN", spoken := set[str]())
    monkeypatch.setattr("retrace_mw.asgi.SPOKEN", spoken)
    seen: list[str] = []

    async def looking(scope: Any, receive: Any, send: Any) -> None:
        seen.append(one_decision._DECIDED_IN.get())
        await hello_asgi(scope, receive, send)

    app = RetraceMiddleware(looking, sample_rate=0, propagate_unrecorded=False)
    assert asyncio.run(_get(app)) == "hello"
    assert seen == [""]
