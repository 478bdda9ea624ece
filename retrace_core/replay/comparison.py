"""Comparison: what came out of the replay against what was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retrace_core.conversation import messages
from retrace_core.documents import packed_document
from retrace_core.failure import application_frames
from retrace_core.redaction.compressed import content
from retrace_core.redaction.tokens import opened
from retrace_core.replay.addresses import as_recorded
from retrace_core.replay.divergence import same_key
from retrace_core.replay.masks import Masks
from retrace_core.replay.pack_order import same_objects
from retrace_core.task_call import PROTOCOL, same_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retrace_core.recording import Failure, Headers, Recording, Response

__all__ = ["Difference", "compare", "compare_messages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that came out differently."""

    what: str
    """ "status", "header Content-Type", "body", "exception", "traceback" ..."""
    recorded: Any
    replayed: Any


def compare(
    recording: Recording,
    response: Response | None,
    failure: Failure | None,
    masks: Masks | None = None,
) -> list[Difference]:
    """Return what differs between the recorded outcome and the replayed one, in order.

    Args:
        recording: whose outcome it is.
        response, failure: what came out of the replay.
        masks: where secrets of the recording are masked.
    """
    masks = masks or Masks(())
    found = _failures(recording.failure, failure, masks)
    recorded = recording.response
    if recorded is None or response is None:
        if (recorded is None) != (response is None):
            found.append(
                Difference(
                    what="response",
                    recorded=recorded and f"status {recorded.status}",
                    replayed=response and f"status {response.status}",
                )
            )
        return found
    if recorded.status != response.status:
        found.append(Difference(what="status", recorded=recorded.status, replayed=response.status))
    was, now = b"".join(recorded.body), b"".join(response.body)
    sized = not masks or not packed_document.begins(was)
    found += _headers(recorded.headers, response.headers, masks, sized=sized)
    if recorded.body_cut:
        now = now[: len(was)]
        if recorded.body_bytes != response.body_bytes:
            found.append(
                Difference(
                    what="body length",
                    recorded=recorded.body_bytes,
                    replayed=response.body_bytes,
                )
            )
    brotli = _by_name(response.headers).get("content-encoding") == ["br"]
    same = _same_body(was, now, masks, brotli=brotli) or _same_body(
        was, as_recorded(was, now), masks, brotli=brotli
    )
    if not same and not (recording.request.protocol == PROTOCOL and same_value(was, now)):
        found.append(Difference(what="body", recorded=was, replayed=now))
    return found


def compare_messages(
    recording: Recording, replayed: Sequence[Mapping[str, Any]], masks: Masks | None = None
) -> list[Difference]:
    """Return which messages the application sent otherwise, in order.

    Those of a web socket, and of HTTP what is neither the response's head nor its body.
    """
    recorded = [said.message for said in messages(recording) if said.by == "app"]
    found = [
        Difference(what=f"message {number}", recorded=_content(was), replayed=_content(now))
        for number, (was, now) in enumerate(zip(recorded, replayed, strict=False), 1)
        if _content(was) != _content(now)
        and (masks is None or not same_key(_content(was), _content(now), masks=masks))
    ]
    if len(recorded) != len(replayed):
        found.append(
            Difference(what="messages sent", recorded=len(recorded), replayed=len(replayed))
        )
    return found


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without what says nothing: ASGI lets a missing part be None, too."""
    return {
        name: [tuple(pair) for pair in value] if name == "headers" else value
        for name, value in message.items()
        if value is not None
    }


def _headers(
    recorded: Headers, replayed: Headers, masks: Masks, *, sized: bool
) -> list[Difference]:
    was, now = _by_name(recorded), _by_name(replayed)
    return [
        Difference(what=f"header {name}", recorded=was.get(name), replayed=now.get(name))
        for name in dict.fromkeys((*was, *now))
        if not _same(was.get(name), now.get(name), masks)
        and not (name == "content-length" and masks and (not sized or "content-encoding" in was))
    ]


def _same_body(was: bytes, now: bytes, masks: Masks, *, brotli: bool) -> bool:
    """Return True for bodies that are the same but for masks, also those that are packed."""
    if masks.same(was, now):
        return True
    if not masks:
        return same_objects(was, now)
    inside = content(was, brotli=brotli), content(now, brotli=brotli)
    return inside[0] is not None and inside[1] is not None and masks.same(inside[0], inside[1])


def _same(was: list[str] | None, now: list[str] | None, masks: Masks) -> bool:
    if was is None or now is None:
        return was is now
    return len(was) == len(now) and all(
        masks.same(a, b) or (bool(masks) and masks.same(*map(_opened, (a, b))))
        for a, b in zip(was, now, strict=True)
    )


def _opened(value: str) -> bytes:
    return opened(value.encode("latin-1", "replace"))


def _by_name(headers: Headers) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return values


def _failures(recorded: Failure | None, replayed: Failure | None, masks: Masks) -> list[Difference]:
    if recorded is None and replayed is None:
        return []
    was = f"{recorded.type}: {recorded.message}" if recorded else None
    now = f"{replayed.type}: {replayed.message}" if replayed else None
    if not masks.same(was or "", now or "") and not masks.same(
        str(was).encode(), as_recorded(str(was).encode(), str(now).encode())
    ):
        return [Difference(what="exception", recorded=was, replayed=now)]
    assert recorded is not None
    assert replayed is not None
    lines_was, lines_now = _lines(recorded), _lines(replayed)
    if _below_the_entrance(lines_was, lines_now) != _below_the_entrance(lines_now, lines_was):
        return [Difference(what="traceback", recorded=lines_was, replayed=lines_now)]
    return []


def _below_the_entrance(lines: list[str], others: list[str]) -> list[str]:
    """Return a traceback from where the other one begins, too.

    `retrace run` puts the middleware into the framework's own `__call__`; a replay enters by the
    `__call__` of the application's class, which may be a further one around it. And what a server
    has put around the application (uvicorn's for a proxy's headers) is not replayed.
    """
    above = len(lines) - len(others)
    if others and above > 0 and all(line.endswith(".__call__") for line in lines[:above]):
        return lines[above:]
    return lines


def _lines(failure: Failure) -> list[str]:
    """Return the traceback as lines that are the same on each machine."""
    return [
        f"{frame.file.rsplit('/', 1)[-1]}:{frame.line} in {frame.function}"
        for frame in application_frames(failure.frames)
    ]
