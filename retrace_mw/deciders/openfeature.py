"""OpenFeatureFlag: a flag of any OpenFeature provider says whether a request is recorded."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_mw.flag_decider import FlagDecider, Unanswered, named_key

if TYPE_CHECKING:
    from retrace_mw.decision import Decider
    from retrace_mw.flag_context import ContextSource, FlagContext
    from retrace_mw.request import RequestView

__all__ = ["OpenFeatureFlag"]

_REASONS = {
    "PROVIDER_NOT_READY": "not_ready",
    "FLAG_NOT_FOUND": "not_found",
    "TARGETING_KEY_MISSING": "no_key",
    "INVALID_CONTEXT": "context_failed",
}
_TYPES: tuple[tuple[str, object], ...] = (
    ("boolean", False),
    ("string", ""),
    ("object", {}),
    ("float", 0.0),
)
_WORKERS = 4
_INSTALL = "it after pip install retrace-mw[openfeature]: openfeature-sdk is missing"


class OpenFeatureFlag(FlagDecider):
    """Asks a flag of the provider that the application has set with `openfeature.api`.

    An OpenFeature flag is asked by its type; which one this flag has is found out at the
    first request. Without a value the default counts, counted as "flag.<reason>" as for
    `LaunchDarklyFlag`, and also: timeout, busy.

    Args:
        flag: its key; what its variations may be is in `retrace_mw.variation`.
        context: whom it is evaluated for, as for `LaunchDarklyFlag`; a function may return an
            `openfeature.evaluation_context.EvaluationContext`.
        domain: of the provider, where the application has set several.
        default: the value that counts without one: "no", "tail", "full", a rate ...
        remote: True for a provider that asks a service at each evaluation (OFREP, flagd's RPC
            mode): it is asked on another thread, for `timeout_s` at most, and the decider is
            async.
        timeout_s: how long a remote provider may take, in seconds.
        tail: the decider that is asked when the flag says "tail"; default: kept is what failed.

    Raises:
        ConfigurationError: an argument is wrong, or the SDK is not installed.
    """

    __slots__ = ("_asked_as", "_client", "_pool", "_timeout_s", "domain", "remote")

    def __init__(
        self,
        flag: str,
        *,
        context: ContextSource | str = "trace",
        domain: str | None = None,
        default: object = "no",
        remote: bool = False,
        timeout_s: float = 0.1,
        tail: Decider | None = None,
    ) -> None:
        super().__init__(flag, context=context, default=default, tail=tail)
        if importlib.util.find_spec("openfeature") is None:
            raise ConfigurationError("OpenFeatureFlag", flag, _INSTALL)
        if not 0 < timeout_s <= 60:
            raise ConfigurationError("timeout_s", timeout_s, "more than 0 and at most 60 seconds")
        self._given["domain"] = (domain, "None")
        self._given["remote"] = (remote, "False")
        self._given["timeout_s"] = (timeout_s, "0.1")
        self.domain = domain
        self.remote = remote
        self.is_async = self.is_async or remote
        self._timeout_s = timeout_s
        self._client: Any = None
        self._asked_as = 0
        self._pool: _Pool | None = None

    def _read(self, answer: object) -> Any:
        own = type(answer).__module__ == "openfeature.evaluation_context"
        return answer if own else _sdk_context(super()._read(answer))

    def evaluate(self, request: RequestView, context: Any) -> object:
        """Return the flag's value for an SDK context."""
        client = self._client
        if client is None:
            client = self._client = importlib.import_module("openfeature.api").get_client(
                self.domain
            )
        if type(client.provider).__name__ == "NoOpProvider":
            raise Unanswered("not_configured", "the application has set no provider")
        told = ""
        code = ""
        for step in range(len(_TYPES)):
            asked_as = (self._asked_as + step) % len(_TYPES)
            name, default = _TYPES[asked_as]
            detail = getattr(client, f"get_{name}_details")(self.flag, default, context)
            if detail.error_code is None:
                self._asked_as = asked_as
                return detail.value
            code = str(detail.error_code.value)
            told = f"{code}: {detail.error_message or ''}"
            if code != "TYPE_MISMATCH":
                break
        raise Unanswered(_REASONS.get(code, "evaluation_failed"), told)

    async def evaluate_async(self, request: RequestView, context: Any) -> object:
        """Return the flag's value; of a remote provider, within the time allowed."""
        if not self.remote:
            return self.evaluate(request, context)
        pool = self._pool
        if pool is None or pool.pid != os.getpid():  # threads don't survive a fork
            pool = self._pool = _Pool()
        if not pool.room.acquire(blocking=False):
            raise Unanswered("busy", "earlier evaluations have not come back yet")
        future = pool.executor.submit(self.evaluate, request, context)
        future.add_done_callback(lambda _: pool.room.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout_s)
        except TimeoutError:
            raise Unanswered("timeout", f"no answer within {self._timeout_s:g} s") from None


class _Pool:
    """Threads that wait for a remote provider; when all do, nobody else is made to wait."""

    __slots__ = ("executor", "pid", "room")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.executor = ThreadPoolExecutor(_WORKERS, "retrace-flag")
        self.room = threading.BoundedSemaphore(_WORKERS)


def _sdk_context(context: FlagContext) -> Any:
    from openfeature.evaluation_context import EvaluationContext

    return EvaluationContext(targeting_key=named_key(context), attributes=context.flat())
