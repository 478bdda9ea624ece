"""Opening: what both protocols do between a request and its open recording scope."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import logging
import threading
from typing import TYPE_CHECKING, Any

from retrace_core import failsafe, flight_recorder, installer, leaving_at_once, sigterm, writer
from retrace_core.boot import recording as boot_recording
from retrace_core.boot.tape import end_boot
from retrace_core.boundary import in_replay
from retrace_core.concurrency.green_threads import patched_by
from retrace_core.coverage import coverage_watch
from retrace_core.errors import ConfigurationError, GreenThreadsRefused, StoreError
from retrace_core.forked import notice_fork
from retrace_core.ids import new_span_id
from retrace_core.recording import DecisionRecord, Request
from retrace_core.redaction.in_force import encoding
from retrace_core.scope import RecordingScope
from retrace_core.settings import resolve, unknown_variables
from retrace_core.spooling import store_for
from retrace_core.stats import count
from retrace_mw.decision import NO, Decider, Decision
from retrace_mw.pending import Pending, mark_span
from retrace_mw.policy import Policy, make_policy
from retrace_mw.propagation import outgoing_headers
from retrace_mw.reload import FileWatch
from retrace_mw.service_name import service_name
from retrace_mw.tally import note
from retrace_mw.warming import Warming

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from retrace_mw.limits import Limits
    from retrace_mw.request import RequestView

__all__ = ["DECIDED", "Gatekeeper", "install_early"]

DECIDED = "retrace.decided"
"""In the ASGI scope or WSGI environ of a request while a middleware further out serves it."""

_logger = logging.getLogger("retrace")
_WHERE_TO = (
    "recording_path queue_bytes flight_recorder_bytes flight_recorder_s flight_recorder_triggers"
    " share_keeps coverage_watch spool spool_bytes ship ship_exit_s pack_from"
    " redact redact_names redact_keep redact_patterns redact_paths redact_detectors"
    " redact_for_good redact_point_to_code redact_key seal_to encrypt_to record_secret_variables"
).split()


class Gatekeeper:
    """Decides on each request of one application, and opens its scope.

    Args:
        app: the wrapped application.
        decide: the decider; default: what the settings say.
        limits: what recording may cost; default: what the settings say.
        options: settings by name, as keyword arguments of the middleware.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(
        self,
        app: Any,
        decide: Decider | None,
        limits: Limits | None,
        options: Mapping[str, object],
    ) -> None:
        self._app = app
        self._decide = decide
        self._limits = limits
        self._options = options
        settings = resolve(options)
        _tell_unknown()
        files = [path for path in (settings.config, settings.stop_file) if path]
        self._watch = FileWatch(files) if files else None
        self._reloading = threading.Lock()
        self._policy = make_policy(options, decide=decide, limits=limits)
        self._service = self._policy.settings.service
        self._started = False
        self.warming = Warming(settings.warm_ups if settings.boot_tape else 0)
        """Which requests are recorded for what they leave in memory."""
        self.booting = True
        """True until the first request has come."""
        if self._policy.enabled and not self._refuses():
            self._start(self._policy)

    def booted(self) -> None:
        """Take note that the first request has come."""
        with failsafe.gate("after a fork"):
            notice_fork()
        end_boot()
        # Not before: those that come at once would run within the start-up, and be taken for it.
        self.booting = False
        if self._policy.enabled:
            self._refuses()  # gunicorn patches after the fork: --preload has made us before

    def _refuses(self) -> bool:
        """Return True, and record nothing from now on, where green threads run as threads."""
        with failsafe.gate("green threads"):
            name = patched_by()
            if name:
                self._watch = None
                self._policy = dataclasses.replace(self._policy, enabled=False)
                _tell_refusal(name)
                return True
        return False

    def policy(self) -> Policy:
        """Return what is in force now; a changed file counts from within a second on."""
        watch = self._watch
        if watch is not None and watch.clock() >= watch.due and watch.changed():
            self._reload()
        return self._policy

    def _start(self, policy: Policy) -> None:
        installer.install()
        if policy.settings.coverage_watch:
            coverage_watch.begin()
        boot_recording.begin(policy.settings)
        store = store_for(policy.settings)
        writer.configure(
            store, queue_bytes=policy.settings.queue_bytes, encode=encoding(policy.settings)
        )
        sigterm.watch()
        leaving_at_once.watch()
        flight_recorder.configure(policy.settings, store)
        self._started = True

    def _reload(self) -> None:
        """Put new settings in force as a whole; wrong ones change nothing, and are told."""
        # One at a time: who read an older file must not have the last word.
        with failsafe.gate("reload"), self._reloading:
            before = self._policy
            try:
                policy = make_policy(
                    self._options, decide=self._decide, limits=self._limits, before=before
                )
                if policy.enabled and (not self._started or _moved(before, policy)):
                    self._start(policy)
            except (ConfigurationError, StoreError) as error:
                count("config.rejected")
                _logger.error("retrace: changed settings are not used: %s", error)
                return
            self._policy = policy
            self._service = policy.settings.service or self._service
            count("config.reloaded")
            state = "on" if policy.enabled else "off"
            _logger.info("retrace: settings read again, recording is %s", state)

    def verdict(self, policy: Policy, request: RequestView) -> Decision:
        """Return the decision on a request; a decider that fails means no."""
        policy.limiter.seen += 1
        try:  # not the gate, whose with-block every request would pay
            answer: Any = policy.decide(request)
            if type(answer) is Decision:
                note(answer)
                return answer
        except Exception as error:
            failsafe.report("decide", error)
            return NO
        return _no_decision(answer)

    async def verdict_async(self, policy: Policy, request: RequestView) -> Decision:
        """Return the decision on a request of a decider that is to be awaited."""
        policy.limiter.seen += 1
        try:
            answer: Any = policy.decide(request)
            if inspect.isawaitable(answer):
                answer = await answer
            if type(answer) is Decision:
                note(answer)
                return answer
        except Exception as error:
            failsafe.report("decide", error)
            return NO
        return _no_decision(answer)

    def verdict_waiting(self, policy: Policy, request: RequestView) -> Decision:
        """Do what `verdict_async` does, for WSGI: in an event loop of its own."""
        waiting = self.verdict_async(policy, request)
        try:
            return asyncio.run(waiting)
        except Exception as error:
            waiting.close()
            failsafe.report("decide", error)
            return NO

    def open(
        self,
        policy: Policy,
        view: RequestView,
        decision: Decision,
        build: Callable[[], Request],
        app: Any = None,
    ) -> RecordingScope | None:
        """Return an open scope for a request, or None when it can't be recorded.

        Args:
            policy: what the decision was made by.
            view: the request.
            decision: why it is recorded; a "no" of the first request of its kind.
            build: describes what came in.
            app: the application as the request names it, where it does (ASGI's scope["app"]).
        """
        if in_replay():
            return None
        try:  # not the gate, whose with-block costs half a microsecond
            if policy.limiter.admits(view, decision):
                return self._opened(policy, view, decision, build, app)
        except Exception as error:
            failsafe.report("open scope", error)
        return None

    def _opened(
        self,
        policy: Policy,
        view: RequestView,
        decision: Decision,
        build: Callable[[], Request],
        app: Any,
    ) -> RecordingScope:
        owner = self._app if app is None else app
        try:
            trace = view.trace
            span_id = new_span_id()
            found = RecordingScope(
                settings=policy.settings,
                service=self._service or self._name_service(owner),
                trace_id=trace.trace_id,
                span_id=span_id,
                parent_span_id=trace.parent_span_id,
                folder=trace.name,
                given_trace_id=trace.given,
                decision=DecisionRecord(decision.verdict, decision.decider, decision.reason),
                request=build(),
                outgoing_headers=outgoing_headers(
                    trace, span_id, decision.verdict, decision.threshold
                ),
                app=owner,
                judge=Pending(view, decision, policy.limiter, self.warming),
            )
        except BaseException:
            policy.limiter.ended()
            raise
        self._prepare(found, view, decision)
        return found

    def warms(self, view: RequestView) -> bool:
        """Return True for the first request of its kind."""
        try:  # not the gate, whose with-block every request would pay
            return self.warming.is_first(view)
        except Exception as error:
            failsafe.report("warm-up", error)
            return False

    def _prepare(self, scope: RecordingScope, view: RequestView, decision: Decision) -> None:
        verdict, warming = decision.verdict, self.warming
        if verdict == "no":
            scope.warms, scope.may_be_held = True, False
            return
        # What a rate below 1 keeps of the first ones is a warm-up as well: it lies in a trace
        # that nobody may have at hand.
        if warming.open and (verdict == "tail" or decision.threshold.strip("0")):
            scope.warms = warming.is_first(view)
        if not view.is_unnamed:  # else no span is active
            mark_span(scope, decision, kept=verdict == "yes")

    def _name_service(self, app: Any) -> str:
        self._service = service_name(app)
        return self._service


