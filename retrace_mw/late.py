"""Late: deciding when the application knows who asks, after its own authentication."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from retrace_core.current_scope import active_scope
from retrace_core.errors import ConfigurationError
from retrace_core.http_clients.http_exchange import UNRECORDED
from retrace_core.lanes import mask
from retrace_core.protocol import Protocol, detect
from retrace_mw.decision import NO, Decider, Decision, awaits, checked_decider
from retrace_mw.pending import Pending
from retrace_mw.request import RequestView

if TYPE_CHECKING:
    from retrace_mw.finished import FinishedRequest

__all__ = ["Late", "LateDecisionMiddleware", "decide_late"]


class Late:
    """Records provisionally, and asks `decider` when `decide_late` says who the user is.

    A request for which `decide_late` is never called is dropped, with nothing written.

    Args:
        decider: sees in `request.facts` what `decide_late` was told.

    Raises:
        ConfigurationError: it is no decider, or async: `decide_late` has no one to wait for it.
    """

    __slots__ = ("_tail", "decider")

    def __init__(self, decider: Decider) -> None:
        if awaits(checked_decider("Late", decider)):
            allowed = "a decider that answers at once; fetch what it needs before decide_late"
            raise ConfigurationError("Late", decider, allowed)
        self.decider = decider
        self._tail = Decision("tail", "until decide_late is called", "Late", self._keep)

    def __repr__(self) -> str:
        return f"Late({self.decider!r})"

    def __call__(self, request: RequestView) -> Decision:
        """Return "tail", and leave word for `decide_late`."""
        request.late[self] = None
        return self._tail

    def decide(self, request: RequestView) -> Decision:
        """Return what the decider says of the request now, and remember it for its end."""
        answer: Any = self.decider(request)
        decision: Decision = answer
        request.late[self] = decision
        return decision

    def settles(self, decision: Decision) -> bool:
        """Return True when nothing else than this decider could keep the recording."""
        return decision is self._tail

    def _keep(self, finished: FinishedRequest) -> Decision:
        decision: Decision | None = finished.request.late.get(self)
        if decision is None:
            return Decision("no", "decide_late was not called", "Late")
        if decision.verdict == "tail" and decision.keep is not None:
            return decision.keep(finished)
        return decision


def decide_late(**facts: Any) -> Decision:
    """Tell the deciders wrapped in `Late` what the application knows now, and let them decide.

    Call it from a handler or a hook after authentication: `decide_late(user=user.id)`. After a
    "no" that nothing else can overrule, recording stops at once and nothing is written. Outside
    a provisional recording it does nothing.

    Args:
        facts: seen by the deciders as `request.facts`; those of earlier calls stay.

    Returns:
        The first decision that is not "no", else the last one.
    """
    recording_scope: Any = active_scope()
    pending: Pending | None = getattr(recording_scope, "judge", None)
    if not isinstance(pending, Pending):
        return NO
    if pending.decision.verdict != "tail":
        return pending.decision
    request = pending.request
    request.facts.update(facts)
    decision = NO
    with mask():  # what a flag's SDK asks here is our question, and not the request's
        for late in list(request.late):
            decision = late.decide(request)
            if decision.verdict != "no":
                return decision
            if late.settles(pending.decision):
                recording_scope.discard()
                pending.limiter.ended()
                UNRECORDED.set(request)  # its further calls hand on the trace, as unrecorded
    return decision


Facts = Callable[[RequestView], Mapping[str, Any]]


class LateDecisionMiddleware:
    """Calls `decide_late` for every request; put it behind the authentication middleware.

    Args:
        app: the application, ASGI or WSGI.
        facts: what is known of the request by now, as keyword arguments of `decide_late`; what
            other middleware has found out is in `request.source`, the scope or environ.

    Raises:
        ConfigurationError: the application's kind can't be told.
    """

    def __new__(cls, app: Any, *, facts: Facts) -> Any:
        """Return the middleware of the protocol that `app` speaks."""
        found = detect(app)
        if found is Protocol.ASGI:

            async def asgi(scope: Any, receive: Any, send: Any) -> None:
                if scope["type"] == "http" and active_scope() is not None:
                    decide_late(**facts(RequestView(scope, asgi=True)))
                await app(scope, receive, send)

            return asgi
        if found is Protocol.WSGI:

            def wsgi(environ: Any, start_response: Any) -> Any:
                if active_scope() is not None:
                    decide_late(**facts(RequestView(environ, asgi=False)))
                return app(environ, start_response)

            return wsgi
        raise ConfigurationError("app", app, "an ASGI or WSGI application")
