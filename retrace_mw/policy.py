"""Policy: what is in force for one application, made from its settings, replaced as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.settings import Settings, resolve
from retrace_core.spooling import local_folder
from retrace_mw.chosen_decider import Choice, choose
from retrace_mw.decision import Decider, awaits, to_call
from retrace_mw.limiter import Limiter
from retrace_mw.limits import Limits, limits_of
from retrace_mw.response_headers import ResponseHeaders
from retrace_mw.trace_headers import TraceHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Policy", "make_policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is in force for one application."""

    settings: Settings
    enabled: bool
    """False: every request passes straight through."""
    choice: Choice
    """The decider, and where it came from."""
    decide: Decider
    """What calls the decider."""
    awaits: bool
    """True when the decider's answer must be awaited."""
    limiter: Limiter
    trace_headers: TraceHeaders
    hands_on: bool
    """True when outgoing calls of unrecorded requests carry their trace."""
    response_headers: ResponseHeaders


def make_policy(
    options: Mapping[str, object],
    *,
    decide: Decider | None,
    limits: Limits | None,
    before: Policy | None = None,
) -> Policy:
    """Return the policy that keywords, environment and file ask for now.

    Args:
        options: settings given as keyword arguments of the middleware.
        decide: the decider given in code, if one is.
        limits: the limits given in code, if any are.
        before: the policy that this one replaces; equal limits go on with its account, and of
            equal settings its decider stays.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    settings = resolve(options)
    choice = choose(settings, decide, None if before is None else before.choice)
    if limits is not None and not isinstance(limits, Limits):
        raise ConfigurationError("limits", limits, "Limits(share=0.3), say")
    allowed = limits or limits_of(settings)
    if before is not None and before.limiter.limits == allowed:
        limiter = before.limiter
        limiter.moved(local_folder(settings))
    else:
        limiter = Limiter(allowed, local_folder(settings))
    return Policy(
        settings=settings,
        enabled=settings.enabled and not is_stopped(settings),
        choice=choice,
        decide=to_call(choice.decider),
        awaits=awaits(choice.decider),
        limiter=limiter,
        trace_headers=TraceHeaders(settings.trace_header),
        hands_on=settings.propagate_unrecorded,
        response_headers=ResponseHeaders(
            server_timing=settings.server_timing, traceresponse=settings.traceresponse
        ),
    )


def is_stopped(settings: Settings) -> bool:
    """Return True while the file that stops all recording is there."""
    return bool(settings.stop_file) and os.path.exists(settings.stop_file)
