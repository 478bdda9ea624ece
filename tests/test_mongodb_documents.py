"""MongoDB's documents as plain values, and what a message of its protocol asks."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64, ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from retrace_core import codec
from retrace_core.databases.mongodb.documents import from_plain, plain_document
from retrace_core.databases.mongodb.messages import question_of

NAMES = st.sampled_from(["a", "b", "$oid", "$date", "$literal", "$bson", "password"])
LEAVES = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.integers(-(2**31), 2**31 - 1)
    | st.integers(-(2**63), 2**63 - 1).map(Int64)
    | st.integers(-(2**40), 2**40).map(DatetimeMS)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    | st.binary(max_size=5)
    | st.binary(max_size=5).map(lambda data: Binary(data, 128))
    | st.binary(min_size=12, max_size=12).map(ObjectId)
    | st.sampled_from([Decimal128("1.50"), Timestamp(1, 2), bson.MinKey(), bson.Regex("^a", 2)])
)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=8
    ),
)


def message(command: dict[str, Any], flags: int = 0, more: bytes = b"") -> bytes:
    """Return a whole OP_MSG."""
    body = struct.pack("<I", flags) + b"\0" + bson.encode(command) + more
    return struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body


@given(DOCUMENTS)
def test_a_document_comes_back_to_the_byte(document: dict[str, Any]) -> None:
    """Through plain values and the codec of recordings, whatever it holds."""
    data = bson.encode(document)
    plain = codec.decode(codec.encode(plain_document(data)))
    assert from_plain(plain) == data


@given(DOCUMENTS, st.lists(DOCUMENTS, max_size=3))
def test_a_message_asks_what_its_sections_say(
    command: dict[str, Any], documents: list[dict[str, Any]]
) -> None:
    """Documents beside the command come under their name; ids of sessions do not."""
    sequence = b"documents\0" + b"".join(map(bson.encode, documents))
    more = b"\1" + struct.pack("<i", len(sequence) + 4) + sequence
    asked = question_of(message({**command, "lsid": {"id": 1}, "txnNumber": Int64(7)}, 2, more))
    assert asked.unacknowledged
    plain = [plain_document(bson.encode(one)) for one in documents]
    assert asked.command == {**plain_document(bson.encode(command)), "documents": plain}


def test_a_compressed_message_asks_the_same() -> None:
    """The command of an OP_COMPRESSED is read."""
    whole = message({"find": "users"})
    body = zlib.compress(whole[16:])
    packed = struct.pack("<iiii", 25 + len(body), 1, 0, 2012)
    packed += struct.pack("<iiB", 2013, len(whole) - 16, 2) + body
    assert question_of(packed) == question_of(whole)


@pytest.mark.parametrize("cut", range(22, 40))
def test_a_message_that_is_cut_off_is_refused(cut: int) -> None:
    """What does not end where it says is no message."""
    whole = message({"find": "users", "filter": {}})
    with pytest.raises((ValueError, struct.error, bson.errors.InvalidBSON)):
        question_of(whole[:cut])
