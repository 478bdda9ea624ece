"""hmac: signatures, and whether two secrets are equal, as it was found when they were recorded.

What is signed may be masked, and the key is in no recording: a signature comes from the recording,
matched by what it is of. Comparisons come in their order, by the sizes of what is compared: one
of the two may be reckoned from what a replay has only a pseudonym of.

Hooks: `hmac.new`, `hmac.digest` and `hmac.compare_digest`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import functools
import hmac
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.checking import checks
from retrace_core.crypto.hashing import Fed
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND = "free.hmac.digest"
_LARGEST = 64 * 1024
"""What is signed and has more bytes is not recorded: its signature is reckoned on replay."""


class _Signing(hmac.HMAC):
    """One of a recorded request, which keeps what it is fed."""

    __slots__ = ("_fed",)

    def __init__(self, key: Any, msg: Any = None, digestmod: Any = "") -> None:
        self._fed = Fed(_LARGEST)
        super().__init__(key, None, digestmod)
        if msg is not None:
            self.update(msg)

    def update(self, msg: Any) -> None:
        super().update(msg)
        self._fed.add(msg)

    def copy(self) -> _Signing:
        other = super().copy()
        assert isinstance(other, _Signing)
        other._fed = self._fed.copy()
        return other

    def digest(self) -> bytes:
        lane = current()
        if lane is None or not self._fed.is_kept:
            return super().digest()
        return call_free(lane, _KIND, [self.name, bytes(self._fed)], super().digest)

    def hexdigest(self) -> str:
        return self.digest().hex()


def _new(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def new(key: Any, msg: Any = None, digestmod: Any = "") -> hmac.HMAC:
        if current() is None:
            return original(key, msg, digestmod)  # type: ignore[no-any-return]
        return _Signing(key, msg, digestmod)

    return new


def _digest(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def digest(key: Any, msg: Any, digest: Any) -> bytes:
        if current() is None:
            return original(key, msg, digest)
        return _Signing(key, msg, digest).digest()

    return digest


def _asked(a: Any, b: Any, /) -> object:
    return [len(a), len(b)]


BOUNDARY = Boundary(
    kind="hmac",
    supports="cpython>=3.11,<3.14",
    hooks=(
        Patch(hmac, "new", _new),
        Patch(hmac, "digest", _digest),
        checks(hmac, "compare_digest", "hmac.compare_digest", _asked),
    ),
)
