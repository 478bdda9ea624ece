"""Detectors: secrets that are known by what they look like, wherever they stand.

Each has marks, one of which stands in every text that it could find something in, so that only
what is near them is looked at; and a pattern, whose first group, or whole match, is the secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.redaction import pickled_texts
from retrace_core.redaction.pseudonyms import luhn_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["DETECTORS", "LEAST_DIGITS", "Detector"]

LEAST_DIGITS = 13
"""Of a card number."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One kind of secret."""

    name: str
    marks: tuple[bytes, ...]
    """In lower case; () for runs of digits."""
    pattern: re.Pattern[bytes]
    window: Callable[[bytes, int], tuple[int, int]] | None = None
    """Gets a text and the place of a mark; returns between which places the secret is. None
    where each secret begins with its mark."""
    after: re.Pattern[bytes] | None = None
    """What begins with each mark that is in a secret; marks are in pictures, too."""
    counts: Callable[[re.Match[bytes]], bool] | None = None
    """Says of what the pattern has found whether it is one; None where each is."""
    has_part: bool = True
    """The secret is the first group that was found, if any was."""

    def find(self, text: bytes, places: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield where the secrets in a text begin and end.

        Args:
            text: is not looked at as a whole.
            places: of marks, or of runs of digits, in order.
        """
        done = 0
        for place in places:
            if self.window is None:
                match = self.pattern.match(text, place) if place >= done else None
                matches: Iterable[re.Match[bytes]] = () if match is None else (match,)
            elif self.after is not None and self.after.match(text, place) is None:
                continue
            else:
                first, last = self.window(text, place)
                matches = self.pattern.finditer(text, max(first, done), last)
            for match in matches:
                done = _counted(text, *match.span())
                if self.counts is None or self.counts(match):
                    begin, end = match.span(match.lastindex or 0 if self.has_part else 0)
                    yield begin, min(end, done)


_LEAST_COUNT = 6
_COUNT_FOLLOWS = b"\0\xc4\xd9\x8c"
"""Before a count of one byte: the byte before it, or what MessagePack and pickle call a text by."""


def _counted(text: bytes, begin: int, end: int) -> int:
    """Return where a secret ends: before that, where a program wrote down how long it is.

    In what is serialised (by execnet, pickle, MessagePack ...) the next thing follows at once, and
    may be a letter: it is no part of the secret.
    """
    before = text[max(0, begin - 4) : begin].rjust(4, b"-")
    if before[1:] == b"\0\0\0":
        count = before[0]
    elif before[:2] == b"\0\0":
        count = int.from_bytes(before[2:], "big")
    else:
        count = before[3] if before[2] in _COUNT_FOLLOWS else 0
    return begin + count if _LEAST_COUNT <= count < end - begin else end


_HOSTS = "abcdefghijklmnopqrstuvwxyz0123456789"
_FILES = tuple(
    f".{end}".encode() for end in "png jpg jpeg gif svg webp ico js css map html".split()
)
"""A picture for fine screens is called logo@2x.png."""


_RUN = re.compile(rb"[0-9]+(?:[ -][0-9]+)*")
_BEFORE_AT, _AFTER_AT = 64, 320
"""How many bytes the parts of an e-mail address have at most: 64 and 255, and some for %40."""


def _of_run(text: bytes, place: int) -> tuple[int, int]:
    run = _RUN.match(text, place)
    return place, place if run is None else run.end()


def _around_at(text: bytes, place: int) -> tuple[int, int]:
    return place - _BEFORE_AT, min(place + _AFTER_AT, len(text))


_HEX = b"0123456789abcdef"
_IDENTIFIERS = (16, 32, 40, 64)
"""How many hex digits span ids, trace ids and digests have."""


def _in_identifier(match: re.Match[bytes]) -> bool:
    """Return True for digits within an id in hex: one in ten has a right check digit."""
    text, (begin, end) = match.string, match.span()
    before = text[max(0, begin - _IDENTIFIERS[-1]) : begin]
    after = text[end : end + _IDENTIFIERS[-1]]
    first = begin - len(before) + len(before.rstrip(_HEX))
    whole = text[first : end + len(after) - len(after.lstrip(_HEX))]
    return len(whole) in _IDENTIFIERS and not whole.isdigit()


def _is_card(match: re.Match[bytes]) -> bool:
    digits = re.sub(rb"[ -]", b"", match[0]).decode()
    return len(set(digits)) > 1 and luhn_valid(digits) and not _in_identifier(match)


def _is_address(match: re.Match[bytes]) -> bool:
    return not match[0].lower().endswith(_FILES)


# Source: RFC 6749 section 4.1, RFC 7636 section 4.5, OpenID Connect Core section 3.1.2.5.
_BESIDE_CODE = re.compile(
    rb"(?:^|[?&\"'])(?:state|grant_type|redirect_uri|code_verifier|session_state|iss)\"?\s*[=:]"
)
_CODE = re.compile(
    rb"(?<![A-Za-z0-9_.-])(?:code=([A-Za-z0-9._~%+/-]{8,2048})"
    rb"|\"code\"\s*:\s*\"([A-Za-z0-9._~%+/=-]{8,2048})\")"
)
_QUERY_BEGINS, _QUERY_ENDS = re.compile(rb"[^!-~]|[\"'<>?#]"), re.compile(rb"[^!-~]|[\"'<>#]")
_NEAR = 2048
"""How far from a code what goes with it may stand."""


def _is_grant(match: re.Match[bytes]) -> bool:
    """Return True for a code that stands beside what OAuth sends with it; alone it may be any."""
    text, (begin, end) = match.string, match.span()
    before, after = text[max(0, begin - _NEAR) : begin], text[end : end + _NEAR]
    if match.lastindex == 2:  # in JSON
        around = before[before.rfind(b"{") :] + after.partition(b"}")[0]
        return b"grant_type" in around and _BESIDE_CODE.search(around) is not None
    starts = [one.end() for one in _QUERY_BEGINS.finditer(before)]
    ending = _QUERY_ENDS.search(after)
    query = before[starts[-1] if starts else 0 :] + after[: ending.start() if ending else None]
    return _BESIDE_CODE.search(query) is not None


_HEX_DIGIT = rb"[0-9A-Fa-f]"
_AFTER_ESCAPE = rb"(?<=\\[bfnrt])|(?<=\\u" + _HEX_DIGIT + rb"{4})|(?<=\\x" + _HEX_DIGIT + rb"{2})"
"""After an escape, as JSON and Python write one: its letter is no part of what comes next."""
_ESCAPE = rb"(?<=\\)(?:[bfnrt]|u" + _HEX_DIGIT + rb"{4}|x" + _HEX_DIGIT + rb"{2})"
_BEGINS = rb"(?:(?<![A-Za-z0-9])|" + _AFTER_ESCAPE + rb")"
_HOST = rb"(?:@|%40)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
_NO_DIGIT_AFTER = rb"(?![0-9])"
_CARD = re.compile(
    rb"(?<![0-9.])(?:4[0-9]{12}(?:[0-9]{3}){0,2}|(?:5[1-5][0-9]{2}|2[2-7][0-9]{2})[0-9]{12}"
    rb"|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}"
    rb"|35[0-9]{14}|62[0-9]{14,17}|[2-6][0-9]{3}(?:([ -])[0-9]{4})(?:\1[0-9]{4}){2}"
    rb"|3[47][0-9]{2}([ -])[0-9]{6}\2[0-9]{5})" + _NO_DIGIT_AFTER
)
_KEYS = re.compile(
    _BEGINS + rb"(?:"
    rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"  # AWS
    rb"|AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{28}"  # Google
    rb"|gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{60,}"  # GitHub
    rb"|glpat-[0-9A-Za-z_-]{20,}"  # GitLab
    rb"|xox[abeoprs]-[0-9A-Za-z-]{10,}"  # Slack
    rb"|[rs]k_(?:live|test)_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/=]{24,}"  # Stripe
    rb"|sk-(?:proj-|ant-|svcacct-)?[0-9A-Za-z_-]{20,}"  # OpenAI, Anthropic
    rb"|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{20,}"  # SendGrid
    rb"|npm_[0-9A-Za-z]{36}|pypi-AgE[0-9A-Za-z_-]{50,}|hf_[0-9A-Za-z]{30,}"
    rb"|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
    rb"|AGE-SECRET-KEY-1[0-9A-Z]{58}"
    rb")(?![A-Za-z0-9])"
    rb"|AccountKey=([0-9A-Za-z+/=]{40,})"  # Azure
    rb"|contrib\.sessions\.cache(?:d_db)?([0-9a-z]{32})(?![0-9A-Za-z])"  # Django, in a cache
    rb"|(?<![0-9A-Za-z])session:([0-9A-Za-z_-]{43})(?![0-9A-Za-z_-])"  # Flask-Session, in Redis
    rb"|\{S?(?:SHA|MD5)-?(?:224|256|384|512)?\}([0-9A-Za-z+/=_-]{22,})"  # passwords, as LDAP has it
    rb"|-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----((?:\\n|[\s0-9A-Za-z+/=])+)-----END"
)
_B64 = rb"[A-Za-z0-9+/._-]"
_HASHES = re.compile(
    # In modular crypt format (passlib, crypt), then Django's and Werkzeug's, and web2py's.
    rb"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}"
    rb"|\$(?:argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]{0,12}|[156y7]|apr1)"
    rb"\$(?:[A-Za-z0-9+/=.,_-]{0,100}\$){1,4}" + _B64 + rb"{20,200}={0,2}"
    rb"|(?:pbkdf2_sha[0-9]{1,3}|pbkdf2:sha[0-9]{1,3}(?::[0-9]{1,9})?|scrypt(?::[0-9]{1,9}){3})"
    rb"\$(?:[A-Za-z0-9+/=._-]{1,100}\$){1,2}" + _B64 + rb"{20,200}={0,2}"
    rb"|pbkdf2\([0-9]{1,9},[0-9]{1,4},[a-z0-9_-]{2,12}\)\$[A-Za-z0-9]{1,100}\$[0-9a-f]{20,200}"
)
DETECTORS: dict[str, Detector] = {
    one.name: one
    for one in (
        Detector("card", (), _CARD, _of_run, counts=_is_card, has_part=False),
        Detector(
            "jwt",
            (b"eyj", b".ej", b"wyi", b"w3s", *pickled_texts.MARKS),
            re.compile(
                rb"(?:(?<![A-Za-z0-9_-])|" + _AFTER_ESCAPE + rb")"
                rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]{16,}"
                # Sessions and the like, signed by Django or itsdangerous, packed or not.
                rb"|(?<![A-Za-z0-9_.-])(?:eyJ|\.eJ)[A-Za-z0-9_-]{8,}"
                rb"([.:])[A-Za-z0-9_-]{4,12}\1[A-Za-z0-9_-]{16,}"
            ),
            has_part=False,
        ),
        Detector(
            "key",
            (
                *(b"akia", b"asia", b"abia", b"acca", b"aiza", b"ya29.", b"gocspx-"),
                *(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"glpat-"),
                *(b"xoxa", b"xoxb", b"xoxe", b"xoxo", b"xoxp", b"xoxr", b"xoxs"),
                *(b"sk_", b"rk_", b"whsec_", b"sk-", b"sg.", b"npm_", b"pypi-", b"hf_"),
                *(b"dop_v1_", b"shp", b"age-secret", b"accountkey=", b"-----begin "),
                *(b"contrib.sessions.cache", b"session:"),
                *(b"{sha", b"{ssha", b"{md5}", b"{smd5}"),
            ),
            _KEYS,
        ),
        Detector(
            "email",
            (*(f"@{begin}".encode() for begin in _HOSTS), b"%40"),
            re.compile(
                rb"(?:(?<![A-Za-z0-9._+%-])(?!"
                + _ESCAPE
                + rb"[A-Za-z0-9])|"
                + _AFTER_ESCAPE
                + rb")"
                rb"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9_+-])?"
                + _HOST
                + rb"(?![A-Za-z0-9-])"
            ),
            _around_at,
            re.compile(_HOST),
            _is_address,
        ),
        Detector(
            "hash",
            (
                *(b"$2a$", b"$2b$", b"$2x$", b"$2y$"),
                *(b"$argon2", b"$scrypt$", b"$pbkdf2", b"$1$", b"$5$", b"$6$", b"$y$", b"$7$"),
                *(b"$apr1$", b"pbkdf2_sha", b"pbkdf2:sha", b"pbkdf2(", b"scrypt:"),
            ),
            _HASHES,
            has_part=False,
        ),
        Detector("oauth", (b"code=", b'"code"'), _CODE, counts=_is_grant),
        Detector("url", (b"://",), re.compile(rb"://[^\s/?#@:\"'<>\\]*:([^\s/?#@\"'<>\\]+)@")),
    )
}
"""By their names, as settings call them."""
