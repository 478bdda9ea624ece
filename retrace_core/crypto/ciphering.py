"""Ciphering: what a replay encrypted it can decrypt, though its key is masked.

Where secrets are masked, a replay has a pseudonym of the key, and the key itself is in no
recording. So what was made by encrypting comes from the recording, in the order in which a lane
encrypts, and the replay remembers what it had encrypted there. Whether something could be decrypted
is recorded; what was in it, the replay knows if the request that had encrypted it was replayed
before in the same process. If not: what was in it is masked (`deciphered`), and what stands for it
comes out; of what can't be masked the key decides, as ever. Where nothing is masked, nothing of
this is recorded.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import call_free, mask
from retrace_core.crypto.checking import of_size, takes_part
from retrace_core.crypto.deciphered import kept, made_up, shown
from retrace_core.native import REPLAY, current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "decrypt",
    "decrypting",
    "encrypt",
    "encrypt_again",
    "encrypting",
    "end",
    "remember",
    "takes_it",
]

_ENCRYPTED, _DECRYPTED = "free.cryptography.encrypt", "free.cryptography.decrypt"
_MOST = 1000
_LARGEST = 64 * 1024
"""What has more bytes is not kept."""
_contents: dict[bytes, bytes] = {}
"""During a replay, what is in the latest that it made: what was made -> what was encrypted."""


def takes_it(lane: Any, data: Any) -> bool:
    """Return True where encrypting or decrypting this is an event in the lane, None for none."""
    return lane is not None and takes_part(lane) and memoryview(data).nbytes <= _LARGEST


def remember(made: bytes, plain: Any) -> None:
    """Take note, in a replay, of what is in something encrypted."""
    _contents[made] = bytes(plain)
    if len(_contents) > _MOST:
        del _contents[next(iter(_contents))]


def encrypt(lane: Any, name: str | None, plain: Any, live: Callable[[], bytes]) -> bytes:
    """Return what `live` makes of something; on replay, what it had made.

    Args:
        lane: takes it, by `takes_it`.
        name: of the cipher.
        plain: what is encrypted.
        live: encrypts it.
    """
    made = call_free(lane, _ENCRYPTED, name, live)
    if lane.mode == REPLAY and made:
        remember(made, plain)
    return made


def encrypt_again(lane: Any, given: bytes, live: Callable[[], bytes]) -> bytes:
    """Return what `live` makes, with the same in it as in `given`; on replay, what it had made.

    Args:
        lane: takes it, by `takes_it`.
        given: what is encrypted already.
        live: encrypts it anew, under another key.
    """
    made = call_free(lane, _ENCRYPTED, "again", live)
    if lane.mode == REPLAY and given in _contents:
        remember(made, _contents[given])
    return made


def decrypt(lane: Any, name: str | None, given: bytes, live: Callable[[], bytes]) -> bytes:
    """Return what `live` finds in something encrypted; on replay, what the replay knows of it.

    Args: as for `encrypt`.
    """

    def known(recorded: Any) -> bytes:
        if given in _contents:
            return _contents[given]
        said = shown(recorded)
        if said is not None:
            return said
        made = made_up(recorded, given)
        try:
            with mask():
                found = live()
        except Exception:
            if made is None:
                raise
            return made
        # Under another key a cipher that checks nothing finds something at random.
        return found if made is None or kept(found) == recorded else made

    asked = of_size(given) if name is None else [name, of_size(given)]
    return call_free(lane, _DECRYPTED, asked, live, kept, known)


def end(lane: Any, name: str, given: bytes, live: Callable[[], bytes]) -> bytes:
    """Return what `live` finds at the end of something that was decrypted piece by piece.

    Args: as for `decrypt`; `given` is all of it.
    """

    def known(recorded: Any) -> bytes:
        return recorded if isinstance(recorded, bytes) else live()

    return call_free(lane, _DECRYPTED, [name, "end", of_size(given)], live, _nothing, known)


def _nothing(plain: bytes) -> object:
    return None if plain else b""


def encrypting(
    name: str, place: int, option: str = "data", *, is_drawn: bool = False
) -> Callable[[Any], Any]:
    """Return a factory for `Patch`, for a function that encrypts.

    Args:
        name: of the cipher.
        place: of what is encrypted, among the arguments.
        option: what that argument is called.
        is_drawn: True where native code draws a part of what is made: so nothing but the recording
            has it, also where nothing is masked.
    """
    takes = _always if is_drawn else takes_it
    return functools.partial(_hooked, encrypt, takes, name, place, option)


def decrypting(name: str, place: int, option: str = "data") -> Callable[[Any], Any]:
    """Return the same for one that decrypts."""
    return functools.partial(_hooked, decrypt, takes_it, name, place, option)


def _always(lane: Any, data: Any) -> bool:
    return True


def _hooked(
    step: Callable[[Any, str, bytes, Callable[[], bytes]], bytes],
    takes: Callable[[Any, Any], bool],
    name: str,
    place: int,
    option: str,
    original: Callable[..., bytes],
) -> Callable[..., bytes]:
    @functools.wraps(original)
    def hooked(*args: Any, **options: Any) -> bytes:
        lane = current()
        if lane is None:
            return original(*args, **options)
        live = functools.partial(original, *args, **options)
        try:
            data = args[place] if place < len(args) else options[option]
            taken = options.get("output") is None and takes(lane, data)
        except (KeyError, TypeError):
            return live()  # which says what is wrong with it
        return step(lane, name, bytes(data), live) if taken else live()

    return hooked
