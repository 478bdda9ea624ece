"""RequestView: what a decider may see of a request, the same for ASGI and WSGI."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from retrace_core.http_clients.http_exchange import headers_of_call
from retrace_core.ids import call_span_id, new_span_id, new_trace_bits
from retrace_core.stats import count
from retrace_mw import otel
from retrace_mw.propagation import RANDOM_BITS, TraceContext, outgoing_headers, trace_of
from retrace_mw.route import find_route, left_route
from retrace_mw.trace_headers import TraceHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retrace_mw.decision import Decision
    from retrace_mw.late import Late

__all__ = ["RequestView", "environ_key"]

_DEFAULT_HEADERS = TraceHeaders()
_NOTHING: Mapping[str, list[str]] = {}
_MASK = (1 << RANDOM_BITS) - 1


class RequestView:
    """A request before the application has seen it; nothing is parsed before it is asked for.

    Made by the middleware, from an ASGI scope or a WSGI environ.
    """

    __slots__ = (
        "_asgi",
        "_bits",
        "_calls",
        "_carrier",
        "_facts",
        "_headers",
        "_late",
        "_names",
        "_outgoing",
        "_query",
        "_route",
        "_span_id",
        "_trace",
        "app",
        "counted",
        "method",
        "path",
        "source",
    )

    def __init__(  # by position it takes half of the time
        self,
        source: Any,
        asgi: bool,
        app: Any = None,
        trace_headers: TraceHeaders = _DEFAULT_HEADERS,
    ) -> None:
        self.source = source
        """The ASGI scope or the WSGI environ, as the application gets it."""
        self._asgi = asgi
        self.app = app
        """The wrapped application."""
        self._facts: dict[str, Any] | None = None
        self._late: dict[Late, Decision | None] | None = None
        self._headers = trace_headers
        self._carrier: Mapping[str, list[str]] | None = None
        self._outgoing: tuple[tuple[str, str], ...] | None = None
        self._bits: int | None = None
        self._calls: int
        self._span_id: str
        self._names: dict[bytes, bytes] | None = None
        self._trace: TraceContext | None = None
        self._query: dict[str, list[str]] | None = None
        self._route: str | None = None
        self.counted = False
        """True once a limit has taken its route into account."""
        # Both are asked for nearly always, and some frameworks change the scope in place.
        self.method: str
        """The request method, upper case as it came; a web socket's handshake is a GET."""
        self.path: str
        """The whole decoded path, with the prefix the application is mounted at."""
        if asgi:
            self.method, self.path = source.get("method", ""), source.get("path", "")
            if not self.method and source.get("type") == "websocket":
                self.method = "GET"  # a handshake's, which is in no scope
        else:
            self.method = source.get("REQUEST_METHOD", "")
            path: str = source.get("SCRIPT_NAME", "") + source.get("PATH_INFO", "")
            if not path.isascii():
                path = path.encode("latin-1", "replace").decode("utf-8", "replace")
            self.path = path

    @property
    def is_asgi(self) -> bool:
        """True when `source` is an ASGI scope."""
        return self._asgi

    @property
    def facts(self) -> dict[str, Any]:
        """What the application has told `decide_late`: `facts["user"]`, ..."""
        if self._facts is None:
            self._facts = {}
        return self._facts

    @property
    def late(self) -> dict[Late, Decision | None]:
        """The deciders that wait for `decide_late`, and what they have said."""
        if self._late is None:
            self._late = {}
        return self._late

    @property
    def query_string(self) -> str:
        """What follows the question mark, not decoded."""
        if self._asgi:
            return bytes(self.source.get("query_string", b"")).decode("latin-1")
        return str(self.source.get("QUERY_STRING", ""))

    @property
    def query(self) -> dict[str, list[str]]:
        """The query, decoded: each name with all of its values, in order; at most 1000 of them.

        What is no UTF-8 is replaced, so that no query fails.
        """
        if self._query is None:
            found: dict[str, list[str]] = {}
            text = self.query_string
            if text:
                parts = "&".join(text.split("&", _QUERY_LIMIT)[:_QUERY_LIMIT])
                for name, value in parse_qsl(parts, keep_blank_values=True, errors="replace"):
                    found.setdefault(name, []).append(value)
            self._query = found
        return self._query

    @property
    def route(self) -> str:
        """The pattern the framework knows the path by, "/orders/{id}"; "" where it tells none.

        Before the application ran its own router is asked, of Starlette, FastAPI, Flask, Quart,
        Django, Falcon, Litestar and Pyramid; at the end what the framework has left counts too.
        It is found when first asked for: at the start that costs about what routing costs.
        """
        route = self._route
        if route is None:
            route = self._route = find_route(
                self.source, asgi=self._asgi, app=self.app, method=self.method
            )
        elif not route:
            route = self._route = left_route(self.source, asgi=self._asgi)
        return route

    def note_route(self) -> None:
        """Take the pattern that the framework has left, which it may take away at the end."""
        if not self._route:
            self._route = left_route(self.source, asgi=self._asgi) or self._route

    @property
    def host(self) -> str:
        """The host the client asked for, lower case, without its port; the client chooses it."""
        host = self.header("host").lower()
        name, colon, port = host.rpartition(":")
        return name if colon and port.isdigit() else host

    @property
    def scheme(self) -> str:
        """ "http" or "https", as the server saw it."""
        return str(
            self.source.get("scheme", "http")
            if self._asgi
            else self.source.get("wsgi.url_scheme", "http")
        )

    @property
    def client(self) -> str:
        """The peer's address as the server says it, or "" where it does not know it.

        Behind a proxy that is the proxy's, unless the server was told whom to trust (uvicorn
        `--forwarded-allow-ips`, gunicorn `forwarded_allow_ips`, Werkzeug's ProxyFix outside
        of this middleware). X-Forwarded-For is not read here: anyone can write it.
        """
        if self._asgi:
            return str((self.source.get("client") or ("",))[0])
        return str(self.source.get("REMOTE_ADDR", ""))

    def header(self, name: str, default: str = "") -> str:
        """Return the value of a header; repeated ones are joined by ", ".

        Args:
            name: in any case.
            default: what to return where it is missing.
        """
        if self._asgi:
            if _in_asgi(name) not in (self._names or self._known()):
                return default
            return ", ".join(self.header_values(name))
        value = self.source.get(environ_key(name))
        return default if value is None else str(value)

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header as the server gave them, in order."""
        if not self._asgi:
            value = self.source.get(environ_key(name))
            return [] if value is None else [str(value)]
        wanted = _in_asgi(name)
        if wanted not in self._known():
            return []
        return [
            value.decode("latin-1")
            for given, value in self.source.get("headers", ())
            if given == wanted
        ]

    def trace_headers(self) -> Mapping[str, list[str]]:
        """Return the headers that carry a trace: name in lower case -> values, in order."""
        carrier = self._carrier
        if carrier is None:
            carrier = self._carrier = self._find_trace_headers()
        return carrier

    def _find_trace_headers(self) -> Mapping[str, list[str]]:
        # Every request pays for it: most have none, and a look into a dict tells.
        found: dict[str, list[str]] = {}
        if not self._asgi:
            source = self.source
            for key, name in self._headers.in_wsgi:
                if key in source:
                    found[name] = [source[key]]
            return found or _NOTHING
        wanted, known = self._headers.in_asgi, self._known()
        for field in wanted:
            if field in known:
                break
        else:
            return _NOTHING
        for given, value in self.source.get("headers", ()):
            if given in wanted:
                found.setdefault(wanted[given], []).append(value.decode("latin-1"))
        return found

    def _known(self) -> dict[bytes, bytes]:
        """Return which headers there are, of an ASGI scope; of repeated ones it has the last."""
        names = self._names
        if names is None:
            names = self._names = dict(self.source.get("headers", ()))
        return names

    def headers(self) -> Iterable[tuple[str, str]]:
        """Return all headers as (name, value) text, in order."""
        if self._asgi:
            return [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in self.source.get("headers", ())
            ]
        found: list[tuple[str, str]] = []
        for key, value in self.source.items():
            name = header_of(key)
            if name is not None and (value or key not in UNPREFIXED):
                found.append((name, str(value)))
        return found

    @property
    def names_trace(self) -> bool:
        """True when the request carries X-Trace-ID, of whatever shape."""
        carrier = self._carrier
        if carrier is None:
            carrier = self._carrier = self._find_trace_headers()
        return "x-trace-id" in carrier

    @property
    def upstream(self) -> str:
        """The caller's recording decision: "yes", "no" or "tail", or "" where it told none."""
        return self.trace.upstream if self.trace_headers() is not _NOTHING else ""

    @property
    def randomness(self) -> int:
        """The 56 random bits of the trace, the same in every service that it crosses."""
        if (
            self._trace is None
            and (self._carrier or self.trace_headers()) is _NOTHING
            and not otel.may_name_trace()
        ):
            bits = self._bits
            if bits is None:
                bits = self._bits = new_trace_bits()
            return bits & _MASK
        return self.trace.randomness

    @property
    def is_unnamed(self) -> bool:
        """True where it was found that no header and no active span names the trace."""
        return self._bits is not None

    @property
    def trace(self) -> TraceContext:
        """The trace this request belongs to: as it came, or a fresh one."""
        if self._trace is None and self._bits is not None:
            self._trace = TraceContext(self._bits)
        elif self._trace is None:
            self._trace = trace_of(
                self.trace_headers(),
                custom=self._headers.custom,
                values=self.header_values,
                names=self._header_names,
            )
            if self._trace.malformed:
                self._tell_malformed(self._trace.malformed)
        return self._trace

    def _header_names(self) -> list[str]:
        return [name for name, _ in self.headers()]

    def _tell_malformed(self, headers: tuple[str, ...]) -> None:
        for header in headers:
            count(f"malformed.{header}")

    def headers_of_call(self) -> tuple[tuple[str, str], ...]:
        """Return what the next outgoing call carries while this request is not recorded."""
        if self._outgoing is None:
            # That of the first call: so its headers, the only ones of most requests, are made once.
            self._span_id, self._calls = call_span_id(new_span_id(), 0), 0
            self._outgoing = outgoing_headers(self.trace, self._span_id, "no")
        number, self._calls = self._calls, self._calls + 1
        return headers_of_call(self._outgoing, self._span_id, number)

    @property
    def trace_name(self) -> str:
        """What people search for: the name given to the trace, or its id."""
        return self.trace.name


UNPREFIXED = ("CONTENT_TYPE", "CONTENT_LENGTH")
"""Headers whose WSGI keys have no HTTP_ before them."""


@lru_cache(1024)
def header_of(key: str) -> str | None:
    """Return the header that a WSGI key stands for, if any: "HTTP_X_TRACE_ID" is X-Trace-Id."""
    if key.startswith("HTTP_") or key in UNPREFIXED:
        return key.removeprefix("HTTP_").replace("_", "-").title()
    return None


@lru_cache(256)
def _in_asgi(name: str) -> bytes:
    """Return a header's name as ASGI gives it, in lower case."""
    return name.lower().encode("latin-1", "replace")


@lru_cache(256)
def environ_key(name: str) -> str:
    """Return the WSGI key of a header."""
    key = name.upper().replace("-", "_")
    return key if key in UNPREFIXED else f"HTTP_{key}"


_QUERY_LIMIT = 1000
