"""Own TLS object: TLS that a library without a boundary makes by itself, by `ssl.MemoryBIO`.

What goes over it is recorded in clear. What it encrypted is recorded as well, for it is sent and
received by other means: on replay nothing is encrypted, and the same bytes come out of it again.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from retrace_core.boundary import call
from retrace_core.codec import pack_exception, unpack_exception
from retrace_core.installer import allowed_errors
from retrace_core.native import current
from retrace_core.sockets.own_socket import put_into
from retrace_core.sockets.sent_key import sent_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OwnTlsObject", "adopt_tls_object"]

_bios: WeakKeyDictionary[ssl.SSLObject, tuple[ssl.MemoryBIO, ssl.MemoryBIO]] = WeakKeyDictionary()
"""What comes from the other end, and what is to be sent there."""


def adopt_tls_object(made: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
    """Make an object of the very class `ssl.SSLObject` one of these."""
    if type(made) is ssl.SSLObject:
        _bios[made] = incoming, outgoing
        made.__class__ = OwnTlsObject


class OwnTlsObject(ssl.SSLObject):
    """Each handshake, reading and writing is an event, and what is known of the connection."""

    def do_handshake(self) -> None:
        """Agree on keys, as far as the other end has answered."""
        self._do("handshake", (), super().do_handshake)

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002  # its name there
        """Return some bytes, or put them into a buffer and return how many."""
        if buffer is not None and current() is not None:
            return put_into(self.read(len), buffer)
        live = super().read
        if buffer is not None:
            return live(len, buffer)
        return self._do("receive", (len,), lambda: live(len))

    def write(self, data: Any) -> int:
        """Write some of it; return how many bytes were taken."""
        live = super().write
        if current() is None:
            return live(data)
        return int(self._do("send", (sent_key(bytes(data)),), lambda: live(data)))

    def unwrap(self) -> None:
        """End TLS."""
        self._do("unwrap", (), super().unwrap)

    def pending(self) -> int:
        """Return how many bytes can be read at once."""
        return int(self._ask("pending", super().pending))

    def version(self) -> Any:
        """Return the version of TLS that was agreed on."""
        return self._ask("version", super().version)

    def cipher(self) -> Any:
        """Return the cipher that was agreed on."""
        return self._ask("cipher", super().cipher)

    def compression(self) -> Any:
        """Return how it is compressed."""
        return self._ask("compression", super().compression)

    def selected_alpn_protocol(self) -> Any:
        """Return the protocol that was agreed on."""
        return self._ask("alpn", super().selected_alpn_protocol)

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Return the certificate of the other end."""
        live = super().getpeercert
        return self._ask(f"certificate {binary_form}", lambda: live(binary_form))

    def _ask(self, what: str, live: Callable[[], Any]) -> Any:
        lane = current()
        key = [self.server_hostname, what]
        return live() if lane is None else call(lane, "tls.state", key, live)

    def _do(self, what: str, more: tuple[object, ...], live: Callable[[], Any]) -> Any:
        lane = current()
        if lane is None:
            return live()
        incoming, outgoing = _bios[self]

        def work() -> tuple[Any, ssl.SSLError | None, bytes, int]:
            result, error, before = None, None, outgoing.pending
            try:
                result = live()
            except ssl.SSLError as raised:
                error = raised
            sent = b""
            if outgoing.pending > before:
                whole = outgoing.read()
                outgoing.write(whole)
                sent = whole[before:]
            return result, error, sent, incoming.pending

        def kept(outcome: tuple[Any, ssl.SSLError | None, bytes, int]) -> object:
            result, error, sent, left = outcome
            return [result, None if error is None else pack_exception(error), sent, left]

        def given(value: Any) -> tuple[Any, BaseException | None, bytes, int]:
            result, packed, sent, left = value
            outgoing.write(sent)
            if incoming.pending > left:
                incoming.read(incoming.pending - left)
            error = None if packed is None else unpack_exception(packed, allowed_errors())
            return result, error, sent, left

        key = [self.server_hostname, *more]
        result, error, *_ = call(lane, f"tls.{what}", key, work, kept, given)
        if error is not None:
            raise error
        return result
