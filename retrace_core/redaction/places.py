"""Places: secrets that are known by the name before them, in any text.

`password=...` in a form or a query, `"password": "..."` in JSON, also in JSON within JSON,
`Authorization: ...` in a header block, a part of a multipart form, an input of an HTML form, an
element of XML.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.redaction.forms import percent_decoded
from retrace_core.redaction.signature_lists import signatures_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from retrace_core.redaction.names import Names

__all__ = ["LEAST", "Named", "named_values", "unescaped", "values_in"]

LEAST = 3
"""Shorter values are no secrets: too much would be equal to them."""
_LONGEST_NAME = 64
_LEAST_COOKIE = 8
"""A cookie of another name than a secret's is one from so many characters on."""

_NAME = re.compile(rb"[A-Za-z0-9_.\-]+")
_NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_AFTER = re.compile(
    rb"(\\*)([\"']?)(?:%5D|\])?\s{0,3}(:|=>|=)\s{0,3}(?:[bru](?=[\"']))?(\\*)([\"']?)"
)
_DOUBLE = re.compile(rb'(?:[^"\\]|\\.)*', re.DOTALL)
_SINGLE = re.compile(rb"(?:[^'\\]|\\.)*", re.DOTALL)
_BARE = re.compile(
    rb"\$(?:argon2(?:id|i|d)|scrypt)\$[A-Za-z0-9+/=,.$_-]{16,}"  # their costs have commas
    rb"|[^&;\s\"'<>,)\]}\\\x00-\x1f\x7f]+"
)
_NUMBER = re.compile(rb"[0-9]{4,19}(?![0-9.])")
_LINE = re.compile(rb"[^\r\n]*")
_PROSE = re.compile(rb"(?:[A-Za-z][a-z]+|[A-Z]+)(?= [A-Za-z(`])[^\r\n\\\"]*")
"""Words after a name: a passphrase, or what a manual says of it. Each by itself is no secret."""
_LOWER = re.compile(rb"[a-z]{1,16}|[a-z]+(?:[._-][a-z]+)+")
_COLON = 0x3A
_ARN = re.compile(rb"arn:[\w-]+(?::[\w-]*){2}:[0-9]*:\Z")
"""How AWS names a thing, up to what kind it is of: `arn:aws:sm:eu-west-1:123456789:secret:db`."""
_NESTED = re.compile(rb"[ \t]*\r?\n[ \t]+(?:- )?[\"']?[\w.-]+[\"']?:(?:[ \t\r\n]|\Z)")
_ENDS = re.compile(rb"[ \t]*(?:[\r\n]|\Z)")
_PART = re.compile(rb"\"(?:;[^\r\n]*)?\r\n(?:[A-Za-z-]+:[^\r\n]*\r\n)*\r\n")
_ATTRIBUTE = rb"(?<![-:.@\w])(?:value|content)=(?:(\\*[\"'])([^\"'<>]*?)\1|([^\s\"'<>`\\]+))"
"""What is bound to a script's values (`:value=`, `v-bind:value=`, `model-value=`) is code."""
_INPUT = re.compile(rb"(?:\\*[\"']|(?=\s))[^<>]{0,200}?" + _ATTRIBUTE, re.IGNORECASE)
"""Also a meta; in JSON the quotes have backslashes before them. Packed pages have none."""
_TAG_BEFORE = re.compile(rb"<[^<>]*?" + _ATTRIBUTE + rb"[^<>]*?\bname=(?:\\*[\"'])?", re.IGNORECASE)
_NAMED = re.compile(rb"<[^<>]*?\bname=(?:\\*[\"'])?\Z", re.IGNORECASE)
_IN_ATTRIBUTE = re.compile(rb"&(quot|#34|#39|#x27);\s{0,3}:\s{0,3}&\1;([^&\"'<>]*)&\1;")
"""Of JSON in an attribute of a page: `data-post="{&quot;token&quot;: &quot;..."`."""
_ELEMENT = re.compile(
    rb"(?:\s[^<>]*)?(?<!/)>\s*(?:<!\[CDATA\[)?([^<>\s](?:[^<>]*[^<>\s])?)(?:\]\]>)?\s*"
    rb"<\\?/(?:[\w.-]+:)?([\w.-]+)\s*>"
)
_OPENING = re.compile(rb"<(?:[\w.-]+:)?\Z")
"""Of XML, where a prefix may say which vocabulary the name is of: `<wsse:Password>`."""
_BEFORE = 300
"""How far before its name a tag is looked for in which the value comes first."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_AROUND = 32
"""So far around a value is looked whether it stands among bytes that are no text."""
_HOLDER = re.compile(
    rb"(?:[A-Za-z_][\w.]*\()*(?:\?[0-9]*|%s|\$[0-9]+|:[A-Za-z_]\w*|%\([A-Za-z_]\w*(?:\)s)?)"
    rb"(?:::[A-Za-z_][\w.]*[\w.()\[\]]*)?"
    rb"|\{[^{}]*\}|\$\{[^{}]*\}?|<[^<>]*>|\*+|\{\{[^{}]*\}\}|\{%[^{}]*%\}"
)
"""In SQL with its type, or within a call: `password = lower($1::VARCHAR)`."""
_WORDS = frozenset(
    b"true false null none undefined bearer basic digest required optional string integer"
    b" the your our their this that these those for from with and not are was when which used use"
    b" using can may must should will its any all one new old"
    b" yes off enabled disabled type"
    b" str int float bool boolean number bytes dict list tuple object await async lambda".split()
)
"""In prose they come after a colon: `password: the one that you chose`; types in programs; and
what a switch says: `csrf_enforce_token = yes`."""
_CODE = re.compile(rb"[A-Za-z_][A-Za-z_.]*[(\[]?")
_OPENS = re.compile(rb"\{+[\w.-]*:|[\[({]+[0-9]*")
"""In a program: `tokens = {59: ("title", 4)}`, `pin = [12, 13]`."""
_CALL = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]*\([A-Za-z0-9_.]*")
_CALLED = re.compile(rb"[A-Za-z_][A-Za-z_.]{2,}(?:\((?:[0-9]{1,4}(?=\)))?|\[)(?=[)\"'])")
"""In a program: `password=Password()`, `SECRET_KEY = os.environ.get("KEY")`."""
_CALLED_WITH = re.compile(rb"[A-Za-z_][\w.]*\([A-Za-z_][\w.]*(?:=\S*)?")
"""And with what has a name: `auth = Auth(session, db)`, `token = Token(secret="...")`."""
_SCRIPT = re.compile(rb"\([A-Za-z_$][A-Za-z0-9_$]*[.(\[]")
"""Of a script in a page: `apiKey = (document.querySelector(...`."""
_CHOSEN = re.compile(rb"\?\s{0,9}\\*\Z")
"""Before one of two texts of which a script takes one: `:type="hidden ? 'password' : 'text'"`."""
_BOUND = re.compile(rb"(?:\bv-[a-z]+:|\s[:@])\Z")
"""Before the name of an attribute whose value is a script's: `v-model:password="typed"`."""
_NEGATED = re.compile(rb"!+[A-Za-z_$][\w$]*(?:\.[\w$]+)+")
"""In a script: `data.showPassword = !data.showPassword`."""
_MARKUP = re.compile(rb"<[A-Za-z][\w-]*\s")
"""What shows a secret on a page: `"X-Api-Key": "<i v-text="...`."""
_CLOSING_TAG = re.compile(rb"</[A-Za-z][\w-]*\s*>")
_ANY_TAG = re.compile(rb"</?[A-Za-z]")
_TEMPLATE = re.compile(rb"\{[{%]")
"""In a template stand programs: token=make_token("feed")."""
_TAG = re.compile(rb"\{%-?\s+[a-z]\w*\b[^{}]*%\}|\{\{-?\s[^{}]*\s-?\}\}|\A-?[%}]\}(?=[\s<]|\Z)")
"""What has one in it, or begins where one ends, is a piece of a template."""
_SCHEME = re.compile(rb"(bearer|token|basic|apikey|api-key|jwt|negotiate|key)\s+(.*)", re.I | re.S)
_OTHER_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,19}\s+([A-Za-z0-9._~+/-]{8,}=*)")
"""Of an application's own: by its first word it knows how to read the other."""
_LISTED = re.compile(rb"([A-Za-z_]+)\s*=\s*\"?([A-Za-z0-9+/=_.:-]{16,})\"?")
_PUBLIC = frozenset(
    b"realm uri username algorithm qop nc headers signedheaders keyid domain version timestamp"
    b" created expires oauth_signature_method oauth_timestamp oauth_version oauth_callback".split()
)
"""Parameters of Digest, OAuth 1, signed requests that say how it is signed, and are no secret: a
server takes what is asked, or the service that is meant, from them."""
_SCOPED = re.compile(rb"([^/%\s]+)((?:/|%2[Ff])[\w-]+){3}(?:/|%2[Ff])[a-z0-9]+_request")
"""Which key signed, for which day, region and service: `KEY/20260101/eu-west-1/s3/aws4_request`."""
_SCHEMED = re.compile(rb"[A-Za-z][A-Za-z0-9-]*\s+\S+=")
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
"""How `http.cookies` writes a comma, say."""
_SMALL_NUMBERS = re.compile(rb"\[\s*(?:[0-9]{1,6}(?:\s*,\s*[0-9]{1,6})*)?\s*\]")
"""What was looked at lately, by its numbers: a list of such opens nothing."""
_COOKIE = re.compile(rb"\s*([^=;\s]+)\s*=\s*\"?([^;\"]*)")
_ATTRIBUTES = frozenset(b"path domain expires max-age samesite version priority".split())


