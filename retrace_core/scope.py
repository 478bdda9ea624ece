"""Scope: the running recording of one request in the current context.

The middleware opens it, tells it what came in and what went out, and closes it. It seals
itself, and hands its draft to the writer, when the response has ended and so has the last
thread or task that the request spawned, or after a grace time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from retrace_core import environment, failsafe, flight_recorder, keep_sharing, native, writer
from retrace_core.boot import recording as boot_recording
from retrace_core.boot import warm_ups
from retrace_core.concurrency.loop_steps import LoopSteps
from retrace_core.concurrency.serving_thread import serving_thread
from retrace_core.conversation import ELSEWHERE
from retrace_core.coverage.coverage_watch import Holes
from retrace_core.exempt import site_names
from retrace_core.lanes import Lane
from retrace_core.native import LANE, OFF, RECORD, ScopeState
from retrace_core.recording import CANCELLED, LANE_END, RETURNED, DecisionRecord, Header, Request
from retrace_core.records_only import RecordsOnly
from retrace_core.stats import count
from retrace_core.tags import add_tags
from retrace_core.trace_file import Draft
from retrace_core.traffic import Traffic

if TYPE_CHECKING:
    from contextvars import Token

    from retrace_core.recording import Environment
    from retrace_core.settings import Settings
    from retrace_core.tags import Tag

__all__ = ["Judge", "RecordingScope"]


Judge = Callable[["RecordingScope"], DecisionRecord | None]
"""Says at the end of a request why its recording is kept, or None: it is dropped."""


class RecordingScope(Traffic, RecordsOnly):
    """What is kept of one request while it runs; no method of it ever raises.

    Args:
        settings: limits and grace time are taken from here.
        service: validated service name.
        trace_id: 32 lower-case hex digits.
        span_id: 16 lower-case hex digits, this recording's own.
        parent_span_id: the caller's span, or "".
        folder: safe folder name of the trace.
        given_trace_id: an unsafe X-Trace-ID as it came, else "".
        decision: why it is recorded.
        request: what came in, without its body.
        outgoing_headers: added to outgoing HTTP calls of the scope.
        app: the wrapped application, to find out how it is named.
        judge: asked at the end; returns why the recording is kept, or None to drop it with
            nothing written. Default: it is kept, by `decision`.
    """

    __slots__ = (
        "_cancel_grace",
        "_cut_off",
        "_decision",
        "_elsewhere",
        "_ended_ns",
        "_left",
        "_lock",
        "_open",
        "_settings",
        "_started_ns",
        "app",
        "closed",
        "folder",
        "given_trace_id",
        "holes",
        "judge",
        "lanes",
        "may_be_held",
        "outgoing_headers",
        "parent_span_id",
        "root",
        "route",
        "service",
        "span_id",
        "state",
        "tags",
        "thread",
        "trace_id",
        "warms",
    )

    def __init__(
        self,
        *,
        settings: Settings,
        service: str,
        trace_id: str,
        span_id: str,
        parent_span_id: str,
        folder: str,
        given_trace_id: str,
        decision: DecisionRecord,
        request: Request,
        outgoing_headers: tuple[tuple[str, str], ...],
        app: object,
        judge: Judge | None = None,
    ) -> None:
        super().__init__(request, settings.body_limit_bytes)
        self.service = service
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.folder = folder
        self.given_trace_id = given_trace_id
        self.outgoing_headers = outgoing_headers
        self.app = app
        self.state = ScopeState(settings.recording_limit_bytes)
        self.root = Lane(self, "0", RECORD)
        self.lanes: list[Lane] = [self.root]
        self.closed = False
        self._left = False
        self.holes = Holes() if settings.coverage_watch else None
        self._open: set[Lane] = set()
        self._cut_off: set[Lane] = set()
        self._elsewhere: Lane | None = None
        self._lock = threading.RLock()
        self._cancel_grace: Callable[[], None] | None = None
        self._settings = settings
        self.judge = judge
        self.route = ""
        """The framework's pattern; told by whoever knows it, before the end."""
        self.tags: dict[str, Tag] = {}
        self.may_be_held = True
        """False: when the judge drops it, the flight recorder gets it neither."""
        self.warms = False
        """True: the first of its kind in the process, kept for those that come after it."""
        self._decision = decision
        self.thread = serving_thread()
        """Number and name of the thread that serves it."""
        self._started_ns = time.time_ns()
        self._ended_ns = 0
        native.arm(1)  # until it is switched off

    @property
    def masks(self) -> bool:
        """True when secrets will be masked in what is recorded."""
        return bool(self._settings.redact)

    # -- the current context

    def enter(self) -> Token[native.Lane | None]:
        """Make the root lane the current one; returns what `exit` needs."""
        return LANE.set(self.root)

    def exit(self, token: Token[native.Lane | None]) -> None:
        """Leave the current context as it was before `enter`."""
        try:
            LANE.reset(token)
        except ValueError:  # entered in another context: that one is gone with its task
            LANE.set(None)

    # -- lanes

    def spawn(self, parent: Lane, lane_id: str = "") -> Lane:
        """Return a new child lane of `parent`, in which a thread or task will run."""
        lane_id = lane_id or parent.next_child_id()
        with self._lock:  # a thread that takes up an item may come while the scope is sealed
            if self._sealed:
                return Lane(self, lane_id, OFF)
            lane = Lane(self, lane_id, RECORD)
            self.lanes.append(lane)
            self._open.add(lane)
        if self.steps is None:
            self.steps = LoopSteps()
        return lane

    def lane_ended(self, lane: Lane) -> None:
        """Take note that a spawned thread or task has ended; seals after the last one.

        One that ended because the process did, after the response, is one that went on.
        """
        if self.closed and not threading.main_thread().is_alive():
            self._cut_off.add(lane)
        else:
            if lane.mode == RECORD:
                status = CANCELLED if lane.cancelled else RETURNED
                lane.record(LANE_END, None, status, None, native.now_ns())
            self._open.discard(lane)
        if self.closed and self._open <= self._cut_off:
            self._seal()

    def said_elsewhere(self, message: Mapping[str, Any]) -> None:
        """Keep a message that code of no lane of this recording has sent on its web socket."""
        with failsafe.gate("conversation"), self._lock:
            if self._sealed:
                return
            if self._elsewhere is None:
                self._elsewhere = Lane(self, "elsewhere", RECORD)
                self.lanes.append(self._elsewhere)
            self._elsewhere.record(ELSEWHERE, message["type"], RETURNED, message, native.now_ns())

    def tag(self, tags: Mapping[str, object]) -> None:
        """Add tags, by name; one that can't be taken is left out, and told in the log."""
        with failsafe.gate("tag"), self._lock:
            if not self._sealed:
                add_tags(self.tags, tags)

    @property
    def duration_s(self) -> float:
        """From the start to the end of the response, or to now, in seconds."""
        return ((self._ended_ns or native.now_ns()) - self.state.started_ns) / 1e9

    # -- the end

    def close(self) -> None:
        """Say that the request is over; seals at once when nothing spawned still runs."""
        try:
            self._close()
        except BaseException:  # a server's handler of a signal left from here by SystemExit
            self._close(again=True)
            raise

    def _close(self, again: bool = False) -> None:
        try:  # not the gate, whose with-block costs half a microsecond
            self.closed = True
            self._ended_ns = self._ended_ns or native.now_ns()
            if not self._open:
                self._seal(again)
            elif self._cancel_grace is None:
                deadline_ns = native.now_ns() + int(self._settings.grace_s * 1e9)
                self._cancel_grace = writer.park(deadline_ns, self._seal)
        except Exception as error:
            failsafe.report("close", error)

    def discard(self) -> None:
        """Stop recording at once and keep nothing; the request goes on unrecorded."""
        with failsafe.gate("discard"):
            if self._stop():
                self._let_go()
                count("dropped.undecided")

    def _stop(self) -> bool:
        """Switch the recording off; False when it was off already."""
        with self._lock:
            if self._sealed:
                return False
            for lane in self.lanes:
                lane.mode = OFF
            native.arm(-1)
            self._sealed = True
        if self._cancel_grace is not None:
            self._cancel_grace()
        return True

    def _seal(self, again: bool = False) -> None:
        try:
            if not (self._stop() or again) or self._left:
                return
            size_bytes = self.state.size_bytes + self._body_size()
            if self.judge is not None:
                decision = self.judge(self)
                if decision is None:
                    make = warm_ups.hold(self._draft, size_bytes) if self.warms else self._draft
                    held = self.may_be_held and flight_recorder.hold(make, size_bytes)
                    self._left = True
                    if not held and self.lanes:
                        self._let_go()
                    return
                self._decision = decision
            boot_recording.save_ahead(self.service, self._environment)
            warm_ups.save_ahead()
            writer.submit(self._written, size_bytes)
            self._left = True
            count("recorded")
            if self._decision.verdict == "tail":
                keep_sharing.trace_kept(
                    self.folder or self.trace_id, self.service, self._decision.reason
                )
        except Exception as error:
            failsafe.report("seal", error)

    def _environment(self) -> Environment:
        return environment.of_app(self.app, self._settings)

    def _written(self) -> Draft | None:
        if not self.lanes:  # handed over twice, by a thread that was interrupted as it did
            return None
        draft = self._draft()
        boot_recording.save(self.service, draft.header.environment)
        if self.warms:
            warm_ups.save(draft)
        return draft

    def _draft(self) -> Draft:
        """Return what was kept, and let go of it; called once, by the writer's thread mostly."""
        lanes = self.lanes
        response, failure = self._whole_response(), self.failure
        request = self._whole_request()
        header = Header(
            trace_id=self.trace_id,
            span_id=self.span_id,
            parent_span_id=self.parent_span_id,
            service=self.service,
            started_ns=self._started_ns,
            duration_ns=self._ended_ns - self.state.started_ns,
            method=request.method,
            path=request.root_path + request.path,
            status=response.status if response else 0,
            error=failure.type if failure else "",
            decision=self._decision,
            environment=self._environment(),
            folder=self.folder,
            given_trace_id=self.given_trace_id,
            outgoing_headers=list(self.outgoing_headers),
            events=sum(lane.events for lane in lanes),
            cut=self.state.cut,
            tainted=self.state.tainted,
            boot=boot_recording.place(self.service),
            holes=self.holes.count if self.holes is not None else 0,
            route=self.route,
            tags=self.tags,
            thread=self.thread[0],
            thread_name=self.thread[1],
        )
        draft = Draft(
            header=header,
            request=request,
            response=response,
            failure=failure,
            lanes=[(lane.id, lane.data(), lane.events, lane not in self._open) for lane in lanes],
            sites=site_names(self.state.used_sites()),
            holes=self.holes.listed() if self.holes is not None else [],
            steps=self.steps.gaps if self.steps is not None else [],
        )
        self._let_go()
        return draft

    def _let_go(self) -> None:
        # A context that outlives the request keeps its lane, and so this scope: both let go
        # of what they hold, and of each other, so that nothing waits for the collector.
        lanes, self.lanes = self.lanes, []
        for lane in lanes:
            lane.clear()
        self._open.clear()
        self._cut_off.clear()
        self._elsewhere = None
        del self.root
        self.judge = None
        self._forget_bodies()
