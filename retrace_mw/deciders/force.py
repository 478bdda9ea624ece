"""ForceToken: a signed X-Retrace-Force has this request recorded, whoever else says no."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from retrace_core.errors import ConfigurationError
from retrace_core.setting_rows.decision_settings import check_secret
from retrace_core.settings import resolve
from retrace_core.stats import count
from retrace_mw.decision import Decision
from retrace_mw.force_token import FORCE_HEADER, check, secrets_of
from retrace_mw.service_name import service_name
from retrace_mw.token_bucket import TokenBucket, checked_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from retrace_mw.request import RequestView

__all__ = ["ForceToken"]

_UNSIGNED = frozenset(("1", "true", "yes", "on"))
_FIELD = FORCE_HEADER.lower().encode()
_VARIABLE = "HTTP_" + FORCE_HEADER.upper().replace("-", "_")
_REASONS = {
    "malformed": "X-Retrace-Force is no token",
    "forged": "the force token is signed with another secret",
    "expired": "the force token has expired",
    "other_service": "the force token is for another service",
}


class ForceToken:
    """Records a request that carries a force token, minted by `retrace token`.

    One that is malformed, forged, expired or for another service is counted by reason
    ("suppressed.force_forged", ...), and the request is treated as if it carried none.

    Args:
        secret: what tokens are signed with, 32 characters or more; several, separated by
            commas, are all accepted. Default: the setting `force_secret`.
        service: the name of this service; default: as recordings are named.
        per_s: how many requests per second valid tokens may have recorded.
        unsigned_per_s: how many an unsigned `X-Retrace-Force: 1` may; default 0, none.
        clock: Unix time in seconds, for tests.

    Raises:
        ConfigurationError: the secret is too short, or there is none and nothing unsigned is
            accepted either.
    """

    __slots__ = (
        "_bucket",
        "_clock",
        "_no",
        "_over",
        "_rejected",
        "_secrets",
        "_unsigned",
        "_unsigned_yes",
        "_yes",
        "per_s",
        "service",
        "unsigned_per_s",
    )

    def __init__(
        self,
        *,
        secret: str = "",
        service: str = "",
        per_s: float = 50.0,
        unsigned_per_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(secret, str) or not isinstance(service, str):
            raise ConfigurationError("ForceToken", "(hidden)", "text")
        check_secret(secret, "secret", "argument")
        settings = resolve()
        self._secrets = secrets_of(secret or settings.force_secret)
        self.service = service or settings.service
        self.per_s = checked_rate("per_s", per_s)
        self.unsigned_per_s = checked_rate("unsigned_per_s", unsigned_per_s)
        if not self._secrets and not unsigned_per_s:
            allowed = "a secret of 32 characters or more in RETRACE_FORCE_SECRET"
            raise ConfigurationError("force_secret", "", allowed)
        self._clock = clock
        self._bucket = TokenBucket(per_s=self.per_s)
        self._unsigned = TokenBucket(per_s=self.unsigned_per_s)
        self._yes = Decision("yes", "a valid force token", "ForceToken")
        self._unsigned_yes = Decision("yes", "X-Retrace-Force without a signature", "ForceToken")
        self._no = Decision("no", "no X-Retrace-Force", "ForceToken")
        self._over = Decision("no", "more X-Retrace-Force per second than allowed", "ForceToken")
        reasons = {**_REASONS, "unsigned": "X-Retrace-Force without a signature is not allowed"}
        self._rejected = {
            state: Decision("no", reason, "ForceToken") for state, reason in reasons.items()
        }

    def __repr__(self) -> str:
        return f"ForceToken(per_s={self.per_s!r}, unsigned_per_s={self.unsigned_per_s!r})"

    def __call__(self, request: RequestView) -> Decision:
        """Return yes for a request with a valid token while there is room."""
        given = _given(request)
        if given is None:
            return self._no
        state, bucket, yes = self._judged(given, request)
        if yes is not None and bucket.take():
            return yes
        reason = "over_rate" if state == "valid" else state
        count(f"suppressed.force_{reason}")
        return self._over if yes is not None else self._rejected[state]

    def peek(self, request: RequestView) -> Decision:
        """Return what calling it would, count nothing and use up nothing of the rate."""
        given = _given(request)
        if given is None:
            return self._no
        state, bucket, yes = self._judged(given, request)
        if yes is None:
            return self._rejected[state]
        return yes if bucket.has_room() else self._over

    def _judged(self, given: str, request: RequestView) -> tuple[str, TokenBucket, Decision | None]:
        given = given.strip(" \t")
        if given.lower() in _UNSIGNED:
            allowed = self._unsigned_yes if self.unsigned_per_s else None
            return "unsigned", self._unsigned, allowed
        service = self.service or service_name(_owner(request))
        state = check(given, self._secrets, service=service, now_s=self._clock())
        return state, self._bucket, self._yes if state == "valid" else None


def _given(request: RequestView) -> str | None:
    """Return the header, or None; every request pays for it."""
    if not request.is_asgi:
        value: str | None = request.source.get(_VARIABLE)
        return value
    for name, text in request.source.get("headers", ()):
        if name == _FIELD:
            given: str = text.decode("latin-1")
            return given
    return None


def _owner(request: RequestView) -> object:
    named = request.source.get("app") if request.is_asgi else None
    return request.app if named is None else named
