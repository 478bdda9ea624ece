"""Sent key: a password sent over a connection of unknown protocol is in no key."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.sockets.sent_key import asks_for_secret, sent_key

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=9, max_size=90)


def _ber(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    return bytes([tag, 0x82]) + struct.pack("!H", size) + content


def ldap_bind(user: bytes, password: bytes) -> bytes:
    """RFC 4511: BindRequest with simple authentication, message 1."""
    bind = _ber(2, b"\x03") + _ber(4, b"cn=" + user) + _ber(0x80, password)
    return _ber(0x30, _ber(2, b"\x01") + _ber(0x60, bind))


def ldap_add(user: bytes, password: bytes) -> bytes:
    """RFC 4511: AddRequest of an entry with a password, message 300."""
    attribute = _ber(0x30, _ber(4, b"userPassword") + _ber(0x31, _ber(4, password)))
    entry = _ber(4, b"cn=" + user) + _ber(0x30, attribute)
    return _ber(0x30, _ber(2, b"\x01\x2c") + _ber(0x68, entry))


def amqp(user: bytes, password: bytes) -> bytes:
    """AMQP 0-9-1: connection.start-ok by PLAIN."""
    token = b"\0" + user + b"\0" + password
    body = struct.pack("!HHI", 10, 11, 0) + b"\x05PLAIN" + struct.pack("!I", len(token)) + token
    body += b"\x05en_US"
    return b"\x01\0\0" + struct.pack("!I", len(body)) + body + b"\xce"


def kafka(user: bytes, password: bytes) -> bytes:
    """Kafka: SaslAuthenticate, version 0; the mechanism was said before."""
    token = b"\0" + user + b"\0" + password
    body = struct.pack("!HHIH", 36, 0, 7, 3) + b"abc" + struct.pack("!I", len(token)) + token
    return struct.pack("!I", len(body)) + body


def memcached(user: bytes, password: bytes) -> bytes:
    """The binary protocol's SASL_AUTH."""
    value = b"\0" + user + b"\0" + password
    return (
        struct.pack("!BBHBBHIIQ", 0x80, 0x21, 5, 0, 0, 0, len(value) + 5, 0, 0) + b"PLAIN" + value
    )


def mqtt(user: bytes, password: bytes) -> bytes:
    """MQTT 3.1.1: CONNECT."""
    texts = b"".join(struct.pack("!H", len(one)) + one for one in (b"me", user, password))
    body = b"\0\x04MQTT\x04\xc2\0\x3c" + texts
    size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) % 128 | 128, len(body) >> 7])
    return b"\x10" + size + body


def postgresql(_: bytes, password: bytes) -> bytes:
    """PostgreSQL: PasswordMessage."""
    return b"p" + struct.pack("!I", len(password) + 5) + password + b"\0"


def redis(user: bytes, password: bytes) -> bytes:
    """RESP: AUTH with a user's name."""
    words = b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in (b"AUTH", user, password))
    return b"*3\r\n" + words


def socks(user: bytes, password: bytes) -> bytes:
    """RFC 1929."""
    return b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password


def stomp(user: bytes, password: bytes) -> bytes:
    """STOMP 1.2: CONNECT."""
    return b"CONNECT\nlogin:" + user + b"\npasscode:" + password + b"\n\n\0"


def nats(user: bytes, password: bytes) -> bytes:
    """NATS: CONNECT with JSON."""
    return b'CONNECT {"verbose":false,"user":"' + user + b'","pass":"' + password + b'"}\r\n'


def bolt(user: bytes, password: bytes) -> bytes:
    """Bolt 5.1: LOGON with a map."""
    said = b"\x86scheme\x85basic\x89principal\xd0" + bytes([len(user)]) + user
    said += b"\x8bcredentials\xd0" + bytes([len(password)]) + password
    return struct.pack("!H", len(said) + 3) + b"\xb1\x6a\xa3" + said + b"\0\0"


def imap(user: bytes, password: bytes) -> bytes:
    """RFC 3501: LOGIN."""
    return b"a1 LOGIN " + user + b" " + password + b"\r\n"


@pytest.mark.parametrize(
    "protocol",
    [
        *(ldap_bind, ldap_add, amqp, kafka, memcached, mqtt, postgresql, redis, socks, stomp),
        *(nats, bolt, imap),
    ],
)
@given(user=WORDS, password=WORDS)
def test_a_login_leaves_no_password(
    protocol: Callable[[bytes, bytes], bytes], user: str, password: str
) -> None:
    """Whatever the names are."""
    sent = protocol(user.encode(), password.encode())
    assert password.encode() in sent
    assert isinstance(sent_key(sent), str)
    assert password not in str(sent_key(sent))


def test_what_a_server_asks_for_is_left_out() -> None:
    """The next part of a login of SMTP's; MySQL's full authentication over TLS."""
    for challenge in (b"334 UGFzc3dvcmQ6\r\n", b"+ \r\n", b"\x02\0\0\x04\x01\x04"):
        assert asks_for_secret(challenge)
    assert not asks_for_secret(b"250 OK\r\n")
    assert not asks_for_secret(b"\x02\0\0\x04\x01\x03")
    assert sent_key(b"c2VjcmV0\r\n", secret=True) == "login"


@pytest.mark.parametrize(
    "sent",
    [
        b"get greeting\r\n",
        b"*2\r\n$3\r\nGET\r\n$4\r\nauth\r\n",
        _ber(0x30, _ber(2, b"\x02") + _ber(0x63, b"a search")),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0\0\0\x07\0\x05hello",
        b"password",
        b"\x01\x02ab\x03c",
    ],
)
def test_what_is_no_login_is_kept(sent: bytes) -> None:
    """So that a replay that sends something else diverges."""
    assert sent_key(sent) == sent
