"""Sent key: what stands in a key for what was sent over a connection of unknown protocol."""

from __future__ import annotations

import re

from retrace_core.checksum import checksum_of

__all__ = ["asks_for_secret", "sent_key"]

_LONGEST = 8192
_LOGIN = re.compile(
    rb"(?:[A-Za-z0-9]{1,64} )?(pass|login|auth|authenticate|authinfo|oper|identify)\b.", re.I | re.S
)
"""The commands of FTP, IMAP, POP, NNTP, IRC and others that have a password in them."""
_CHALLENGES = re.compile(rb"334|\+ |\x02\x00\x00.\x01\x04|.{3}.\xfemysql_clear_password\0", re.S)
"""How a server asks for the next part of a login: SMTP and IMAP; MySQL, over TLS, for the password
itself (caching_sha2_password's full authentication, and the plugin of that name)."""
_LENGTH = rb"(?:[\0-\x7f]|\x81.|\x82..|\x83...|\x84....)"
_LDAP = re.compile(rb"\x30" + _LENGTH + rb"\x02(?:\x01.|\x02..|\x03...|\x04....)(.)", re.S)
"""A message of LDAP's, up to what it asks for: RFC 4511, 4.1.1."""
_BIND = b"\x60"
_LDAP_PASSWORDS = (b"userPassword", b"unicodePwd", b"1.3.6.1.4.1.4203.1.11.1")
"""What an entry is given, and RFC 3062's change of a password."""
_SASL = re.compile(rb"\0[^\0-\x1f]{1,255}\0[^\0-\x1f]{1,255}\Z")
"""The name of a user and the password after noughts: RFC 4616. So Kafka and Cassandra say it."""
_BEGINS = re.compile(
    rb"\*\d+\r\n\$\d+\r\n(?:auth|hello)\r\n"  # Redis
    rb"|(?:connect|stomp)\r?\n|connect \{"  # STOMP; NATS
    rb"|\x10"  # MQTT's CONNECT, and TDS's LOGIN7, whose password is hidden and can be found
    rb"|\0.{1,2}ClickHouse",
    re.I | re.S,
)
_HEAD, _LONGEST_NAME = 4096, 257


def sent_key(sent: bytes, *, secret: bool = False) -> object:
    """Return the bytes; of more than 8 KiB the checksum, of a login only that it is one.

    Args:
        sent: what was sent.
        secret: True after the other end has asked for a part of a login.
    """
    login = _LOGIN.match(sent)
    if login is not None or secret:
        return login[1].decode().lower() if login is not None else "login"
    if _is_login(sent):
        return "login"
    return sent if len(sent) <= _LONGEST else checksum_of(sent)


def _is_login(sent: bytes) -> bool:
    """Return True for a login, or what sets a password, that is no command of words."""
    head = sent[:_HEAD]
    ldap = _LDAP.match(head)
    if ldap is not None and (ldap[1] == _BIND or any(one in sent for one in _LDAP_PASSWORDS)):
        return True
    return (
        _BEGINS.match(head) is not None
        or (b"PLAIN" in head and b"\0" in head)  # AMQP, memcached: the mechanism comes with it
        or b"\x8bcredentials" in head  # HELLO and LOGON of Bolt, Neo4j's
        or (b"\0" in (tail := sent[-2 * _LONGEST_NAME :]) and _SASL.search(tail) is not None)
        or _is_password(sent)
        or _is_of_socks(sent)
    )


def _is_password(sent: bytes) -> bool:
    """Return True for PostgreSQL's PasswordMessage, in clear or not."""
    return sent[:1] == b"p" and int.from_bytes(sent[1:5], "big") == len(sent) - 1


def _is_of_socks(sent: bytes) -> bool:
    """Return True for what tells a proxy by SOCKS 5 who asks: RFC 1929."""
    if len(sent) < 5 or sent[0] != 1:
        return False
    name = sent[1]
    return len(sent) > 2 + name and len(sent) == 3 + name + sent[2 + name]


def asks_for_secret(received: object) -> bool:
    """Return True where what was received asks for a part of a login."""
    return isinstance(received, bytes) and _CHALLENGES.match(received) is not None
