"""Found values: what is masked where a value was found to be a secret.

Of a token its signature, of a Basic authorization its password, else the value itself, decoded
where it stands encoded. Values seen lately are remembered.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from retrace_core.redaction.forms import percent_decoded, written_alike
from retrace_core.redaction.pem_keys import forms_of_key
from retrace_core.redaction.places import LEAST
from retrace_core.redaction.replacements import Replacement
from retrace_core.redaction.tokens import digest_of, parts_of, signed_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retrace_core.redaction.replacements import Forms

__all__ = ["FoundValue", "FoundValues"]

_LITERAL = re.compile(r"\A[A-Za-z0-9+/]{16,}={0,2}\Z|\s")
"""Base64, or what has white space in it: no form or query is written so."""
_BASIC = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_LEAST_BASIC = 8
_LEAST_KEY = 16
"""So long is a user's name that is none."""
_NUMBERED = re.compile(rb"((?:[0-9]{1,10}:)+)(\S{16,})")
"""Of a session, `USER:7:KEY`: whose it is, and then the key."""
_LABELLED = re.compile(rb"(?:[a-z][a-z0-9_-]{0,15}:){2,4}((?=[^0-9]*[0-9])[A-Za-z0-9+/=_.-]{16,})")
"""Of `enc:aes:k1:SECRET`: by the labels code knows how to read it."""
_VERSIONED = re.compile(rb"[a-z][a-z0-9_-]{0,15}:((?=[^0-9]*[0-9])[0-9a-f]{40,})")
"""Of `rsa_sha256_pss:6634b492...`, a digest or a signature with how it was made."""
_DAY, _UUID = 10, 36
"""How long they are."""
_REMEMBERED = 2048
_NOTHING: dict[bytes, Replacement] = {}


class FoundValue(NamedTuple):
    """What one value means."""

    replacements: Mapping[bytes, Replacement]
    """Those of its forms."""
    numbers: Mapping[bytes, Replacement] = _NOTHING
    """Those where it is no text."""
    says: tuple[bytes, bytes, str] | None = None
    """Payload of a token: as it stands there, decoded, rule."""
    says_packed: tuple[bytes, bytes, str] | None = None
    """The same of one whose payload is compressed."""


class FoundValues:
    """What values mean.

    Args:
        forms: of secrets.
    """

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self._known: OrderedDict[tuple[bytes, str, bool], FoundValue] = OrderedDict()

    def of(self, value: bytes, rule: str, allowed: frozenset[bytes]) -> FoundValue:
        """Return what a value means; escapes and percent encoding may be in it.

        Args:
            value: as it was found.
            rule: by which.
            allowed: values that are no secrets.
        """
        plain = percent_decoded(value)
        is_encoded = plain != value and plain not in allowed
        found = self._known.get((value, rule, is_encoded))
        if found is None:
            found = self._meaning(value, plain if is_encoded else value, rule)
            self._known[value, rule, is_encoded] = found
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _meaning(self, value: bytes, plain: bytes, rule: str) -> FoundValue:
        forms = self.forms
        if (b"$" in value or value[:1] == b"{") and (digest := digest_of(value)):
            return FoundValue(forms.of(digest.decode(), rule))
        if (key := forms_of_key(value, forms, rule)) is not None:
            return FoundValue(key)
        if b":" in value and (
            labelled := _LABELLED.fullmatch(value) or _VERSIONED.fullmatch(value)
        ):
            return FoundValue(forms.of(labelled[1].decode(), rule))
        parts = parts_of(value) or parts_of(percent_decoded(value))
        if parts is not None:
            says = None if parts.says is None else (parts.payload, parts.says, rule)
            inside = parts.compressed
            packed = None if inside is None else (parts.payload, inside, rule)
            signature = forms.of(parts.signature.decode(), rule)
            for one in parts.more:
                signature = {**forms.of(one.decode(), rule), **signature}
            return FoundValue(signature, says=says, says_packed=packed)
        whole = self._basic(value, rule) or self._signed(value, rule)
        if whole is not None:
            return whole
        text = value.decode("utf-8", "surrogateescape")
        if b"%" not in value and b"+" in value and _LITERAL.search(text):
            pseudonym = forms.pseudonym(text).replace(
                "+", " "
            )  # a plus is one, or a blank after all
            blank = forms.between(text.replace("+", " "), pseudonym, rule)
            return FoundValue({**blank, **forms.of(text, rule)})
        found = forms.of(text, rule)
        if plain != value:
            decoded = plain.decode("utf-8", "surrogateescape")
            alike = written_alike(value, decoded, forms.pseudonym(decoded))
            of_plain = forms.of(decoded, rule)
            if alike is not None:
                timid = next(iter(of_plain.values())).timid
                return FoundValue({value: Replacement(alike, rule, timid), **of_plain})
            found = {**found, **of_plain}
        size = len(value)
        is_packed = (size == _DAY and value[4:5] == b"-") or (size == _UUID and value[8:9] == b"-")
        if is_packed or (size > 8 and value.isdigit()):
            return FoundValue(found, forms.of_number(text, rule))
        return FoundValue(found)

    def _basic(self, value: bytes, rule: str) -> FoundValue | None:
        """Return the password of a Basic authorization, and the whole of it; None for no such."""
        if len(value) < _LEAST_BASIC or not _BASIC.fullmatch(value):
            return None
        try:
            user, colon, password = base64.b64decode(value).partition(b":")
            plain = (user + password).decode()
        except (binascii.Error, ValueError):
            return None
        if not colon or not plain.isprintable():
            return None
        if len(password) < LEAST:
            return self._of_user(value, user, password, rule)
        if numbered := _NUMBERED.fullmatch(password):
            user, password = user + colon + numbered[1][:-1], numbered[2]
        parts = parts_of(password)
        if parts is not None and parts.signature not in password:
            parts = None  # it stands there encoded
        secret = password if parts is None else parts.signature
        now = self.forms.pseudonym(secret.decode()).encode()
        masked = user + colon + password.replace(secret, now)
        whole = {value: Replacement(base64.b64encode(masked), rule)}
        if parts is None:
            return FoundValue({**whole, **self.forms.of(secret.decode(), rule)})
        meaning = self._meaning(password, password, rule)
        return meaning._replace(replacements={**whole, **meaning.replacements})

    def _of_user(self, value: bytes, user: bytes, password: bytes, rule: str) -> FoundValue:
        """Return a Basic authorization with hardly a password: a key may stand for the user."""
        pseudonym = self.forms.pseudonym
        is_key = len(user) >= _LEAST_KEY
        now = pseudonym(user.decode()).encode() if is_key else user
        masked = base64.b64encode(now + b":" + pseudonym(password.decode()).encode())
        key = self.forms.of(user.decode(), rule) if is_key else _NOTHING
        return FoundValue({value: Replacement(masked, rule), **key})

    def _signed(self, value: bytes, rule: str) -> FoundValue | None:
        """Return what was signed and its signature, each by itself, and both; None for no such.

        The code takes them apart: by the first one a session is looked up.
        """
        signed = signed_parts(value)
        if signed is None:
            return None
        made = ""
        found: dict[bytes, Replacement] = {}
        numbers: dict[bytes, Replacement] = {}
        for part, joint in signed:
            meaning = self._meaning(part, part, rule)
            found, numbers = {**meaning.replacements, **found}, {**numbers, **meaning.numbers}
            made += self.forms.pseudonym(part.decode()) + joint.decode()
        return FoundValue({**self.forms.between(value.decode(), made, rule), **found}, numbers)
