"""Flag context: whom a feature flag is evaluated for, and where a request tells it.

A context source is a function, sync or async, that gets the request and returns a
`FlagContext`, a plain targeting key, a mapping with "key" and attributes, or None. The ready
ones have a form as text, for the TOML file and for the `repr` of a decider:

    trace                       the trace id, so that a rollout is by request (the default)
    header:x-user               a request header
    session:user                the session: Starlette's SessionMiddleware, or Flask's
    state:user                  `request.state.user` of Starlette
    starlette_user              `request.user` of Starlette's AuthenticationMiddleware
    flask_g:user_id             an attribute of Flask's `g`
    facts:user                  what `decide_late(user=...)` was told

followed by attributes ("header:x-user plan=x-plan") and another kind than user ("as tenant");
several are joined by commas: "header:x-user plan=x-plan, header:x-tenant as tenant".

Before the application's own authentication has run, only headers and the trace are known.
The others are for `Late`, or for a middleware that stands behind the one that fills them.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from retrace_core.errors import ConfigurationError

if TYPE_CHECKING:
    from retrace_mw.request import RequestView

__all__ = [
    "ContextSource",
    "FlagContext",
    "context_of",
    "context_source",
    "from_each",
    "from_facts",
    "from_flask_g",
    "from_header",
    "from_session",
    "from_starlette_user",
    "from_state",
    "from_trace",
]

_USER = "user"
_ALLOWED = (
    "trace, header:NAME, session:NAME, state:NAME, starlette_user, flask_g:NAME or facts:NAME,"
    ' then attributes "plan=NAME" and "as KIND", several joined by commas; or a function'
)
_IDENTITIES = ("identity", "id", "username", "display_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagContext:
    """Whom a flag is evaluated for."""

    key: str = ""
    """The targeting key, for instance the user's id; "" when it is not known."""
    kind: str = _USER
    """What the key names: "user", "tenant", ..."""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    also: tuple[FlagContext, ...] = ()
    """Further contexts of other kinds: a LaunchDarkly multi-context."""

    def flat(self) -> dict[str, Any]:
        """Return all attributes in one mapping; those of further kinds as "kind.name".

        The key of a further kind stands under the kind's name: {"plan": "gold",
        "tenant": "acme", "tenant.region": "eu"}.
        """
        found = dict(self.attributes)
        for other in self.also:
            if other.key:
                found.setdefault(other.kind, other.key)
            for name, value in other.attributes.items():
                found.setdefault(f"{other.kind}.{name}", value)
        return found


ContextSource = Callable[["RequestView"], Any | Awaitable[Any]]
"""Gets the request; returns a `FlagContext`, a key, a mapping with "key", None, or waits for it."""

_Read = Callable[["RequestView", str], Any]


def context_of(answer: object) -> FlagContext:
    """Return what a context source has answered as a `FlagContext`.

    Raises:
        TypeError: it is nothing that can be a context.
    """
    if isinstance(answer, FlagContext):
        return answer
    if answer is None:
        return FlagContext()
    if isinstance(answer, Mapping):
        rest: dict[str, Any] = {str(name): value for name, value in answer.items()}
        return FlagContext(key=_key(rest.pop("key", "")), attributes=rest)
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("a function that must be awaited has to be declared with `async def`")
    return FlagContext(key=_key(answer))


