"""Sent key: what stands in a key for what was sent over a connection of unknown protocol."""

from __future__ import annotations

import re

from retrace_core.checksum import checksum_of

__all__ = ["asks_for_secret", "sent_key"]

_LONGEST = 8192
_LOGIN = re.compile(
    rb"(?:[A-Za-z0-9]+ )?(pass|login|auth|authenticate|authinfo|oper|identify)\b.", re.I | re.S
)
"""The commands of FTP, IMAP, POP, NNTP, IRC and others that have a password in them."""
_CHALLENGES = (b"334", b"+ ")
"""How a server of SMTP or IMAP asks for the next part of a login."""


def sent_key(sent: bytes, *, secret: bool = False) -> object:
    """Return the bytes; of more than 8 KiB the checksum, of a login the command alone.

    Args:
        sent: what was sent.
        secret: True after the other end has asked for a part of a login.
    """
    login = _LOGIN.match(sent)
    if login is not None or secret:
        return login[1].decode().lower() if login is not None else "login"
    return sent if len(sent) <= _LONGEST else checksum_of(sent)


def asks_for_secret(received: object) -> bool:
    """Return True where what was received asks for a part of a login."""
    return isinstance(received, bytes) and received.startswith(_CHALLENGES)
