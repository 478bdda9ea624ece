"""pycurl: transfers of libcurl, which no audit event tells of and no socket of Python's carries.

An event is one `perform`: how it ended, and what was handed to the functions for headers and
body, which a replay hands them again in the same pieces. What is asked of the handle after it
(`getinfo`, `errstr`) is an event of its own. A body that libcurl writes to standard output, as
it does without such a function, is in none; nor are the transfers of a `CurlMulti`.

Hook: the class `Curl` itself, by a subclass, since it can't be changed. Read in pycurl 7.49.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pycurl

from retrace_core.boundary import Boundary, Patch, call
from retrace_core.http_clients.http_exchange import exchange_key, headers_to_send, missing_headers
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_METHODS = {pycurl.POST: "POST", pycurl.UPLOAD: "PUT", pycurl.NOBODY: "HEAD"}
_BODIES = {pycurl.POSTFIELDS, pycurl.COPYPOSTFIELDS}
_BODY_SINKS = {pycurl.WRITEDATA, pycurl.WRITEFUNCTION}
_HEADER_SINKS = {pycurl.WRITEHEADER, pycurl.HEADERFUNCTION}


class _Sink:
    """A function of the application's that gets pieces, which are kept while it is recorded."""

    def __init__(self, given: Any) -> None:
        self.function: Callable[[bytes], Any] = getattr(given, "write", given)
        self.pieces: list[bytes] | None = None

    def __call__(self, piece: bytes) -> Any:
        if self.pieces is not None:
            self.pieces.append(piece)
        return self.function(piece)


def _recording(original: Any) -> Any:
    class Curl(original):  # type: ignore[misc]
        """One handle."""

        def __init__(self) -> None:
            self._forget()

        def _forget(self) -> None:
            self._sinks: dict[str, _Sink] = {}
            self._url, self._method, self._body = "", "", None
            self._headers: list[Any] = []

        def setopt(self, option: int, value: Any) -> None:
            for options, name, as_function in (
                (_BODY_SINKS, "body", pycurl.WRITEFUNCTION),
                (_HEADER_SINKS, "headers", pycurl.HEADERFUNCTION),
            ):
                if option in options and (callable(value) or hasattr(value, "write")):
                    self._sinks[name] = _Sink(value)
                    super().setopt(as_function, self._sinks[name])
                    return
            super().setopt(option, value)
            if option == pycurl.URL:
                self._url = _text(value)
            elif option == pycurl.CUSTOMREQUEST:
                self._method = _text(value)
            elif option == pycurl.HTTPHEADER:
                self._headers = list(value)
            elif option in _BODIES:
                self._body = value
                self._method = self._method or "POST"
            elif option == pycurl.HTTPGET and value:
                self._method, self._body = "GET", None
            elif option in _METHODS and value:
                self._method = _METHODS[option]

        def unsetopt(self, option: int) -> None:
            super().unsetopt(option)
            if option in _BODY_SINKS | _HEADER_SINKS:
                self._sinks.pop("body" if option in _BODY_SINKS else "headers", None)
            elif option == pycurl.HTTPHEADER:
                self._headers = []
            elif option == pycurl.CUSTOMREQUEST:
                self._method = ""
            elif option in _BODIES:
                self._body = None

        def duphandle(self) -> Any:
            other = super().duphandle()
            other.__dict__.update(self.__dict__, _sinks=dict(self._sinks))
            return other

        def reset(self) -> None:
            super().reset()
            self._forget()

        def perform(self) -> None:
            lane = current()
            if lane is None:
                self._carrying(super().perform, None)
                return
            transfer = functools.partial(self._transfer, super().perform, lane)
            failed, *sent = call(lane, "pycurl.perform", self._asked(), transfer)
            if lane.mode == REPLAY:
                self._hand_over(lane, sent)
            if failed is not None:
                raise pycurl.error(*failed)

        def perform_rb(self) -> bytes:
            return self._whole("pycurl.perform_rb", super().perform_rb)  # type: ignore[no-any-return]

        def perform_rs(self) -> str:
            return self._whole("pycurl.perform_rs", super().perform_rs)  # type: ignore[no-any-return]

        def getinfo(self, info: int) -> Any:
            return _asked_of(super().getinfo, "pycurl.getinfo", info)

        def getinfo_raw(self, info: int) -> Any:
            return _asked_of(super().getinfo_raw, "pycurl.getinfo_raw", info)

        def errstr(self) -> str:
            return _asked_of(super().errstr, "pycurl.errstr")  # type: ignore[no-any-return]

        def _asked(self) -> object:
            return exchange_key(self._method or "GET", self._url, self._body)

        def _whole(self, kind: str, perform: Callable[[], Any]) -> Any:
            lane = current()
            if lane is None:
                return self._carrying(perform, None)
            return call(lane, kind, self._asked(), lambda: self._carrying(perform, lane))

        def _carrying(self, perform: Callable[[], Any], lane: Any) -> Any:
            """Perform it with the headers by which it carries the trace."""
            given = {_text(one).partition(":")[0].strip().lower() for one in self._headers}
            more = missing_headers(headers_to_send(lane), given) if self._is_http() else []
            if not more:
                return perform()
            super().setopt(
                pycurl.HTTPHEADER, [*self._headers, *(f"{name}: {value}" for name, value in more)]
            )
            try:
                return perform()
            finally:
                super().setopt(pycurl.HTTPHEADER, self._headers)

        def _is_http(self) -> bool:
            scheme, colon, _ = self._url.partition("://")
            return not colon or scheme.lower() in ("http", "https")

        def _transfer(self, perform: Callable[[], Any], lane: Any) -> list[Any]:
            """Return its error, and of headers and body the whole and how long the pieces are."""
            failed = None
            for one in self._sinks.values():
                one.pieces = []
            try:
                self._carrying(perform, lane)
            except pycurl.error as error:
                failed = list(error.args)
            kept: list[Any] = []
            for name in ("headers", "body"):
                sink = self._sinks.get(name)
                pieces = (sink.pieces if sink is not None else None) or []
                kept += b"".join(pieces), [len(piece) for piece in pieces]
            for one in self._sinks.values():
                one.pieces = None
            return [failed, *kept]

        def _hand_over(self, lane: Any, kept: list[Any]) -> None:
            lane.busy += 1
            try:
                for name, whole, sizes in zip(
                    ("headers", "body"), kept[::2], kept[1::2], strict=True
                ):
                    sink, place = self._sinks.get(name), 0
                    for size in sizes:
                        if sink is not None:
                            sink.function(whole[place : place + size])
                        place += size
            finally:
                lane.busy -= 1

    Curl.__module__, Curl.__qualname__ = original.__module__, original.__qualname__
    return Curl


def _asked_of(ask: Callable[..., Any], kind: str, *args: int) -> Any:
    lane = current()
    return ask(*args) if lane is None else call(lane, kind, list(args), lambda: ask(*args))


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


BOUNDARY = Boundary(
    kind="pycurl",
    supports="pycurl>=7.45",
    hooks=(Patch(pycurl, "Curl", _recording),),
    errors=(pycurl.error,),
)
