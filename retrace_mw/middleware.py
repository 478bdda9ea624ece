"""RetraceMiddleware: one name for both protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrace_core.errors import ConfigurationError
from retrace_core.protocol import Protocol, detect
from retrace_mw import asgi, wsgi

if TYPE_CHECKING:
    from retrace_mw.decision import Decider
    from retrace_mw.limits import Limits

__all__ = ["RetraceMiddleware"]


class RetraceMiddleware:
    """Wrap an ASGI or WSGI application: `app = RetraceMiddleware(app)`.

    It returns an `asgi.RetraceMiddleware` or a `wsgi.RetraceMiddleware`, by the number of
    parameters that the application requires (3 or 2).

    Args:
        app: the application.
        decide: says for each request whether to record it; default: any with an X-Trace-ID,
            of the others a share (`sample_rate`).
        limits: what recording may cost; default: what the settings say.
        options: any setting by name, over its environment variable: `service="storefront"`,
            `sample_rate=0.1`, `recording_path="/var/recordings"`, `enabled=True`, ...

    Raises:
        ConfigurationError: a setting is wrong, or the application's kind can't be told.
    """

    records_requests = True

    def __new__(
        cls,
        app: Any,
        *,
        decide: Decider | None = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> Any:
        """Return the middleware of the protocol that `app` speaks."""
        found = detect(app)
        if found is Protocol.ASGI:
            return asgi.RetraceMiddleware(app, decide=decide, limits=limits, **options)
        if found is Protocol.WSGI:
            return wsgi.RetraceMiddleware(app, decide=decide, limits=limits, **options)
        raise ConfigurationError(
            "app",
            app,
            "an ASGI application (scope, receive, send) or a WSGI application (environ,"
            " start_response); where the signature hides it, retrace_mw.asgi.RetraceMiddleware"
            " or retrace_mw.wsgi.RetraceMiddleware",
        )

    if TYPE_CHECKING:
        # Positional for checkers only: else "app" could also be one of the options, which
        # Starlette's type of a middleware does not allow.
        def __init__(
            self,
            app: Any,
            /,
            *,
            decide: Decider | None = None,
            limits: Limits | None = None,
            **options: Any,
        ) -> None: ...

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
