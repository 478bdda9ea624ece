"""Rule: which requests it means, at their start and at their end, and what is done with them."""

from __future__ import annotations

import difflib
import functools
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_mw.decision import Decision
from retrace_mw.glob import compile_globs, covers
from retrace_mw.rates import Rates
from retrace_mw.route import plain_pattern
from retrace_mw.statuses import status_codes

if TYPE_CHECKING:
    from retrace_mw.finished import FinishedRequest
    from retrace_mw.request import RequestView

__all__ = ["Rule", "make_rule"]

Test = Callable[["RequestView"], bool]
EndTest = Callable[["FinishedRequest"], bool]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

HEAD_KEYS = ("methods", "path", "host", "client", "headers", "query", "route")
"""The conditions on what comes in, the cheap ones first."""
END_KEYS = ("status", "content_type", "min_duration_s")
OTHER_KEYS = ("name", "action", "rate", "by", "rates")
ACTIONS = ("record", "skip", "tail")
# Source: the IANA registry of HTTP methods, without those of no use to an application.
METHODS = frozenset(
    "ACL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY"
    " MKCALENDAR MKCOL MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT"
    " QUERY REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE".split()
)
TASK = "TASK"
"""The method of a task of a queue, whose path is its dotted name."""
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, checked and ready to be asked."""

    label: str
    """ "rule 2 (checkout)"."""
    head: tuple[tuple[str, Test], ...]
    """(key, whether a request meets it)."""
    end: tuple[tuple[str, EndTest], ...]
    """(key, whether a request that has ended meets it)."""
    conditions: Mapping[str, Any]
    """The conditions, checked and in one form, by key."""
    action: str
    rates: Rates
    yes: Decision
    """Of a request that matches and is drawn."""
    no: Decision
    """Of one that matches and is never recorded."""
    undrawn: Decision
    """Of one that matches, and was not drawn this time."""

    def meets(self, request: RequestView) -> bool:
        """Return True when the conditions on what comes in are met."""
        for _, test in self.head:  # not all(): a generator costs more than the tests
            if not test(request):
                return False
        return True

    def ends(self, finished: FinishedRequest) -> bool:
        """Return True when the conditions on the end are met."""
        return all(test(finished) for _, test in self.end)

    def outcome(self, request: RequestView) -> Decision:
        """Return what is decided on a request that matches."""
        if self.action == "skip":
            return self.no
        if self.rates.draws(request):
            return self.yes
        return self.undrawn if self.rates.of(request) else self.no

    def covers(self, other: Rule) -> bool:
        """Return True when whatever the other rule matches, this one surely matches too."""
        for key, broad in self.conditions.items():
            narrow = other.conditions.get(key)
            if narrow is None or not _COVERS[key](broad, narrow):
                return False
        return True


def make_rule(table: object, number: int) -> Rule:
    """Return the rule that a table describes.

    Args:
        table: as read from TOML.
        number: its place among the rules, from 1.

    Raises:
        ConfigurationError: a key is unknown, a value is not allowed, or the rule can't match.
    """
    label = f"rule {number}"
    if not isinstance(table, Mapping):
        raise ConfigurationError(label, table, "a table: [[retrace.rules]]")
    name = table.get("name", "")
    if not isinstance(name, str):
        raise ConfigurationError(f"{label}: name", name, "text")
    label = f"{label} ({name})" if name else label
    for key in table:
        if key not in (*HEAD_KEYS, *END_KEYS, *OTHER_KEYS):
            raise ConfigurationError(f"{label}: {key}", table[key], _nearest(str(key)))
    action = table.get("action", "record")
    if action not in ACTIONS:
        raise ConfigurationError(f"{label}: action", action, '"record", "skip" or "tail"')
    if action == "skip" and {"rate", "by", "rates"} & set(table):
        raise ConfigurationError(f"{label}: action", action, "no rate with it: it records nothing")
    try:
        conditions = {key: _READ[key](key, table[key]) for key in _READ if key in table}
        _check_paths(conditions)
        rates = Rates(table.get("rate", 1.0), table.get("by", ""), table.get("rates"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{label}: {error.setting}", error.value, error.allowed) from None
    share = "" if rates.rate == 1.0 and not rates.by else " in the share of"
    tail = action == "tail" and not set(END_KEYS) & set(conditions)
    verdict: Any = "tail" if tail else "yes"
    because = f"{label} says to skip it" if action == "skip" else f"not{share} {label}"
    return Rule(
        label=label,
        head=tuple((key, _TESTS[key](conditions[key])) for key in HEAD_KEYS if key in conditions),
        end=tuple((key, _END_TESTS[key](conditions[key])) for key in END_KEYS if key in conditions),
        conditions=conditions,
        action=str(action),
        rates=rates,
        yes=Decision(verdict, f"{share.strip()} {label}".strip(), "Rules"),
        no=Decision("no", because, "Rules"),
        undrawn=Decision("no", because, "Rules", warms=True),
    )


def _nearest(key: str) -> str:
    known = (*HEAD_KEYS, *END_KEYS, *OTHER_KEYS)
    near = difflib.get_close_matches(key, known, n=1)
    return f"{near[0]}, there is no {key}" if near else f"one of {', '.join(known)}"


def _texts(key: str, given: Any) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or not listed:
        raise ConfigurationError(key, given, "text, or a list of texts that is not empty")
    for one in listed:
        if not isinstance(one, str) or not one:
            raise ConfigurationError(key, one, "text that is not empty")
    return tuple(listed)


def _routes(key: str, given: Any) -> tuple[str, ...]:
    return tuple(map(plain_pattern, _texts(key, given)))


def _check_paths(conditions: Mapping[str, Any]) -> None:
    if TASK in conditions.get("methods", ()):
        return  # a task's path is a dotted name
    for key in ("path", "route"):
        for one in conditions.get(key, ()):
            if one[0] not in "/*" or (key == "path" and ("?" in one or "#" in one)):
                allowed = "a pattern that begins with / or *, without a query"
                raise ConfigurationError(key, one, allowed)


def _methods(key: str, given: Any) -> tuple[str, ...]:
    found = tuple(one.upper() for one in _texts(key, given))
    for one in found:
        if one not in METHODS and one != TASK:
            near = difflib.get_close_matches(one, METHODS, n=1)
            raise ConfigurationError(key, one, near[0] if near else "methods like GET and POST")
    return found


def _hosts(key: str, given: Any) -> tuple[str, ...]:
    found = tuple(one.lower() for one in _texts(key, given))
    for one in found:
        if "/" in one or re.search(r"(?<!:):[0-9*]+$", one):
            raise ConfigurationError(key, one, "a host name without scheme, port or path")
    return found


def _networks(key: str, given: Any) -> tuple[Network, ...]:
    found: list[Network] = []
    for one in _texts(key, given):
        try:
            found.append(ipaddress.ip_network(one))
        except ValueError as error:
            allowed = f"a network like 10.0.0.0/8 or 2001:db8::/32 ({error})"
            raise ConfigurationError(key, one, allowed) from None
    return tuple(found)


def _named(key: str, given: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, Mapping) or not given:
        raise ConfigurationError(key, given, 'a table of name = pattern, as in { x-user = "a*" }')
    found: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        if key == "headers" and not (isinstance(name, str) and _TOKEN.fullmatch(name)):
            raise ConfigurationError(key, name, "names of headers")
        wanted = "headers" if key == "headers" else "query"
        found[name.lower() if key == "headers" else str(name)] = _texts(f"{wanted}.{name}", value)
    return found


def _statuses(key: str, given: Any) -> frozenset[int]:
    listed = given if isinstance(given, list | tuple) else [given]
    if not listed:
        raise ConfigurationError(key, given, 'a status like 502, "5xx" or "500-504"')
    return frozenset(code for one in listed for code in status_codes(one, key))


def _types(key: str, given: Any) -> tuple[str, ...]:
    found = tuple(one.lower().strip() for one in _texts(key, given))
    for one in found:
        if ";" in one or ("/" not in one and "*" not in one):
            raise ConfigurationError(key, one, 'a media type like "text/html" or "image/*"')
    return found


def _duration(key: str, given: Any) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < 1e9:
        return float(given)
    raise ConfigurationError(key, given, "a number of seconds above 0")


@functools.lru_cache(4096)
def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _of_method(methods: tuple[str, ...]) -> Test:
    known = frozenset(methods)
    return lambda request: request.method in known


def _of_path(patterns: tuple[str, ...]) -> Test:
    matches = compile_globs(patterns).fullmatch
    return lambda request: matches(request.path) is not None


def _of_host(patterns: tuple[str, ...]) -> Test:
    matches = compile_globs(patterns).fullmatch
    return lambda request: matches(request.host) is not None


def _of_route(patterns: tuple[str, ...]) -> Test:
    matches = compile_globs(patterns).fullmatch

    def test(request: RequestView) -> bool:
        route = request.route
        return bool(route) and matches(plain_pattern(route)) is not None

    return test


def _of_client(networks: tuple[Network, ...]) -> Test:
    def test(request: RequestView) -> bool:
        address = _address(request.client)
        if address is not None:
            for network in networks:  # not any(): a generator costs more than the test
                if address in network:
                    return True
        return False

    return test


def _of_headers(wanted: dict[str, tuple[str, ...]]) -> Test:
    patterns = [(name, compile_globs(globs).fullmatch) for name, globs in wanted.items()]

    def test(request: RequestView) -> bool:
        for name, matches in patterns:
            for value in request.header_values(name):
                if matches(value):
                    break
            else:
                return False
        return True

    return test


def _of_query(wanted: dict[str, tuple[str, ...]]) -> Test:
    patterns = [(name, compile_globs(globs).fullmatch) for name, globs in wanted.items()]

    def test(request: RequestView) -> bool:
        query = request.query
        return all(any(map(matches, query.get(name, ()))) for name, matches in patterns)

    return test


def _of_status(statuses: frozenset[int]) -> EndTest:
    return lambda finished: finished.status in statuses


def _of_type(patterns: tuple[str, ...]) -> EndTest:
    matches = compile_globs(patterns).fullmatch

    def test(finished: FinishedRequest) -> bool:
        given = finished.header("content-type").partition(";")[0].strip().lower()
        return matches(given) is not None

    return test


def _of_duration(least: float) -> EndTest:
    return lambda finished: finished.duration_s >= least


def _cover_networks(broad: tuple[Network, ...], narrow: tuple[Network, ...]) -> bool:
    return all(
        any(one.version == other.version and one.subnet_of(other) for other in broad)  # type: ignore[arg-type]
        for one in narrow
    )


def _cover_named(broad: dict[str, tuple[str, ...]], narrow: dict[str, tuple[str, ...]]) -> bool:
    return all(name in narrow and covers(globs, narrow[name]) for name, globs in broad.items())


_READ: dict[str, Callable[[str, Any], Any]] = {
    "methods": _methods,
    "path": _texts,
    "host": _hosts,
    "client": _networks,
    "headers": _named,
    "query": _named,
    "route": _routes,
    "status": _statuses,
    "content_type": _types,
    "min_duration_s": _duration,
}
_TESTS: dict[str, Callable[[Any], Test]] = {
    "methods": _of_method,
    "path": _of_path,
    "host": _of_host,
    "client": _of_client,
    "headers": _of_headers,
    "query": _of_query,
    "route": _of_route,
}
_END_TESTS: dict[str, Callable[[Any], EndTest]] = {
    "status": _of_status,
    "content_type": _of_type,
    "min_duration_s": _of_duration,
}
_COVERS: dict[str, Callable[[Any, Any], bool]] = {
    "methods": lambda broad, narrow: set(narrow) <= set(broad),
    "path": covers,
    "host": covers,
    "client": _cover_networks,
    "headers": _cover_named,
    "query": _cover_named,
    "route": covers,
    "status": lambda broad, narrow: narrow <= broad,
    "content_type": covers,
    "min_duration_s": lambda broad, narrow: broad <= narrow,
}
