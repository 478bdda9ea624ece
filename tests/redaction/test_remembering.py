"""What is remembered and looked for natively masks as what is looked at anew, in Python, does."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from retrace_core import _fallback_finder
from retrace_core.codec import encode
from retrace_core.redaction.json_path import parse
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Redacted, Region

NAMES = Names(("mother",))


def redactor() -> Redactor:
    """Return one that has seen nothing yet."""
    return Redactor(
        NAMES,
        Forms(Pseudonyms(b"k" * 32), NAMES),
        patterns={"pattern 1": re.compile(rb"EMP-([0-9]{6})")},
        paths=[parse("$..note"), parse("$.items[0].text")],
        allowed=frozenset((b"allowed-value",)),
    )


OLD = redactor()
"""It has seen what all examples before had."""
PIECES = st.sampled_from(
    [
        *("password", "token", "note", "Cookie", "authorization", "mother", "pin", "name", "a"),
        *("s3cret-value", "s3cret%2Fvalue", "a+b s3cret", "allowed-value", "EMP-123456", "x"),
        *("4242 4242 4242 4242", "4111111111111111", "123456789", "2024-05-06", "1234"),
        *("ada@example.com", "sk-0123456789abcdefABCDEF", "Bearer ", "Basic YWRhOnMzY3JldC12YQ=="),
        *("0c11a3a1b5e14b8fb6b0b2bb1a1c1d1e", "session=8c6a64ddb70514a8; theme=dark"),
        *("eyJhbGciOiJIUzI1NiJ9.eyJhIjoiYkBjLm9yZyJ9.c2lnbmF0dXJlLW9mLTMy", "db://u:pa55@host/"),
        *(": ", "=", "&", '"', "'", "{", "}", "[", ",", "\n", "\\", " ", "é", "%3D", "1"),
        *("SELECT * FROM t WHERE token = ?", '{"password": "s3cret", "note": "told"}'),
        "free.hashlib.digest",
    ]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
LEAVES = TEXTS | TEXTS.map(str.encode) | st.integers() | st.none()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(TEXTS, inner)
        | st.dictionaries(TEXTS, inner, max_size=3)
    ),
    max_leaves=8,
)
RECORDINGS = st.lists(st.tuples(VALUES, st.booleans()), min_size=1, max_size=5)


def redacted(by: Redactor, recording: list[tuple[object, bool]]) -> Redacted:
    """Return a recording of these values, each a region by itself, masked."""
    regions, data = list[Region](), b""
    for number, (value, code) in enumerate(recording):
        encoded = encode(value)
        regions.append(Region(len(data), len(data) + len(encoded), code=code, head=not number))
        data += encoded
    return by.redact(data, regions, ())


@given(RECORDINGS)
@example([("free.hashlib.digest", False), ([["free.hashlib.digest", 0], ["md5", b"in"]], False)])
@example([("SELECT * FROM t WHERE token = ?", False)])
@example([(None, False), ({"password": "s3cret-value", "a": "x s3cret-value"}, False)])
def test_what_was_seen_before_is_masked_alike(recording: list[tuple[object, bool]]) -> None:
    """By one that has seen much, twice, by a new one, and by one without native parts."""
    plain = redactor()
    plain._finder = _fallback_finder.Finder(*plain._wanted)  # type: ignore[assignment]
    expected = redacted(plain, recording)
    assert redacted(redactor(), recording) == expected
    assert redacted(OLD, recording) == expected
    assert redacted(OLD, recording) == expected
