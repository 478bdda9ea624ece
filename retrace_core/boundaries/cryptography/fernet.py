"""cryptography's Fernet: what a replay encrypted it can decrypt, though its key is masked.

Where secrets are masked, a replay has a pseudonym of the key, and the key itself is in no
recording; nor is what was encrypted, or decrypted. So the token that was made comes from the
recording, in the order in which a lane encrypts, and the replay remembers what it had
encrypted there. Whether a token could be decrypted is recorded; what was in it, the replay knows
if the request that had encrypted it was replayed before in the same process. If not, its key
decides, as ever. Where nothing is masked, nothing of this is recorded.

Hooks: `Fernet._encrypt_from_parts`, `decrypt` and `decrypt_at_time`; `MultiFernet` uses them.
Read in cryptography 45 and 50.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from retrace_core.boundary import Boundary, Patch, call_free, mask
from retrace_core.checking import of_size, takes_part
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

_ENCRYPTED, _DECRYPTED = "free.cryptography.encrypt", "free.cryptography.decrypt"
_MOST = 1000
_contents: dict[bytes, bytes] = {}
"""During a replay, what the latest tokens hold that it made: a token -> what was encrypted."""


def _encrypting(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def encrypt(self: Any, data: Any, *args: Any, **options: Any) -> bytes:
        lane: Any = current()
        live = functools.partial(original, self, data, *args, **options)
        if lane is None or not takes_part(lane):
            return live()
        token = call_free(lane, _ENCRYPTED, None, live)
        if lane.mode == REPLAY:
            _contents[token] = bytes(data)
            if len(_contents) > _MOST:
                del _contents[next(iter(_contents))]
        return token

    return encrypt


def _decrypting(original: Callable[..., bytes]) -> Callable[..., bytes]:
    @functools.wraps(original)
    def decrypt(self: Any, token: Any, *args: Any, **options: Any) -> bytes:
        lane: Any = current()
        live = functools.partial(original, self, token, *args, **options)
        if lane is None or not takes_part(lane):
            return live()
        if not isinstance(token, str | bytes):
            return live()  # which says what is wrong with it
        given = token.encode() if isinstance(token, str) else token

        def known(_: object) -> bytes:
            if given in _contents:
                return _contents[given]
            with mask():
                return live()

        return call_free(lane, _DECRYPTED, of_size(given), live, _nothing, known)

    return decrypt


def _nothing(_: object) -> None:
    """Return what is recorded of something that was decrypted: that it could be."""


BOUNDARY = Boundary(
    kind="cryptography.fernet",
    supports="cryptography>=42",
    hooks=(
        Patch(Fernet, "_encrypt_from_parts", _encrypting),
        Patch(Fernet, "decrypt", _decrypting),
        Patch(Fernet, "decrypt_at_time", _decrypting),
    ),
    errors=("cryptography.fernet",),
)