@dataclass(frozen=True, slots=True)
class Named:
    """One value that a name says to be a secret."""

    name: str
    value: bytes
    """As it stands there, without quotes."""
    number: bool = False
    line_at: int = -1
    """Where it begins, when it ends a line of settings, `name = value`, or an element; else -1."""


def named_values(
    data: bytes, begin: int, end: int, places: Iterable[int], names: Names, *, code: bool
) -> Iterator[Named | None]:
    """Yield the values in a text; None for a name without one, as in the columns of SQL.

    Args:
        data: in which the text is.
        begin, end: of the text.
        places: where a mark of a name stands in it.
        names: says which names name secrets.
        code: True where lines of programs stand: `password=password` says nothing there.
    """
    done = begin
    for place in places:
        if place < done:
            continue
        left = place
        while left > begin and place - left < _LONGEST_NAME and data[left - 1] in _NAME_BYTES:
            left -= 1
        match = _NAME.match(data, left, end)
        if match is None or match.end() - left > _LONGEST_NAME:
            continue
        done = match.end()
        name = match[0].strip(b".-").decode()
        if not names.is_secret(name):
            continue
        value = _value(data, begin, left, done, end, code=code)
        if value is not None and _is_chain(data, begin, left, done, value[0], names):
            continue
        if value is not None and value[0].lower() == name.lower().encode():
            match = _AFTER.match(data, done, end)
            if match is not None and match[3] == b"=":
                after = match.end() + len(value[0])
                if match[5] or data[after : after + 1] in (b",", b")"):
                    continue  # token="token", f(token=token): said by a program, to itself
        yield value and Named(name, *value)


