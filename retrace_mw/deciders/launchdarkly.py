"""LaunchDarklyFlag: a LaunchDarkly flag says whether a request is recorded."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import threading
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_mw.flag_decider import FlagDecider, Unanswered, named_key

if TYPE_CHECKING:
    from types import ModuleType

    from ldclient import LDClient
    from ldclient.context import Context

    from retrace_mw.decision import Decider
    from retrace_mw.flag_context import ContextSource, FlagContext
    from retrace_mw.request import RequestView

__all__ = ["LaunchDarklyFlag"]

_REASONS = {
    "CLIENT_NOT_READY": "not_ready",
    "FLAG_NOT_FOUND": "not_found",
    "USER_NOT_SPECIFIED": "no_key",
}


_INSTALL = "it after pip install retrace-mw[launchdarkly]: launchdarkly-server-sdk is missing"


class LaunchDarklyFlag(FlagDecider):
    """Asks a LaunchDarkly flag, in memory: nothing waits for the network.

    Without a value (SDK not configured, not ready yet or unreachable since its start, no such
    flag, no targeting key, anything raised) the default counts, and it is counted as
    "flag.<reason>": not_configured, not_ready, not_found, no_key, context_failed,
    evaluation_failed, unknown_variation.

    Args:
        flag: its key; what its variations may be is in `retrace_mw.variation`.
        context: whom it is evaluated for: a function of the request that returns a
            `FlagContext`, a key, or an `ldclient.Context`, sync or async; or a ready-made one
            of `retrace_mw.flag_context`, also as text. Default: the trace.
        client: an `LDClient` or `AsyncLDClient`; default: the one of `ldclient.get()`, as
            soon as the application has called `ldclient.set_config()`.
        default: the value that counts without one: "no", "tail", "full", a rate ...
        tail: the decider that is asked when the flag says "tail"; default: kept is what failed.

    Raises:
        ConfigurationError: an argument is wrong, or the SDK is not installed.
    """

    __slots__ = ("_client", "_starting")

    def __init__(
        self,
        flag: str,
        *,
        context: ContextSource | str = "trace",
        client: Any = None,
        default: object = "no",
        tail: Decider | None = None,
    ) -> None:
        super().__init__(flag, context=context, default=default, tail=tail)
        if importlib.util.find_spec("ldclient") is None:
            raise ConfigurationError("LaunchDarklyFlag", flag, _INSTALL)
        self._client: LDClient | None = client
        self._starting: threading.Thread | None = None
        if client is not None:
            self._given["client"] = (client, "None")
            if inspect.iscoroutinefunction(client.variation_detail):
                self.is_async = True

    def _read(self, answer: object) -> Any:
        # The SDK's own context is passed on as it is.
        own = type(answer).__module__ == "ldclient.context"
        return answer if own else _sdk_context(super()._read(answer))

    def evaluate(self, request: RequestView, context: Any) -> object:
        """Return the flag's value for an SDK context."""
        client = self._client or self._shared_client()
        if not client.is_initialized():  # asked here, since evaluating would log each time
            raise Unanswered("not_ready", "the SDK has no flags yet")
        return _value(client.variation_detail(self.flag, context, None))

    async def evaluate_async(self, request: RequestView, context: Any) -> object:
        """Return the flag's value, of an `AsyncLDClient` too."""
        client: Any = self._client
        if client is None or not inspect.iscoroutinefunction(client.variation_detail):
            return self.evaluate(request, context)
        if not await client.is_initialized():
            raise Unanswered("not_ready", "the SDK has no flags yet")
        return _value(await client.variation_detail(self.flag, context, None))

    def _shared_client(self) -> LDClient:
        """Return the SDK's shared client, where there is one; its start waits elsewhere."""
        ldclient = importlib.import_module("ldclient")
        state = vars(ldclient)
        client: LDClient | None = state.get("__client")
        if client is not None:
            return client
        if state.get("__config") is None:
            raise Unanswered("not_configured", "the application has not called set_config()")
        if self._starting is None or not self._starting.is_alive():
            # `get()` waits up to five seconds for the service: not in a request.
            self._starting = threading.Thread(target=_start, args=(ldclient,), daemon=True)
            self._starting.start()
        raise Unanswered("not_ready", "the SDK's client is being started")


def _start(ldclient: ModuleType) -> None:
    try:
        ldclient.get()
    except Exception:  # noqa: BLE001  # its own log says why; the next request tries again
        return


def _value(detail: Any) -> object:
    reason: dict[str, Any] = detail.reason or {}
    if reason.get("kind") == "ERROR":
        error = str(reason.get("errorKind"))
        raise Unanswered(_REASONS.get(error, "evaluation_failed"), error)
    if detail.variation_index is None:
        raise Unanswered("not_found", f"it has no variation to serve: {reason.get('kind')}")
    return detail.value


def _sdk_context(context: FlagContext) -> Context:
    from ldclient.context import Context

    named_key(context)
    parts: list[Context] = []
    for one in (context, *context.also):
        if not one.attributes:  # a quarter of what a builder costs
            parts.append(Context.create(one.key, one.kind))
            continue
        builder = Context.builder(one.key).kind(one.kind)
        for name, value in one.attributes.items():
            if name not in ("key", "kind"):
                builder.set(name, value)
        parts.append(builder.build())
    whole = parts[0] if len(parts) == 1 else Context.create_multi(*parts)
    if not whole.valid:
        raise ValueError(f"no context for LaunchDarkly: {whole.error}")
    return whole