def _key(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        # The text of any other object may be another one in each request.
        raise TypeError(f"a targeting key must be text or a number, not {type(value).__name__}")
    return str(value)


class _Lookup:
    """One ready-made source: a key and attributes, each looked up by name in one place."""

    __slots__ = ("_attributes", "_kind", "_name", "_read", "_source")

    def __init__(
        self, source: str, read: _Read, name: str, kind: str, attributes: Mapping[str, str] | None
    ) -> None:
        self._source = source
        self._read = read
        self._name = name
        self._kind = kind
        self._attributes = dict(attributes or {})

    def __repr__(self) -> str:
        text = f"{self._source}:{self._name}" if self._name else self._source
        text += "".join(f" {name}={place}" for name, place in self._attributes.items())
        default = "request" if self._source == "trace" else _USER
        return repr(text if self._kind == default else f"{text} as {self._kind}")

    def __call__(self, request: RequestView) -> FlagContext:
        """Return the context as the request tells it."""
        read = self._read
        found = {name: read(request, place) for name, place in self._attributes.items()}
        return FlagContext(
            key=_key(read(request, self._name)),
            kind=self._kind,
            attributes={name: value for name, value in found.items() if value is not None},
        )


class _Each:
    __slots__ = ("_sources",)

    def __init__(self, sources: tuple[_Lookup, ...]) -> None:
        self._sources = sources

    def __repr__(self) -> str:
        return repr(", ".join(repr(source)[1:-1] for source in self._sources))

    def __call__(self, request: RequestView) -> FlagContext:
        """Return the first one's context, with those of the others beside it."""
        first, *others = (source(request) for source in self._sources)
        return FlagContext(
            key=first.key,
            kind=first.kind,
            attributes=first.attributes,
            also=tuple(other for other in others if other.key),
        )


def from_header(
    name: str, *, kind: str = _USER, attributes: Mapping[str, str] | None = None
) -> _Lookup:
    """Return a source that takes the key from a request header.

    Whoever can send requests can send any header: take one that your gateway sets.

    Args:
        name: of the header, in any case.
        kind: what the key names.
        attributes: attribute name -> header name.
    """
    return _Lookup("header", _header, name, kind, attributes)


def from_session(
    name: str, *, kind: str = _USER, attributes: Mapping[str, str] | None = None
) -> _Lookup:
    """Return a source that takes the key from the session, Starlette's or Flask's.

    Args: as for `from_header`, with keys of the session.
    """
    return _Lookup("session", _session, name, kind, attributes)


def from_state(
    name: str, *, kind: str = _USER, attributes: Mapping[str, str] | None = None
) -> _Lookup:
    """Return a source that takes the key from `request.state` (ASGI).

    Args: as for `from_header`, with names in the state.
    """
    return _Lookup("state", _state, name, kind, attributes)


def from_starlette_user(*, attributes: Mapping[str, str] | None = None) -> _Lookup:
    """Return a source that takes Starlette's `request.user`, when it is authenticated.

    The key is the first of `identity`, `id`, `username`, `display_name` that the user has.

    Args:
        attributes: attribute name -> attribute of the user object.
    """
    return _Lookup("starlette_user", _starlette_user, "", _USER, attributes)


def from_flask_g(
    name: str, *, kind: str = _USER, attributes: Mapping[str, str] | None = None
) -> _Lookup:
    """Return a source that takes the key from Flask's `g`.

    Args: as for `from_header`, with attributes of `g`.
    """
    return _Lookup("flask_g", _flask_g, name, kind, attributes)


def from_facts(
    name: str, *, kind: str = _USER, attributes: Mapping[str, str] | None = None
) -> _Lookup:
    """Return a source that takes the key from what `decide_late` was told; for `Late`.

    Args: as for `from_header`, with names of facts.
    """
    return _Lookup("facts", _fact, name, kind, attributes)


def from_trace() -> _Lookup:
    """Return a source whose key is the trace id: all services of a trace have the same."""
    return _Lookup("trace", _trace_id, "", "request", None)


def from_each(*sources: _Lookup) -> _Each:
    """Return a source of several kinds, for instance the user and the tenant.

    Args:
        sources: ready-made ones; the first is the main one.
    """
    return _Each(sources)


def context_source(given: ContextSource | str) -> ContextSource:
    """Return the context source that is meant: a function as it is, or one made from text.

    Raises:
        ConfigurationError: the text is none of the forms above.
    """
    if not isinstance(given, str):
        if callable(given):
            return given
        raise ConfigurationError("context", given, _ALLOWED)
    sources = tuple(_parse(part.strip(), given) for part in given.split(","))
    return sources[0] if len(sources) == 1 else _Each(sources)


_PART = re.compile(r"(\w+)(?::([^\s=:,]+))?((?:\s+[\w.-]+=[^\s=,]+)*)(?:\s+as\s+([\w.-]+))?")


def _parse(part: str, whole: str) -> _Lookup:
    match = _PART.fullmatch(part)
    read = _READS.get(match[1]) if match else None
    if match is None or read is None or (match[2] is None) != (match[1] in _NAMELESS):
        raise ConfigurationError("context", whole, _ALLOWED)
    attributes = dict(pair.split("=", 1) for pair in match[3].split())
    kind = match[4] or ("request" if match[1] == "trace" else _USER)
    return _Lookup(match[1], read, match[2] or "", kind, attributes)


def _header(request: RequestView, name: str) -> Any:
    return request.header(name) or None


def _session(request: RequestView, name: str) -> Any:
    if request.is_asgi:
        return (request.source.get("session") or {}).get(name)
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.session.get(name)
    return None


def _state(request: RequestView, name: str) -> Any:
    return (request.source.get("state") or {}).get(name) if request.is_asgi else None


def _starlette_user(request: RequestView, name: str) -> Any:
    user = request.source.get("user") if request.is_asgi else None
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    for place in (name,) if name else _IDENTITIES:
        try:
            value = getattr(user, place, None)
        except NotImplementedError:  # Starlette's SimpleUser has no identity
            continue
        if value not in (None, ""):
            return value
    return None


def _flask_g(request: RequestView, name: str) -> Any:
    flask = sys.modules.get("flask")
    return flask.g.get(name) if flask is not None and flask.has_app_context() else None


def _fact(request: RequestView, name: str) -> Any:
    return request.facts.get(name)


def _trace_id(request: RequestView, name: str) -> Any:
    return None if name else request.trace.trace_id


_READS: dict[str, _Read] = {
    "facts": _fact,
    "flask_g": _flask_g,
    "header": _header,
    "session": _session,
    "starlette_user": _starlette_user,
    "state": _state,
    "trace": _trace_id,
}
_NAMELESS = ("starlette_user", "trace")