def _is_chain(data: bytes, begin: int, left: int, place: int, value: bytes, names: Names) -> bool:
    """Return True in names with colons, like keys of Redis: `per_key:master_key:small`.

    A word there is none of secrets: it is said after the name of a module, or of a value, or is
    the name of a secret itself.
    """
    if data[place : place + 1] != b":" or not data.startswith(value, place + 1):
        return False
    if _ARN.search(data, max(begin, left - _LONGEST_NAME), left):
        return True
    # What ends in a colon too is the name of what comes next: `:field:token:is_required: False`.
    value = value.removesuffix(b":")
    if any(_LOWER.fullmatch(word) is None for word in value.split(b":")):
        return False
    inside = b"." in data[left:place] or (left > begin and data[left - 1] == _COLON)
    return inside or (b":" not in value and names.is_secret(value.decode()))


def _value(
    data: bytes, begin: int, left: int, place: int, end: int, *, code: bool
) -> tuple[bytes, bool, int] | None:
    """Return the value after a name, whether it is a number, and where, if it ends a line."""
    match = _AFTER.match(data, place, end)
    if match is None:
        return _of_form(data, begin, left, place, end)
    found = _after(data, begin, left, match, end, code=code)
    return None if found is None or _is_noise(found[0], data, match, begin, end) else found


