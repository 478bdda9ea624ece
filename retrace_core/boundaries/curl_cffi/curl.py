"""curl_cffi: transfers of libcurl, which no audit event tells of and no socket of Python's carries.

Events are each `perform`, and before it each piece that the functions for headers and body got,
which a replay hands them again. What is asked of the handle after it (`getinfo`) is an event of its
own. Web sockets of it are in none.

Hooks: `Curl.setopt`, `perform`, `getinfo`, `reset`. Read in curl_cffi 0.17.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from curl_cffi.const import CurlOpt
from curl_cffi.curl import Curl, CurlError

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.http_clients.curl_handle import (
    PERFORM,
    PIECE,
    CurlHandle,
    Sink,
    failure_of,
    handle_of,
)
from retrace_core.http_clients.http_exchange import headers_to_send, missing_headers
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_SINKS = {
    CurlOpt.WRITEDATA: "body",
    CurlOpt.WRITEFUNCTION: "body",
    CurlOpt.HEADERDATA: "headers",
    CurlOpt.HEADERFUNCTION: "headers",
}
_METHODS = {CurlOpt.POST: "POST", CurlOpt.UPLOAD: "PUT", CurlOpt.NOBODY: "HEAD"}


def _setopt(original: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(original)
    def setopt(self: Any, option: CurlOpt, value: Any) -> int:
        handle = handle_of(self)
        if option in _SINKS:
            name = _SINKS[option]
            value = handle.sinks[name] = Sink(name, value)
        elif option == CurlOpt.HTTPHEADER:
            value = [*value, *_carried(value)]
        else:
            _note(handle, option, value)
        return original(self, option, value)

    return setopt


def _note(handle: CurlHandle, option: CurlOpt, value: Any) -> None:
    if option == CurlOpt.URL:
        handle.url = _text(value)
    elif option == CurlOpt.CUSTOMREQUEST:
        handle.method = _text(value)
    elif option == CurlOpt.POSTFIELDS:
        handle.body = value
        handle.method = handle.method or "POST"
    elif option == CurlOpt.HTTPGET and value:
        handle.method, handle.body = "GET", None
    elif option in _METHODS and value:
        handle.method = _METHODS[option]


def _carried(given: Any) -> list[bytes]:
    """Return the trace's headers, but those that are given."""
    names = {_text(one).partition(":")[0].strip().lower() for one in given}
    more = missing_headers(headers_to_send(current()), names)
    return [f"{name}: {value}".encode() for name, value in more]


def _perform(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def perform(self: Any, *args: Any, **options: Any) -> None:
        lane, handle = current(), handle_of(self)
        if lane is None:
            return original(self, *args, **options)

        def live() -> list[Any] | None:
            handle.records_in(lane)
            try:
                original(self, *args, **options)
            except CurlError as error:
                return failure_of(error)
            finally:
                handle.records_in(None)
            return None

        if lane.mode == REPLAY:
            scope: Any = lane.scope  # type: ignore[attr-defined]
            while (name := handle.next_of(lane)) is not None:
                handle.get(lane, name, scope.answer(lane, PIECE, name))
        failed = call(lane, PERFORM, handle.asked(), live)
        if lane.mode == REPLAY:
            self.clean_handles_and_buffers(*args, **options)
        if failed is not None:
            raise CurlError(*failed)

    return perform


def _getinfo(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def getinfo(self: Any, option: Any) -> Any:
        lane = current()
        if lane is None:
            return original(self, option)
        return call(lane, "curl_cffi.getinfo", int(option), lambda: original(self, option))

    return getinfo


def _reset(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def reset(self: Any) -> None:
        original(self)
        known = handle_of(self)
        known.url, known.method, known.body = "", "", None
        known.sinks.clear()

    return reset


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


BOUNDARY = Boundary(
    kind="curl_cffi",
    supports="curl_cffi>=0.7",
    hooks=(
        Patch(Curl, "setopt", _setopt),
        Patch(Curl, "perform", _perform),
        Patch(Curl, "getinfo", _getinfo),
        Patch(Curl, "reset", _reset),
    ),
    errors=(CurlError,),
)
