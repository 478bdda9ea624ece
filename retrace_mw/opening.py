"""Opening: what both protocols do between a request and its open recording scope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, installer, writer
from retrace_core.errors import ConfigurationError
from retrace_core.ids import new_span_id, valid_service
from retrace_core.recording import DecisionRecord, Request
from retrace_core.scope import RecordingScope, open_scope
from retrace_core.settings import Settings, resolve
from retrace_core.store import open_store
from retrace_mw.deciders import SampleRate, TraceHeader
from retrace_mw.decision import NO, Decider, Decision, any_of
from retrace_mw.propagation import inject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retrace_mw.request import RequestView

__all__ = ["Gatekeeper", "install_early"]


class Gatekeeper:
    """Decides on each request of one application, and opens its scope.

    Args:
        app: the wrapped application.
        decide: the decider; default: X-Trace-ID, else the sample rate.
        options: settings by name, as keyword arguments of the middleware.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(self, app: Any, decide: Decider | None, options: Mapping[str, object]) -> None:
        self.settings: Settings = resolve(options)
        self.enabled = self.settings.enabled
        self.decide: Decider = decide or any_of(
            TraceHeader(per_s=self.settings.trace_header_per_s),
            SampleRate(self.settings.sample_rate),
        )
        self._app = app
        self._service = self.settings.service
        if self.enabled:
            installer.install()
            store = open_store(self.settings.recording_path)
            writer.configure(store, queue_bytes=self.settings.queue_bytes)

    def verdict(self, request: RequestView) -> Decision:
        """Return the decision on a request; a decider that fails means no."""
        try:  # not the gate, whose with-block every request would pay
            return self.decide(request)
        except Exception as error:
            failsafe.report("decide", error)
            return NO

    def open(
        self, view: RequestView, decision: Decision, build: Callable[[], Request], app: Any = None
    ) -> RecordingScope | None:
        """Return an open scope for a request, or None when it can't be recorded.

        Args:
            view: the request.
            decision: why it is recorded.
            build: describes what came in.
            app: the application as the request names it, where it does (ASGI's scope["app"]).
        """
        owner = self._app if app is None else app
        with failsafe.gate("open scope"):
            trace = view.trace
            span_id = new_span_id()
            return open_scope(
                settings=self.settings,
                service=self._service or self._name_service(owner),
                trace_id=trace.trace_id,
                span_id=span_id,
                parent_span_id=trace.parent_span_id,
                folder=trace.folder or trace.trace_id,
                given_trace_id=trace.given,
                decision=DecisionRecord(decision.verdict, decision.decider, decision.reason),
                request=build(),
                outgoing_headers=inject(trace, span_id),
                app=owner,
            )
        return None

    def _name_service(self, app: Any) -> str:
        self._service = service_name(app)
        return self._service


def install_early() -> None:
    """Install the boundaries when this package is imported, if the environment enables it.

    A database connection that is opened before the middleware is constructed, and stays in a
    pool, would otherwise never be recorded. Wrong settings are reported by the constructor.
    """
    with failsafe.gate("install"):
        try:
            enabled = resolve().enabled
        except ConfigurationError:
            return
        if enabled:
            installer.install()


def service_name(app: Any) -> str:
    """Return a service name made from the application's title, name or module."""
    owner = getattr(app, "__self__", app)
    for _ in range(12):
        for attribute in ("title", "import_name", "name"):
            name = _clean(getattr(owner, attribute, None))
            if name:
                return name
        inner = getattr(owner, "app", None)
        if inner is None or inner is owner:
            break
        owner = getattr(inner, "__self__", inner)
    return _clean(getattr(owner, "__module__", None)) or "service"


def _clean(name: object) -> str:
    if not isinstance(name, str) or name in ("__main__", "FastAPI"):
        return ""
    cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._").lower()[:64]
    return cleaned if valid_service(cleaned) else ""
