"""Propagation: the trace a request belongs to, out of its headers and into outgoing ones.

Where they disagree: X-Trace-ID, or a header that the user has named, gives the folder, because
it is what people search for; an active OpenTelemetry span, or `traceparent`, gives the trace id
and the parent. An X-Trace-ID that is a trace id itself wins over both.

Source: W3C Trace Context level 2; OpenTelemetry, TraceState: Probability Sampling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from retrace_core import failsafe
from retrace_core.ids import names_trace, new_trace_bits
from retrace_mw import otel
from retrace_mw.trace_headers import DECISION_HEADER, TRACE_HEADER, name_of, trace_bits_of
from retrace_mw.traceparent import (
    RANDOM,
    SAMPLED,
    Traceparent,
    format_traceparent,
    parse_traceparent,
)
from retrace_mw.tracestate import (
    Members,
    format_tracestate,
    is_blank,
    member,
    ot_fields,
    parse_tracestate,
    put_member,
)

__all__ = ["RANDOM_BITS", "TraceContext", "outgoing_headers", "trace_of"]

RANDOM_BITS = 56
"""Bits of randomness by which traces are sampled."""

OUR_MEMBER = "retrace"
_MASK = (1 << RANDOM_BITS) - 1
_RANDOMNESS = re.compile(r"[0-9a-f]{14}", re.ASCII)
_GIVEN_LIMIT = 1024
_VERDICTS = frozenset(("yes", "no", "tail"))


@dataclass(slots=True)
class TraceContext:
    """The trace a request belongs to."""

    bits: int
    """The trace id as a number of 128 bits."""
    parent_span_id: str = ""
    """The caller's span id, 16 hex digits, or ""."""
    flags: int | None = None
    """The caller's trace flags; None where the trace begins here."""
    folder: str = ""
    """A name of another shape that is safe as a folder name, verbatim; else ""."""
    given: str = ""
    """An X-Trace-ID that is not safe as a folder name: kept as data; else ""."""
    named: bool = False
    """True when the request carries X-Trace-ID, of whatever shape."""
    carried: bool = False
    """True when the trace id came with the request."""
    upstream: str = ""
    """The caller's recording decision: "yes", "no" or "tail", or "" where it told none."""
    members: Members = ()
    """The members of tracestate, as they came."""
    passed_on: tuple[tuple[str, str], ...] = ()
    """The user's own trace headers, to send as they came."""
    malformed: tuple[str, ...] = ()
    """Names, in lower case, of the headers that hold what they must not."""
    foreign: Any = None
    """OpenTelemetry's context, where the user's propagator read one; else None."""

    trace_id: str = field(init=False, default="")
    """The trace id, 32 lower-case hex digits."""

    def __post_init__(self) -> None:
        self.trace_id = f"{self.bits:032x}"

    @property
    def name(self) -> str:
        """What people search for, and the folder is called: a name given, or the trace id."""
        return self.folder or self.trace_id

    @property
    def sampled(self) -> bool:
        """The caller's sampled flag; True where the trace begins here."""
        return self.flags is None or bool(self.flags & SAMPLED)

    @property
    def randomness(self) -> int:
        """The 56 bits by which every service draws: `rv` of tracestate, or the trace id's low."""
        explicit = ot_fields(self.members).get("rv", "") if self.members else ""
        return int(explicit, 16) if _RANDOMNESS.fullmatch(explicit) else self.bits & _MASK


Values = Callable[[str], list[str]]
"""Gives all values of a header, by its name in any case."""
Names = Callable[[], Iterable[str]]
"""Gives the names of all headers, in any case."""


def _no_names() -> Iterable[str]:
    return ()


def trace_of(
    found: Mapping[str, list[str]],
    *,
    custom: tuple[str, ...] = (),
    values: Values | None = None,
    names: Names = _no_names,
    bits: int | None = None,
) -> TraceContext:
    """Return the trace that headers speak of; never raises, whatever they hold.

    Args:
        found: name in lower case -> values, of the headers that carry a trace.
        custom: names of the user's own trace headers.
        values: gives any other header, for a propagator that the user has set.
        names: gives the names of all, for one that looks for those that begin in some way.
        bits: the fresh trace id, where one was drawn before.
    """
    parents, states = found.get("traceparent", ()), found.get("tracestate", ())
    parent = parse_traceparent(parents[0]) if len(parents) == 1 else None
    members = parse_tracestate(states) if states else ()
    context, foreign = _carried(parent, members, values, names)
    named = found.get("x-trace-id", [])
    if named:
        context = _named(named, context, bits)
    else:
        context = _called(custom, found, context)
    if context is None:
        context = TraceContext(new_trace_bits() if bits is None else bits)
    context.foreign = foreign
    said = {text.strip(" \t").lower() for text in found.get("x-retrace", ())}
    told = next(iter(said)) if len(said) == 1 else member(context.members, OUR_MEMBER)
    context.upstream = told if told in _VERDICTS else ""
    if found:
        sound = {
            "traceparent": parent is not None,
            "tracestate": not states
            or ((bool(members) or is_blank(states)) and _is_random(context.members)),
            "x-retrace": len(said) == 1 and said <= _VERDICTS,
        }
        context.malformed = tuple(
            header
            for header, given in found.items()
            if not (sound[header] if header in sound else _names_a_trace(header, given))
        )
    context.passed_on = tuple(
        (name, found[name.lower()][0])
        for name in custom
        if name.lower() in found and _is_sendable(found[name.lower()])
    )
    return context


