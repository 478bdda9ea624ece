"""Task call: one run of a queue's task as a request and a response, and back.

Its arguments are the body of the request, its return value that of the response, both encoded
by the typed codec. What else the task could look at (Celery's request, the job of RQ) is the
call's context.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from retrace_core.codec import Opaque, decode, encode
from retrace_core.errors import ReplayError, TornRecording
from retrace_core.recording import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "METHOD",
    "PROTOCOL",
    "TASK_WORDS",
    "VALUE_TYPE",
    "Queue",
    "TaskCall",
    "TaskEnd",
    "call_of",
    "end_of",
    "interrupted_by",
    "request_of",
    "returned",
    "same_value",
]

PROTOCOL = "task"
METHOD = "TASK"
VALUE_TYPE = "application/x-retrace-value"
"""The Content-Type of a body that is one value, encoded by the typed codec."""

Queue = Literal["celery", "rq"]
_QUEUES: dict[str, Queue] = {"celery": "celery", "rq": "rq"}

_INTERRUPTIONS = {
    "Retry": (202, "RETRY"),
    "Ignore": (204, "IGNORED"),
    "Reject": (409, "REJECTED"),
}
"""What a Celery task raises to say what is to become of it, which is no failure."""

TASK_WORDS = {0: "raised", 200: "returned", 202: "retry", 204: "ignored", 409: "rejected"}
"""What the status of a task's recording means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """What a worker was told to run."""

    queue: Queue
    name: str
    """Of the task; with RQ the function's dotted name."""
    id: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=lambda: {})
    headers: Mapping[str, Any] = field(default_factory=lambda: {})
    """What came with the message; text is kept as the request's headers."""
    context: Mapping[str, Any] = field(default_factory=lambda: {})
    """What else the task could see of itself; of it only plain values come back on replay."""


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """What came of a run, as it is put into a response."""

    status: int
    word: str
    body: bytes

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Of the response."""
        return (("Content-Type", VALUE_TYPE),)


def request_of(call: TaskCall) -> tuple[Request, bytes]:
    """Return a call as a request without its body, and the body."""
    given = [(str(k), v) for k, v in call.headers.items() if type(v) is str and v.isprintable()]
    request = Request(
        protocol="task",
        method=METHOD,
        scheme=call.queue,
        path=call.name,
        raw_path=b"",
        query=b"",
        root_path="",
        http_version="",
        server=None,
        client=None,
        headers=[("Content-Type", VALUE_TYPE), *given],
        extra={"id": call.id, "context": encode(dict(call.context))},
    )
    return request, encode({"args": list(call.args), "kwargs": dict(call.kwargs)})


def call_of(request: Request) -> TaskCall:
    """Return the call that a recorded request is.

    Raises:
        TornRecording: it is none.
        ReplayError: an argument could not be recorded, or was too large, so that the task can't
            be run again.
    """
    queue = _QUEUES.get(request.scheme)
    if queue is None:
        raise TornRecording(
            f"a task of an unknown queue, {request.scheme[:40]!r}; replay it with the version of"
            " Retrace that recorded it"
        )
    if request.body_cut:
        raise ReplayError(
            f"the arguments of {request.path} had {request.body_bytes} bytes, more than"
            " body_limit_bytes, and are not in the recording; raise it where it is recorded"
        )
    body = decode(b"".join(request.body))
    context = decode(request.extra.get("context", b"\x80"))
    if not isinstance(body, dict) or not isinstance(context, dict):
        raise TornRecording(f"the arguments of {request.path} are damaged; fetch the file again")
    for opaque in _opaques(body):
        raise ReplayError(
            f"an argument of {request.path} is a {opaque.type}, which can't be recorded; send"
            " plain values, such as its id"
        )
    return TaskCall(
        queue=queue,
        name=request.path,
        id=str(request.extra.get("id", "")),
        args=tuple(body.get("args", ())),
        kwargs=body.get("kwargs", {}),
        headers=dict(request.headers),
        context={
            name: value for name, value in context.items() if next(_opaques(value), None) is None
        },
    )


def returned(value: object) -> TaskEnd:
    """Return the end of a run that returned `value`."""
    return TaskEnd(200, "SUCCESS", encode(value))


def interrupted_by(error: BaseException) -> TaskEnd | None:
    """Return the end of a run by which a task said what is to become of it, else None.

    Args:
        error: what left the task: Celery's Retry, Ignore or Reject, or a failure.
    """
    for cls in type(error).__mro__:
        found = _INTERRUPTIONS.get(cls.__name__) if cls.__module__ == "celery.exceptions" else None
        if found is not None:
            told = {
                name: value if isinstance(value, int | float | bool | str) else str(value)
                for name in ("when", "message", "reason", "requeue")
                if (value := getattr(error, name, None)) is not None
            }
            return TaskEnd(*found, encode(told))
    return None


def end_of(error: BaseException | None, value: object) -> TaskEnd | None:
    """Return the end of a run, or None for a failure.

    Args:
        error: what it raised, or None.
        value: what it returned.
    """
    return returned(value) if error is None else interrupted_by(error)


def same_value(recorded: bytes, replayed: bytes) -> bool:
    """Return whether two bodies are the same value; objects are compared by their type."""
    if recorded == replayed:
        return True
    try:
        return bool(_by_type(decode(recorded)) == _by_type(decode(replayed)))
    except (TornRecording, TypeError):
        return False


def _by_type(value: Any) -> Any:
    # The repr of an object has its address in it, which is never the same again.
    if isinstance(value, Opaque):
        return ("object", value.type)
    if isinstance(value, dict):
        return {name: _by_type(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_by_type(one) for one in value)
    return value


def _opaques(value: Any) -> Iterator[Opaque]:
    if isinstance(value, Opaque):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _opaques(name)
            yield from _opaques(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _opaques(one)
