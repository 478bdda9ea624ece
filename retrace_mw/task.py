"""Task: one run of a queue's task in a worker, decided on and recorded as a request is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core import failsafe
from retrace_core.http_clients.http_exchange import UNRECORDED, headers_of_call
from retrace_core.native import LANE, OFF
from retrace_core.settings import resolve
from retrace_core.task_call import METHOD, TaskEnd, end_of, request_of
from retrace_mw.opening import Gatekeeper
from retrace_mw.request import RequestView, environ_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retrace_core.scope import RecordingScope
    from retrace_core.task_call import TaskCall
    from retrace_mw.decision import Decider
    from retrace_mw.limits import Limits
    from retrace_mw.policy import Policy
    from retrace_mw.trace_headers import TraceHeaders

__all__ = ["TaskRecorder", "handing_on"]


class TaskRecorder:
    """Decides on each task that this worker runs, and records it in the trace of its message.

    Inside a recording (an eager task of a request, a replay) it stands aside.

    Args:
        app: what the tasks are of.
        service: its name, where neither settings nor `options` give one.
        decide: the decider; default: what the settings say.
        limits: what recording may cost; default: what the settings say.
        options: settings by name.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(
        self,
        app: Any,
        *,
        service: str,
        decide: Decider | None = None,
        limits: Limits | None = None,
        options: Mapping[str, object],
    ) -> None:
        if not resolve(options).service:
            options = {**options, "service": service}
        self._gatekeeper = Gatekeeper(app, decide, limits, options)

    def policy(self) -> Policy:
        """Return what is in force now."""
        return self._gatekeeper.policy()

    def run(
        self,
        name: str,
        headers: Mapping[str, Any],
        call: Callable[[], TaskCall],
        function: Callable[[], Any],
        app: Any = None,
    ) -> Any:
        """Return what `function` returns, or raise what it raises; call it `handing_on`.

        Args:
            name: of the task.
            headers: of its message; those that carry a trace say what it belongs to.
            call: describes the run; asked only when it is recorded.
            function: runs it.
            app: what the task is of, where it is not the recorder's.
        """
        recording_scope: RecordingScope | None = None
        body = b""
        with failsafe.gate("task"):
            if self._gatekeeper.booting:
                self._gatekeeper.booted()
            lane = LANE.get()
            if lane is None or lane.mode == OFF:
                recording_scope, body = self._opened(name, headers, call, app)
        if recording_scope is None:
            return function()
        return _recorded(recording_scope, body, function)

    def _opened(
        self,
        name: str,
        headers: Mapping[str, Any],
        call: Callable[[], TaskCall],
        app: Any,
    ) -> tuple[RecordingScope | None, bytes]:
        gatekeeper = self._gatekeeper
        policy = gatekeeper.policy()
        if not policy.enabled:
            return None, b""
        view = _view(name, headers, policy.trace_headers)
        if policy.awaits:
            decision = gatekeeper.verdict_waiting(policy, view)
        else:
            decision = gatekeeper.verdict(policy, view)
        if decision.verdict != "no" or (
            decision.warms and gatekeeper.warming.open and gatekeeper.warms(view)
        ):
            request, body = request_of(call())
            opened = gatekeeper.open(policy, view, decision, lambda: request, app)
            if opened is not None:
                UNRECORDED.set(_Recorded(opened))
                return opened, body
        if policy.hands_on:
            UNRECORDED.set(view)
        return None, b""


def _recorded(recording_scope: RecordingScope, body: bytes, function: Callable[[], Any]) -> Any:
    token, error, value = None, None, None
    try:
        # A time limit of the queue's may strike at any line, so all of it is inside.
        recording_scope.request_body(body)
        token = recording_scope.enter()
        value = function()
        return value
    except BaseException as raised:
        error = raised
        raise
    finally:
        if token is not None:
            recording_scope.exit(token)
        with failsafe.gate("task"):
            end = end_of(error, value)
            if end is not None:
                _respond(recording_scope, end)
            elif error is not None:
                recording_scope.failed(error)
        recording_scope.close()
        error = None  # no cycle through this frame


def _respond(recording_scope: RecordingScope, end: TaskEnd) -> None:
    recording_scope.response_start(end.status, end.word, end.headers)
    recording_scope.response_body(end.body)
    recording_scope.response_end(complete=True)


def _view(name: str, headers: Mapping[str, Any], trace_headers: TraceHeaders) -> RequestView:
    """Return the run as deciders see requests: TASK and the task's name, with its headers."""
    environ: dict[str, Any] = {"REQUEST_METHOD": METHOD, "PATH_INFO": name}
    for given, value in headers.items():
        if type(value) is str and type(given) is str:
            environ[environ_key(given)] = value
    return RequestView(environ, False, None, trace_headers)


class _Recorded:
    """What follows a recorded run in its worker, and carries the trace as the run did."""

    __slots__ = ("_calls", "_headers", "_span_id", "trace_name")

    def __init__(self, recording_scope: RecordingScope) -> None:
        self._headers = recording_scope.outgoing_headers
        self._span_id = recording_scope.span_id
        self._calls = _AFTER
        self.trace_name = recording_scope.folder or recording_scope.trace_id

    def headers_of_call(self) -> tuple[tuple[str, str], ...]:
        """Return what the next message carries."""
        number, self._calls = self._calls, self._calls + 1
        return headers_of_call(self._headers, self._span_id, number)


_AFTER = 1 << 20
"""Numbers of the messages that follow a run; the run's own begin at 0."""


class handing_on:  # noqa: N801  # used as a function
    """While a worker is busy with one task: what it sends after the run carries its trace too.

    The next step of a chain, a callback, an error callback. `TaskRecorder.run` must be called
    within, for it leaves the trace behind, and this takes it back.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = UNRECORDED.get()

    def __exit__(self, *_: object) -> None:
        UNRECORDED.set(self._before)