def _carried(
    parent: Traceparent | None, members: Members, values: Values | None, names: Names
) -> tuple[TraceContext | None, Any]:
    """Return the context of an active span, a propagator of the user's, or traceparent.

    And what the propagator has read besides, baggage for instance.
    """
    span, foreign = None, None
    if otel.may_name_trace():
        with failsafe.gate("opentelemetry"):
            span = otel.active_span_context()
            if values is not None:
                foreign = otel.extract(values, names)
                span = span or otel.span_context_of(foreign)
    if span is not None:
        members = parse_tracestate([span.trace_state.to_header()])
        flags = int(span.trace_flags) & (SAMPLED | RANDOM)
        span_id = f"{span.span_id:016x}"
        return TraceContext(span.trace_id, span_id, flags, carried=True, members=members), foreign
    if parent is None:
        return None, foreign
    bits = int(parent.trace_id, 16)
    context = TraceContext(bits, parent.span_id, parent.flags, carried=True, members=members)
    return context, foreign


def _named(values: list[str], context: TraceContext | None, bits: int | None) -> TraceContext:
    """Return the trace that X-Trace-ID names, within the context that came with it."""
    value = values[0]
    if len(values) > 1 or not names_trace(value):
        given = ", ".join(values)[:_GIVEN_LIMIT]
        fresh = context or TraceContext(new_trace_bits() if bits is None else bits)
        fresh.given, fresh.named = given, True
        return fresh
    meant = trace_bits_of(value)
    is_id = f"{meant:032x}" == value.lower()
    if context is None or (is_id and context.bits != meant):
        # Another trace than tracestate speaks of: of that, only our own decision still counts.
        ours = member(context.members, OUR_MEMBER) if context is not None else ""
        members: Members = ((OUR_MEMBER, ours),) if ours else ()
        parent, flags = (context.parent_span_id, context.flags) if context else ("", None)
        context = TraceContext(meant, parent, flags, members=members)
    context.folder = "" if is_id else value
    context.named = context.carried = True
    return context


def _called(
    custom: tuple[str, ...], found: Mapping[str, list[str]], context: TraceContext | None
) -> TraceContext | None:
    """Return the context with the name that the first usable one of the user's headers gives."""
    for header in custom:
        given = found.get(header.lower(), ())
        name = name_of(given[0]) if len(given) == 1 else ""
        if names_trace(name):
            meant = trace_bits_of(name)
            if context is None:
                context = TraceContext(meant, carried=True)
            context.folder = "" if f"{context.bits:032x}" == name.lower() else name
            return context
    return context


def _names_a_trace(header: str, values: list[str]) -> bool:
    """Return whether a header that gives a trace a name, X-Trace-ID or the user's, can be used."""
    name = values[0] if header == "x-trace-id" else name_of(values[0])
    return len(values) == 1 and names_trace(name)


def _is_random(members: Members) -> bool:
    """Return whether the randomness that members tell, if they do, is written as it must be."""
    explicit = ot_fields(members).get("rv") if members else None
    return explicit is None or _RANDOMNESS.fullmatch(explicit) is not None


def _is_sendable(values: list[str]) -> bool:
    return (
        len(values) == 1
        and len(values[0]) <= _GIVEN_LIMIT
        and values[0].isprintable()
        and (values[0].isascii())
    )


@lru_cache(256)
def _sampled(members: Members, threshold: str) -> Members:
    """Return the members of tracestate with the threshold of the sampler that said yes."""
    return put_member(members, "ot", f"th:{threshold}")


@lru_cache(256)
def _told(members: Members, verdict: str) -> str:
    """Return tracestate with our decision in it; most requests come with none, or the same."""
    return format_tracestate(put_member(members, OUR_MEMBER, verdict))


def outgoing_headers(
    context: TraceContext, span_id: str, verdict: str, threshold: str = ""
) -> tuple[tuple[str, str], ...]:
    """Return the headers to send with outgoing calls.

    X-Trace-ID asks for a recording; so it goes out when this request is recorded for certain,
    and otherwise only when it came in.

    Args:
        context: the trace of the request.
        span_id: the request's own, 16 hex digits.
        verdict: whether it is recorded: "yes", "no" or "tail".
        threshold: of the sampler that said yes, as `th` in tracestate; else "".
    """
    flags, members = context.flags, context.members
    if flags is None:  # the trace begins here, and so the flags are ours to set
        flags = (0 if context.carried else RANDOM) | (0 if verdict == "no" else SAMPLED)
        if threshold and verdict == "yes":
            members = _sampled(members, threshold)
    headers: list[tuple[str, str]] = []
    if verdict == "yes" or (context.named and not context.given):
        headers.append((TRACE_HEADER, context.name))
    headers.append(("traceparent", format_traceparent(context.trace_id, span_id, flags)))
    headers.append(("tracestate", _told(members, verdict)))
    headers.append((DECISION_HEADER, verdict))
    headers.extend(context.passed_on)
    if context.foreign is not None:
        with failsafe.gate("opentelemetry"):
            taken = {name.lower() for name, _ in headers}
            more = otel.inject(context.foreign, context.bits, span_id, flags)
            headers.extend(
                (name, value)
                for name, value in more.items()
                if name.lower() not in taken and _is_sendable([value])
            )
    return tuple(headers)