def _no_decision(answer: object) -> Decision:
    """Return no for what is no decision: a fault, or an awaitable that nobody can await."""
    if inspect.iscoroutine(answer):
        answer.close()
    told = f"a decider returned {type(answer).__name__}; it must return a retrace_mw.Decision"
    failsafe.report("decide", TypeError(told))
    return NO


def _moved(before: Policy, after: Policy) -> bool:
    """Return True when recordings go elsewhere, or wait in another way, than before."""
    return any(
        getattr(before.settings, name) != getattr(after.settings, name) for name in _WHERE_TO
    )


_refused: set[str] = set()


@functools.cache
def _tell_unknown() -> None:
    """Say once in a process which variables mean nothing; most likely they are misspelt."""
    for name, advice in unknown_variables().items():
        shown = "retrace config lists them" if " " in advice else f"use {advice}"
        _logger.warning("retrace: no setting has the name %s: %s", name, shown)


def _tell_refusal(name: str) -> None:
    """Say once in a process that nothing is recorded, and take out what was installed."""
    count(f"refused.{name}")
    if name not in _refused:
        _refused.add(name)
        installer.uninstall()
        _logger.warning("retrace: nothing is recorded: %s", GreenThreadsRefused(name))


def install_early() -> None:
    """Install the boundaries when this package is imported, if the environment enables it.

    A database connection that is opened before the middleware is constructed, and stays in a
    pool, would otherwise never be recorded. Wrong settings are reported by the constructor.
    """
    with failsafe.gate("install"):
        try:
            settings = resolve()
        except ConfigurationError:
            return
        if settings.enabled and not patched_by():
            installer.install()
            boot_recording.begin(settings)
            sigterm.watch()
            leaving_at_once.watch()
