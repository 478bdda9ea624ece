"""OpenFeature: what each flag answered the application, whoever its provider is.

An event has flag, default, type, context and domain as its key, and value, variant, reason and
error as its answer. Of the context counts what the call and its transaction give; what is set
on the API or the client may name the host. What provider and hooks do for it is silent. On
replay providers are set, and never initialised.

Hooks: `OpenFeatureClient.evaluate_flag_details` and `evaluate_flag_details_async`, through
which all `get_*` go; `get_provider_status` and `track`; and the registry's
`_initialize_provider`. Read in openfeature-sdk 0.10 and 0.8.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from openfeature.client import OpenFeatureClient
from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason
from openfeature.provider import ProviderStatus
from openfeature.provider._registry import ProviderRegistry
from openfeature.transaction_context import get_transaction_context

from retrace_core.boundary import Boundary, Hook, Patch, in_replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from openfeature.evaluation_context import EvaluationContext


def _key(
    client: OpenFeatureClient,
    flag_type: Any,
    flag_key: str,
    default_value: Any,
    evaluation_context: EvaluationContext | None = None,
    flag_evaluation_options: object = None,
) -> object:
    context = _context(evaluation_context)
    return flag_key, _plain(default_value), str(flag_type), context, client.domain


def _context(given: EvaluationContext | None) -> dict[str, Any]:
    context = get_transaction_context()
    if given is not None:
        context = context.merge(given)
    return {"targetingKey": context.targeting_key, **dict(context.attributes)}


def _plain(value: Any) -> Any:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


def _encode(details: FlagEvaluationDetails[Any]) -> object:
    return (
        _plain(details.value),
        details.variant,
        details.reason and str(details.reason),
        details.error_code and details.error_code.value,
        details.error_message,
        dict(details.flag_metadata),
        details.flag_key,
    )


def _decode(answer: Any) -> FlagEvaluationDetails[Any]:
    value, variant, reason, error, message, metadata, flag_key = answer
    return FlagEvaluationDetails(
        flag_key=flag_key,
        value=value,
        variant=variant,
        flag_metadata=metadata,
        reason=Reason(reason) if reason in list(Reason) else reason,
        error_code=ErrorCode(error) if error else None,
        error_message=message,
    )


def _track_key(
    client: object,
    tracking_event_name: str,
    evaluation_context: EvaluationContext | None = None,
    tracking_event_details: Any = None,
) -> object:
    details = tracking_event_details and (
        tracking_event_details.value,
        dict(tracking_event_details.attributes),
    )
    return tracking_event_name, _context(evaluation_context), details


def _hooked_initialize(initialize: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(initialize)
    def initializing(self: ProviderRegistry, provider: Any, *args: Any, **kwargs: Any) -> None:
        if not in_replay():
            return initialize(self, provider, *args, **kwargs)
        self.dispatch_event(provider, ProviderEvent.PROVIDER_READY, ProviderEventDetails())
        return None

    return initializing


def _evaluating(name: str) -> Hook:
    return Hook(
        owner=OpenFeatureClient,
        name=name,
        kind="openfeature.evaluate",
        key=_key,
        encode=_encode,
        decode=_decode,
    )


BOUNDARY = Boundary(
    kind="openfeature",
    supports="openfeature-sdk>=0.8",
    hooks=(
        _evaluating("evaluate_flag_details"),
        _evaluating("evaluate_flag_details_async"),
        Hook(
            owner=OpenFeatureClient,
            name="get_provider_status",
            key=lambda _: None,
            encode=lambda status: status.value,
            decode=ProviderStatus,
        ),
        *(
            (Hook(owner=OpenFeatureClient, name="track", key=_track_key),)
            if hasattr(OpenFeatureClient, "track")
            else ()  # before 0.9
        ),
        Patch(ProviderRegistry, "_initialize_provider", _hooked_initialize),
    ),
    errors=("openfeature.exception",),
)
