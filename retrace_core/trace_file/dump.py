"""Dump: drafts to the bytes of trace files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from retrace_core.trace_file.frames import (
    BODY,
    FOOTER,
    HEADER,
    compress_all,
    frame_bytes,
    preamble,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from retrace_core.trace_file.draft import Draft

    Conceal = Callable[[Draft, bytes, list[bytes]], tuple[bytes, list[bytes], bytes]]
    """Masks secrets: gets a draft, its encoded header and parts; returns those, as long as they
    were, and a part that says what was done, b"" for nothing."""

__all__ = ["dump", "dump_all", "encode"]

CHUNK_BYTES = 1 << 20
"""A body frame is closed when it holds this much; small recordings have one."""

_encoder = msgspec.msgpack.Encoder()


def encode(value: object) -> bytes:
    """Return plain data as MessagePack; a lone surrogate becomes its escape sequence."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # a lone surrogate in a path, a message, a name
        return _encoder.encode(
            _without_surrogates(msgspec.to_builtins(value, builtin_types=(bytes,)))
        )


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {
            _without_surrogates(name): _without_surrogates(part) for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_surrogates(part) for part in value]
    return value


def dump(draft: Draft) -> bytes:
    """Return the bytes of the trace file of `draft`."""
    return dump_all([draft])[0]


def dump_all(drafts: Iterable[Draft], conceal: Conceal | None = None) -> list[bytes]:
    """Return the bytes of the trace file of each draft; all are compressed in one step.

    Args:
        drafts: what to write.
        conceal: masks the secrets in each; default: they are written as they are.
    """
    plans = [_frames(draft, conceal) for draft in drafts]
    packed = iter(compress_all([raw for plan in plans for _, raw in plan]))
    return [
        b"".join((preamble(), *(frame_bytes(kind, raw, next(packed)) for kind, raw in plan)))
        for plan in plans
    ]


def _frames(draft: Draft, conceal: Conceal | None) -> list[tuple[int, bytes]]:
    """Return (type, payload) of each frame.

    After the header frame come body frames, each an array of (tag, payload) pairs, so that a
    small recording is one compressed unit, and a large one can be read up to a tear.
    """
    parts = [encode(("request", draft.request)), encode(("sites", draft.sites))]
    if draft.response is not None:
        parts.append(encode(("response", draft.response)))
    if draft.failure is not None:
        parts.append(encode(("failure", draft.failure)))
    if draft.holes:
        parts.append(encode(("holes", draft.holes)))
    if draft.steps:
        parts.append(encode(("steps", draft.steps)))
    for lane_id, data, events, complete in draft.lanes:
        parts.append(encode(("lane", (lane_id, data, events, complete))))
    header, told = encode(draft.header), b""
    if conceal is not None:
        header, parts, told = conceal(draft, header, parts)
    frames = [(HEADER, header)]
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            frames.append((BODY, _body(waiting)))
            waiting, size = [], 0
    if waiting:
        frames.append((BODY, _body(waiting)))
    if told:
        frames.append((BODY, _body([told])))  # apart: its places are of all that is before it
    frames.append((FOOTER, encode((len(parts) + bool(told), draft.header.events))))
    return frames


def _body(parts: list[bytes]) -> bytes:
    return b"".join((b"\xdd", len(parts).to_bytes(4, "big"), *parts))
