"""Names: whether a header, cookie, parameter, field, column or variable names a secret."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["MARKS", "Names", "normalised"]

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LAST = frozenset(
    "password passwd passphrase passcode pwd pw secret secrets token tokens authorization cookie"
    " credential credentials apikey totp otp pin cvv cvc cvn ssn jwt sid sessionid csrf xsrf kek"
    " csrft csrftoken csrfmiddlewaretoken signature accesskey secretkey privatekey authtoken"
    " accesstoken refreshtoken idtoken cardnumber securitycode".split()
)
"""A name that ends in one of these words names a secret."""
_PAIRS = frozenset(
    "api key,access key,private key,secret key,signing key,encryption key,master key,account key,"
    "decryption key,wrapping key,fernet key,hmac key,cipher key,"
    "shared key,auth key,session id,session key,connect sid,card number,security code,auth code,"
    "authorization code,recovery code,backup code,verification code,login code,reset code,"
    "auth hash,storage key,code verifier,device code".split(",")
)
_STRONG = frozenset("password passwd passphrase passcode".split())
_STRONG_ENDS = frozenset(
    "confirm confirmation confirmed again repeat repeated verify value".split()
)
_GLUED = ("password", "passwd", "passphrase")
"""They end a word with whose it is before them, as LDAP writes `userpassword`."""
_ALONE = frozenset(("auth", "pass", "session", "credentials"))
_SENT_AGAIN = frozenset(("client request token", "idempotency token"))
"""By one a server knows that a request came twice; what it makes may be called by it."""
_WHOSE = frozenset(
    "db database smtp mail email imap ldap admin user login root redis mysql postgres pg ftp ssh"
    " mongo rabbitmq amqp basic account".split()
)
"""Before `pass` they name one, and not a boarding pass; also where nothing is between."""
_HARMLESS = frozenset(
    "page token,next token,continuation token,cancellation token,sync token,max tokens,"
    "completion tokens,prompt tokens,input tokens,output tokens,total tokens,used tokens,"
    "cached tokens,reasoning tokens,prediction tokens,audio tokens,text tokens,image tokens,"
    "cache tokens,read tokens,write tokens,creation tokens,thinking tokens,thoughts tokens,"
    "budget tokens,new tokens,min tokens,num tokens,first token,per token".split(",")
)
"""Where a list goes on, and how many words a language model took, and how long for one."""
MARKS: tuple[bytes, ...] = tuple(
    mark.encode()
    for mark in (
        *"pass pwd pw secret token auth cookie credential apikey totp otp pin cvv cvc cvn".split(),
        *"ssn jwt sid session csrf xsrf kek signature accesskey privatekey".split(),
        *(
            pair.replace(" ", joint)
            for pair in sorted(_PAIRS)
            for joint in ("_", "-", " ", ".", "")
        ),
    )
)
"""One of these stands in every name that names a secret."""


def normalised(name: str) -> str:
    """Return a name in lower case, its words joined by single spaces."""
    return " ".join(_WORD.findall(name)).lower()


class Names:
    """Which names name secrets.

    Args:
        added: names that do besides ours.
        kept: names that don't, whatever else says so.
    """

    def __init__(self, added: tuple[str, ...] = (), kept: tuple[str, ...] = ()) -> None:
        self._added = frozenset(map(_plain, added))
        self._kept = frozenset(map(_plain, kept))
        self.marks = tuple(
            dict.fromkeys((*MARKS, *(name.lower().encode() for name in added if len(name) > 1)))
        )
        self.is_secret = lru_cache(maxsize=4096)(self._is_secret)

    def keeps(self, name: str) -> bool:
        """Return True for a name whose values are never masked."""
        return _plain(name) in self._kept

    def _is_secret(self, name: str) -> bool:
        plain = _plain(name)
        if plain in self._kept:
            return False
        if plain in self._added:
            return True
        words = normalised(name).split(" ")
        last, two = words[-1], " ".join(words[-2:])
        if two in _HARMLESS or two in _SENT_AGAIN or " ".join(words[-3:]) in _SENT_AGAIN:
            return False
        if last in _LAST or two in _PAIRS or (len(words) == 1 and last in _ALONE):
            return True
        if last == "pass" and words[-2] in _WHOSE:
            return True
        if last.endswith(_GLUED) or (last.endswith("pass") and last[:-4] in _WHOSE):
            return True
        return last in _STRONG_ENDS and not _STRONG.isdisjoint(words)


def _plain(name: str) -> str:
    return re.sub(r"[-_.\s]+", "_", name.strip().lower())
