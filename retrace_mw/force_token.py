"""Force tokens: signed, for one service, for a while: "record this request, whoever asks".

    1:storefront:1764094607:q7T...    version : service : expiry : signature

The service is a service's name, or "*" for all. The expiry is in Unix seconds. The signature
is HMAC-SHA256 of all before it, in base64url without padding. Source: RFC 2104, RFC 4648 §5.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal

from retrace_core.errors import ConfigurationError
from retrace_core.ids import valid_service

__all__ = ["FORCE_HEADER", "TokenState", "check", "mint", "secrets_of"]

FORCE_HEADER = "X-Retrace-Force"
SKEW_S = 60
"""How much later than its expiry a token is accepted, since clocks differ."""
LONGEST_S = 7 * 86_400
_PREFIX = "retrace-force:"
_LIMIT = 200

TokenState = Literal["valid", "malformed", "forged", "expired", "other_service"]


def secrets_of(text: str) -> tuple[str, ...]:
    """Return the secrets in a setting, separated by commas; the first one signs."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def mint(secret: str, *, service: str, lifetime_s: float, now_s: float) -> str:
    """Return a token.

    Args:
        secret: signs it.
        service: a service's name, or "*" for all.
        lifetime_s: how long it is good for, in seconds; at most 7 days.
        now_s: Unix time, in seconds.

    Raises:
        ConfigurationError: the service is no name, or the lifetime not allowed.
    """
    if service != "*" and not valid_service(service):
        raise ConfigurationError("service", service, 'a service\'s name, or "*" for all')
    if not 1 <= lifetime_s <= LONGEST_S:
        raise ConfigurationError("for", f"{lifetime_s:g}s", "from 1 second to 7 days")
    signed = f"1:{service}:{int(now_s + lifetime_s)}"
    return f"{signed}:{_signature(secret, signed)}"


def check(token: str, secrets: tuple[str, ...], *, service: str, now_s: float) -> TokenState:
    """Return whether a token is valid, or why not; never raises.

    Args:
        token: as it came, from anybody.
        secrets: any of them may have signed it.
        service: the name of this service.
        now_s: Unix time, in seconds.
    """
    parts = token.split(":") if len(token) <= _LIMIT and token.isascii() else []
    if len(parts) != 4 or parts[0] != "1" or not parts[2].isdecimal():
        return "malformed"
    signed = token.rpartition(":")[0]
    given = parts[3].encode()
    # All of them are compared, so that the time does not tell which one was near.
    fits = [hmac.compare_digest(_signature(one, signed).encode(), given) for one in secrets]
    if not any(fits):
        return "forged"
    if now_s > int(parts[2]) + SKEW_S:
        return "expired"
    if parts[1] not in ("*", service):
        return "other_service"
    return "valid"


def _signature(secret: str, signed: str) -> str:
    digest = hmac.new(secret.encode(), (_PREFIX + signed).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
