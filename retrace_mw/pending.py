"""Pending: one recorded request on its way to its end, where it is kept or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core import failsafe
from retrace_core.recording import DecisionRecord
from retrace_core.stats import count
from retrace_mw import otel
from retrace_mw.decision import NO, Decision
from retrace_mw.finished import FinishedRequest
from retrace_mw.route import plain_pattern

if TYPE_CHECKING:
    from retrace_core.scope import RecordingScope
    from retrace_mw.limiter import Limiter
    from retrace_mw.request import RequestView
    from retrace_mw.warming import Warming

__all__ = ["Pending", "mark_span"]

_NOTHING_MADE = (404, 405)
"""What nobody serves leaves nothing behind; scanners ask for it under a thousand names."""


class Pending:
    """Judges at the end whether a recording is kept; its scope calls it, once.

    Args:
        request: the request.
        decision: what was decided at its start, "yes" or "tail"; "no" of a warm-up.
        limiter: has the last word.
        warming: counts the warm-ups.
    """

    __slots__ = ("decision", "limiter", "request", "warming")

    def __init__(
        self, request: RequestView, decision: Decision, limiter: Limiter, warming: Warming
    ) -> None:
        self.request = request
        self.decision = decision
        self.limiter = limiter
        self.warming = warming

    def __call__(self, scope: RecordingScope) -> DecisionRecord | None:
        """Return why the recording is kept, or None to drop it; a "yes" survives our faults."""
        decision, kept = self.decision, None
        try:
            scope.route = plain_pattern(getattr(self.request, "route", ""))
            if scope.warms:
                scope.warms = scope.status not in _NOTHING_MADE
                self.warming.ended(kept=scope.warms)
            if decision.verdict == "no":
                return None
            may_suppress = self.limiter.looks_at_the_end and scope.failure is not None
            if decision.verdict == "tail" or may_suppress:
                finished = finish(scope, self.request)
                if decision.verdict == "tail":
                    decision = decision.keep(finished) if decision.keep is not None else NO
                    if decision.verdict != "yes":
                        count("dropped.tail")
                        scope.warms = scope.warms and decision.warms
                        return None
                if self.limiter.suppresses(finished, self.decision):
                    # The ring is for what nobody wanted yet. What a limit turns down was wanted,
                    # and comes in floods: it would push all else out, and pass the limit later.
                    scope.may_be_held = False
                    return None
            kept = self.request
        except Exception as error:
            failsafe.report("tail decision", error)
            if self.decision.verdict != "yes":
                return None
        finally:
            self.limiter.ended(sum([lane.events for lane in scope.lanes]), kept)
        if self.decision.verdict == "tail":
            mark_span(scope, decision, kept=True)
        return DecisionRecord(self.decision.verdict, decision.decider, decision.reason)


def mark_span(scope: RecordingScope, decision: Decision, *, kept: bool) -> None:
    """Tell the active OpenTelemetry span why, and where, its request is recorded.

    Args:
        scope: the recording.
        decision: why it is recorded, or kept.
        kept: True when it is certain by now that there will be a recording.
    """
    with failsafe.gate("opentelemetry"):
        said = f"{decision.verdict}: {decision.decider}: {decision.reason}"
        otel.mark(f"{scope.folder}/{scope.service}" if kept else "", said)


def finish(scope: RecordingScope, request: RequestView) -> FinishedRequest:
    """Return what is known of a request at its end."""
    return FinishedRequest(
        request=request,
        status=scope.status,
        headers=tuple(scope.response_headers),
        failure=scope.failure,
        duration_s=scope.duration_s,
        complete=scope.complete,
    )