def _is_noise(value: bytes, data: bytes, match: re.Match[bytes], begin: int, end: int) -> bool:
    """Return True where no text is: in 3 MB of a packed body or a picture stands once `pw=`."""
    if value.isascii() and value.isalnum():
        return False
    first = match.end()
    try:
        value.decode()
    except UnicodeDecodeError:
        first -= _AROUND
        last = match.end() + len(value) + _AROUND
    else:
        last = first + len(value)
    return _CONTROL.search(data, max(begin, first), min(end, last)) is not None


def _after(
    data: bytes, begin: int, left: int, match: re.Match[bytes], end: int, *, code: bool
) -> tuple[bytes, bool, int] | None:
    start, separator, quote = match.end(), match[3], match[5]
    if quote:
        value = _quoted(data, start, end, match[4], quote)
        of_script = _is_of_script(data, begin, left, match, value)
        return None if value is None or of_script else (value, False, -1)
    if match[4] and data[start : start + 1] in (b"n", b"r", b"t"):
        return None  # the end of a line, in JSON
    first = left
    while first > begin and data[first - 1] in b" \t":
        first -= 1
    begins_line = not match[2] and (first == begin or data[first - 1] in b"\r\n")
    if separator == b":" and data[match.start(3) - 1 : match.start(3)] == b"]" and match[2]:
        return None  # of a style sheet: input[type="password"]:focus
    if separator == b":" and _NESTED.match(data, match.end(3), end):
        return None  # of YAML: the name of a mapping, not of a value
    if separator == b":" and begins_line and first == left:
        return _line(data, start, end), False, start
    if separator == b":" and (begins_line or data[max(first - 2, begin) : first] == b"\\n"):
        prose = _PROSE.match(data, start, end)
        if prose is not None:
            return prose[0].strip(), False, start if begins_line else -1
    number = _NUMBER.match(data, start, end)
    if number is not None and separator == b":":
        return number[0], True, -1
    bare = _BARE.match(data, start, end)
    if bare is None or (code and _CODE.fullmatch(bare[0])):
        return None
    if match[2] and bare[0].endswith(b"=") and data[bare.end() : bare.end() + 1] in (b'"', b"'"):
        return None  # the next attribute of a tag: name="password" :value="typed"
    called = _CALLED.match(data, start, end)
    if separator == b"=" and called is not None and called.end() == bare.end():
        return None
    spaced, ends = data[start - 1 : start] == b" ", data[bare.end() : bare.end() + 1]
    if separator == b"=" and spaced and ends in (b",", b'"', b"'"):
        if _CALLED_WITH.fullmatch(bare[0]):
            return None
    if separator == b"=" and _OPENS.fullmatch(bare[0]):
        return None
    if spaced and (_SCRIPT.match(bare[0]) or _NEGATED.fullmatch(bare[0])):
        return None
    if _CALL.fullmatch(bare[0]) and _TEMPLATE.search(data, begin, end):
        return None
    ends_line = begins_line and _ENDS.match(data, bare.end(), end) is not None
    return bare[0], False, start if ends_line else -1


def _line(data: bytes, start: int, end: int) -> bytes:
    """Return the rest of a line; on a page, what stands of it before the next tag."""
    line: bytes = _LINE.match(data, start, end)[0]  # type: ignore[index]
    if _CLOSING_TAG.search(line):
        line = _ANY_TAG.split(line, maxsplit=1)[0]
    return line.strip()


def _is_of_script(
    data: bytes, begin: int, left: int, match: re.Match[bytes], value: bytes | None
) -> bool:
    """Return True where a script in a page says it, or markup, and no secret is meant."""
    if match[2]:
        quoted = left - len(match[1]) - 1
        chosen = match[3] == b":" and _CHOSEN.search(data, max(begin, quoted - 16), quoted)
        return bool(chosen) or (value is not None and _MARKUP.match(value) is not None)
    return match[3] == b"=" and _BOUND.search(data, max(begin, left - 16), left) is not None


