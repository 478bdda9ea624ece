"""LaunchDarkly evaluations as events: what the SDK's two clients, sync and async, share.

Every evaluation passes one place, where also the SDK's own hooks hang; there the reason and
the variation's index are known of a plain `variation()` too. Version 8 has no hooks, and no
migrations; all its evaluations pass `_evaluate_internal`. Imported only by boundaries.
"""

from __future__ import annotations

import functools
import inspect
import json
from typing import TYPE_CHECKING, Any

from ldclient.evaluation import EvaluationDetail, FeatureFlagsState

from retrace_core.boundary import Hook, Patch, call, call_async
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ldclient.context import Context

__all__ = ["evaluation_hooks", "offline"]


def evaluation_hooks(client: type) -> tuple[Hook | Patch, ...]:
    """Return what is hooked of a client class.

    Args:
        client: `LDClient` or `AsyncLDClient`.
    """
    with_hooks = f"_{client.__name__}__evaluate_with_hooks"
    evaluating: Hook | Patch = Hook(
        owner=client,
        name="_evaluate_internal",
        kind="ldclient.variation",
        key=_evaluation_key,
        encode=_encode_detail,
        decode=_decode_detail,
    )
    if hasattr(client, with_hooks):
        evaluating = Patch(client, with_hooks, _hooked_evaluate)
    return (
        evaluating,
        Hook(
            owner=client,
            name="all_flags_state",
            key=_state_key,
            encode=_encode_state,
            decode=_decode_state,
        ),
        Hook(owner=client, name="is_initialized", key=_no_key),
        Hook(owner=client, name="is_offline", key=_no_key),
        Hook(owner=client, name="secure_mode_hash", key=lambda _, context: _canonical(context)),
    )


def offline(config: Any) -> Any:
    """Return a configuration with the same key that starts no thread and asks no service."""
    return type(config)(sdk_key=config.sdk_key, offline=True, send_events=False)


def _no_key(*_: object) -> None:
    return None


def _evaluation_key(_: object, key: str, context: Any, default: Any, *__: object) -> object:
    return key, default, _canonical(context)


def _encode_detail(detail: EvaluationDetail) -> object:
    return detail.value, detail.variation_index, detail.reason


def _decode_detail(answer: Any) -> EvaluationDetail:
    return EvaluationDetail(*answer)


def _state_key(client: object, context: Context, **options: Any) -> object:
    return _canonical(context), options


def _canonical(context: Any) -> str:
    """Return a context as JSON, the same text for the same context."""
    try:
        return json.dumps(context.to_dict(), sort_keys=True, separators=(",", ":"), default=repr)
    except AttributeError:  # what is no context is an answer of the SDK's, not ours
        return repr(type(context))


def _hooked_evaluate(original: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def evaluate_async(
            self: Any, key: str, context: Context, default_value: Any, method: str, block: Any
        ) -> Any:
            lane = current()
            live = functools.partial(original, self, key, context, default_value, method, block)
            if lane is None:
                return await live()
            asked = (key, default_value, _canonical(context))
            decode = functools.partial(_decode, key, context, default_value)
            return await call_async(lane, f"ldclient.{method}", asked, live, _encode, decode)

        return evaluate_async

    @functools.wraps(original)
    def evaluate(
        self: Any, key: str, context: Context, default_value: Any, method: str, block: Any
    ) -> Any:
        lane = current()
        if lane is None:
            return original(self, key, context, default_value, method, block)
        asked = (key, default_value, _canonical(context))
        live = functools.partial(original, self, key, context, default_value, method, block)
        decode = functools.partial(_decode, key, context, default_value)
        return call(lane, f"ldclient.{method}", asked, live, _encode, decode)

    return evaluate


def _encode(result: Any) -> object:
    detail = result.evaluation_detail
    answer = (detail.value, detail.variation_index, detail.reason)
    return answer if result.results is None else (*answer, result.results["default_stage"].value)


def _decode(key: str, context: Context, default: Any, answer: Any) -> Any:
    from ldclient.hook import _EvaluationWithHookResult as Result
    from ldclient.migrations import OpTracker, Stage

    value, index, reason, *more = answer
    detail = EvaluationDetail(value, index, reason)
    if not more:
        return Result(evaluation_detail=detail)
    stage = Stage.from_str(more[0]) or Stage.OFF
    tracker = OpTracker(key, None, context, detail, Stage.from_str(default) or Stage.OFF)
    return Result(evaluation_detail=detail, results={"default_stage": stage, "tracker": tracker})


def _encode_state(state: FeatureFlagsState) -> dict[str, Any]:
    return state.to_json_dict()


def _decode_state(recorded: Mapping[str, Any]) -> FeatureFlagsState:
    state = FeatureFlagsState(bool(recorded["$valid"]))
    values = {name: value for name, value in recorded.items() if not name.startswith("$")}
    # The SDK has no public way to build one from what it gives out.
    state._FeatureFlagsState__flag_values.update(values)  # type: ignore[attr-defined]
    state._FeatureFlagsState__flag_metadata.update(  # type: ignore[attr-defined]
        recorded["$flagsState"]
    )
    return state
