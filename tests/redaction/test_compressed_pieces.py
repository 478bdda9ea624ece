"""Compressed bodies in pieces: unpacked they are masked, and nothing else of them is changed."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from retrace_core.codec import encode
from retrace_core.redaction.bodies import bodies_of_lane
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region
from tests.redaction.test_compressed import PACKERS, chunked, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

    Shape = Callable[[bytes, str, list[int]], tuple[bytes, list[Region]]]

NAMES = Names()
CODINGS = st.sampled_from([*PACKERS])
WORDS = st.text("abcdef0123456789é漢 ", max_size=40)
CUTS = st.lists(st.integers(0, 400), max_size=8)


def cut(packed: bytes, cuts: list[int]) -> list[bytes]:
    """Return a body in pieces, none of them empty."""
    places = sorted({0, len(packed), *(place for place in cuts if place < len(packed))})
    return [packed[begin:end] for begin, end in pairwise(places)]


def in_one_text(packed: bytes, coding: str, cuts: list[int]) -> tuple[bytes, list[Region]]:
    """Return a body that one event has, without its headers."""
    assume(coding != "br")
    data = encode(["body", packed])
    return data, [Region(0, len(data))]


def in_chunks(packed: bytes, coding: str, cuts: list[int]) -> tuple[bytes, list[Region]]:
    """Return it as a client of httpx's got it: a head, and chunk by chunk."""
    events = [["httpx.request", [200, [[b"Content-Encoding", coding.encode()]]]]]
    events += [["httpx.chunk", piece] for piece in cut(packed, cuts)]
    return lane(events)


def in_reads(packed: bytes, coding: str, cuts: list[int]) -> tuple[bytes, list[Region]]:
    """Return it as `http.client` read it: with its head, in HTTP's chunks, cut anywhere."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = head % coding.encode() + chunked(packed, 1 + sum(cuts) % 90)
    late = [13 + place for place in cuts]  # a status line begins as one
    return lane([["http.exchange", None], *(["http.bytes", one] for one in cut(body, late))])


def lane(events: list[list[object]]) -> tuple[bytes, list[Region]]:
    """Return a lane's events: each with its number, kind, status, key, value, end and duration."""
    data = b"".join(
        b"\x97" + b"".join(map(encode, [number, kind, 0, None, value, 5, 6]))
        for number, (kind, value) in enumerate(events, 1)
    )
    return data + encode(len(events)), [Region(0, len(data), lane=True)]


SHAPES = [in_one_text, in_chunks, in_reads]


def redactor(**options: object) -> Redactor:
    """Return one with a key of its own."""
    return Redactor(NAMES, Forms(Pseudonyms(b"k" * 32), NAMES), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
@given(CODINGS, WORDS, CUTS, st.integers(0, 300))
def test_what_looks_like_a_secret_by_chance(
    shape: Shape, coding: str, said: str, cuts: list[int], begin: int
) -> None:
    """Packed bytes that are a secret elsewhere stay: changed, the body would be none any more."""
    plain = json.dumps({"said": said}).encode()
    packed = PACKERS[coding](plain)
    piece = packed[begin % (len(packed) - 6) :][:6]
    data, regions = shape(packed, coding, cuts)
    assume(piece not in plain and data.count(piece) == 1 and len(piece) == 6)
    found = redactor(known=lambda: {piece: "chance"}).redact(data, regions, ())
    assert found.data == data


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=60)
@given(CODINGS, WORDS, CUTS, st.text("abcdefghijkl0123456789", min_size=7, max_size=30))
def test_a_secret_in_it(shape: Shape, coding: str, said: str, cuts: list[int], secret: str) -> None:
    """However it is cut: what comes out can be unpacked, and has a mask where the secret was."""
    body = {"said": said, "access_token": secret, "lines": [{"n": n} for n in range(9)]}
    packed = PACKERS[coding](json.dumps(body).encode())
    data, regions = shape(packed, coding, cuts)
    assume(len(set(secret)) > 4 and secret not in said)
    found = redactor().redact(data, regions, ())
    spans = [(len(data) - len(packed), len(data))]
    if regions[0].lane:
        (answer,) = bodies_of_lane(found.data, regions[0])
        spans = answer.spans
    joined = b"".join(found.data[begin:end] for begin, end in spans)
    now = json.loads(unpacked(joined, coding))
    assert now["access_token"] != secret
    assert len(now["access_token"]) == len(secret)
    assert {**now, "access_token": secret} == body