def _quoted(data: bytes, start: int, end: int, escape: bytes, quote: bytes) -> bytes | None:
    if escape:
        finish = data.find(escape + quote, start, end)
        return data[start:finish] if finish >= 0 else None
    match = (_DOUBLE if quote == b'"' else _SINGLE).match(data, start, end)
    return match[0] if match is not None else None


def _of_form(
    data: bytes, begin: int, left: int, place: int, end: int
) -> tuple[bytes, bool, int] | None:
    in_attribute = _IN_ATTRIBUTE.match(data, place, end)
    if in_attribute is not None:
        return in_attribute[2], False, -1
    part = _PART.match(data, place, end)
    if part is not None:
        finish = data.find(b"\r\n--", part.end(), end)
        return data[part.end() : finish if finish >= 0 else end], False, -1
    element = _ELEMENT.match(data, place, end)
    if element is not None and element[2] == data[left:place]:
        opening = _OPENING.search(data, max(begin, left - _LONGEST_NAME), left)
        return None if opening is None else (element[1], False, element.start(1))
    field = _INPUT.match(data, place, end)
    tag = data.rfind(b"<", max(begin, left - _BEFORE), left)
    if field is not None and (field[3] or data[place : place + 1].isspace()):  # without quotes
        field = field if tag >= 0 and _NAMED.match(data, tag, left) else None
    if field is None:
        field = _TAG_BEFORE.fullmatch(data, tag, left) if tag >= 0 else None
    return None if field is None else (field[2] or field[3] or b"", False, -1)


def values_in(name: str, value: bytes, names: Names) -> Iterator[bytes]:
    """Yield the secrets in what stands after a name: of a cookie header each cookie's, say."""
    value = value.strip()
    lowered = name.lower()
    if lowered.endswith("cookie"):
        yield from _cookies(value, names, only_first=lowered.endswith("set-cookie"))
        return
    if lowered.endswith("authorization"):
        scheme = _SCHEME.fullmatch(value)
        if scheme is None and (other := _OTHER_SCHEME.fullmatch(value)) is not None:
            value = other[1]
        elif scheme is not None:
            value = scheme[2]
        elif _SCHEMED.match(value):  # Digest, AWS4-HMAC-SHA256, OAuth: a list of parameters
            for match in _LISTED.finditer(value):
                if match[1].lower() not in _PUBLIC:
                    yield _key_of(match[2])
            return
    signatures = signatures_in(value) if "signature" in lowered else None
    for one in [_key_of(value)] if signatures is None else signatures:
        if is_value(one):
            yield one


def _key_of(value: bytes) -> bytes:
    """Return the key of a credential that says what it is for, else the value itself."""
    scoped = _SCOPED.fullmatch(value)
    return value if scoped is None else scoped[1]


def _cookies(value: bytes, names: Names, *, only_first: bool) -> Iterator[bytes]:
    for match in list(_COOKIE.finditer(value))[: 1 if only_first else None]:
        name, content = match[1].decode("latin-1"), match[2].strip()
        if match[1].lower() in _ATTRIBUTES or names.keeps(name):
            continue
        if (names.is_secret(name) or _says_much(content)) and is_value(content):
            yield content


def _says_much(cookie: bytes) -> bool:
    """Return True for what may be a secret, though its name does not say so."""
    if len(cookie) < _LEAST_COOKIE:
        return False
    plain = percent_decoded(_OCTAL.sub(lambda octal: bytes([int(octal[1], 8)]), cookie))
    return len(plain) >= _LEAST_COOKIE and _SMALL_NUMBERS.fullmatch(plain) is None


def is_value(value: bytes) -> bool:
    """Return False for what is no value: a placeholder, a word like null, something short."""
    if len(value) < LEAST or value.lower() in _WORDS:
        return False
    return _HOLDER.fullmatch(value) is None and _TAG.search(value) is None


def unescaped(value: bytes) -> bytes:
    """Return a value of JSON or a Python literal without its escapes, where it has any."""
    if b"\\" not in value:
        return value
    try:
        text = json.loads(b'"' + value + b'"', strict=False)
    except ValueError:
        return value
    return str(text).encode("utf-8", "surrogatepass")
