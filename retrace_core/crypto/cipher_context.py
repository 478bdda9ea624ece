"""Cipher context: encrypts or decrypts piece by piece, in a request whose recording is masked."""

from __future__ import annotations

import functools
from typing import Any

from retrace_core.crypto.ciphering import decrypt, encrypt, end, remember, takes_it
from retrace_core.native import REPLAY, current

__all__ = ["Decrypting", "Encrypting"]


class _Context:
    """Does what a context does.

    Args:
        context: of a cipher of cryptography.
        name: of the cipher and its mode.
    """

    def __init__(self, context: Any, name: str) -> None:
        self._context = context
        self._name = name

    def update(self, data: Any) -> bytes:
        """Return what comes of this piece."""
        raise NotImplementedError

    def update_into(self, data: Any, buf: Any) -> int:
        """Write what comes of this piece into a buffer; return how many bytes it is."""
        made = self.update(data)
        memoryview(buf)[: len(made)] = made
        return len(made)

    def authenticate_additional_data(self, data: Any) -> None:
        """Take what is authenticated, and not encrypted."""
        self._context.authenticate_additional_data(data)

    def reset_nonce(self, nonce: bytes) -> None:
        """Begin anew."""
        self._context.reset_nonce(nonce)


class Encrypting(_Context):
    """Encrypts."""

    def __init__(self, context: Any, name: str) -> None:
        super().__init__(context, name)
        self._given: list[bytes] = []
        self._made: list[bytes] = []

    def update(self, data: Any) -> bytes:
        """Return what comes of this piece."""
        lane = current()
        live = functools.partial(self._context.update, data)
        if not takes_it(lane, data):
            return live()  # type: ignore[no-any-return]
        made = encrypt(lane, self._name, data, live)
        self._given.append(bytes(data))
        self._made.append(made)
        return made

    def finalize(self) -> bytes:
        """Return what is left."""
        lane: Any = current()
        if not takes_it(lane, b""):
            return self._context.finalize()  # type: ignore[no-any-return]
        made = encrypt(lane, self._name, b"", self._context.finalize)
        if lane.mode == REPLAY and len(self._made) > 1:
            remember(b"".join(self._made), b"".join(self._given))
        return made

    @property
    def tag(self) -> bytes:
        """What says that nothing was changed."""
        lane = current()
        if not takes_it(lane, b""):
            return self._context.tag  # type: ignore[no-any-return]
        return encrypt(lane, f"{self._name} tag", b"", lambda: self._context.tag)


class Decrypting(_Context):
    """Decrypts."""

    def __init__(self, context: Any, name: str) -> None:
        super().__init__(context, name)
        self._given: list[bytes] = []

    def update(self, data: Any) -> bytes:
        """Return what comes of this piece."""
        lane = current()
        live = functools.partial(self._context.update, data)
        if not takes_it(lane, data):
            return live()  # type: ignore[no-any-return]
        self._given.append(bytes(data))
        return decrypt(lane, self._name, bytes(data), live)

    def finalize(self) -> bytes:
        """Return what is left."""
        return self._last(self._context.finalize)

    def finalize_with_tag(self, tag: bytes) -> bytes:
        """Return what is left, if this says that nothing was changed."""
        return self._last(functools.partial(self._context.finalize_with_tag, tag))

    def _last(self, live: Any) -> bytes:
        lane = current()
        if not takes_it(lane, b""):
            return live()  # type: ignore[no-any-return]
        return end(lane, self._name, b"".join(self._given), live)
