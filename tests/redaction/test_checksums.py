"""Checksums in keys: of masked content they are not compared; everything else is."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from retrace_core.checksum import checksum_of, crc32_in
from retrace_core.http_clients.http_exchange import exchange_key
from retrace_core.replay.divergence import same_key
from retrace_core.replay.masks import Masks

MASKS = Masks([b"hunter-pseudonym"])


def sent(body: bytes) -> object:
    """Return the key of a POST of that body."""
    return exchange_key("POST", "http://stock/items", body)


def test_a_checksum_tells_bodies_apart() -> None:
    assert same_key(sent(b"one"), sent(b"one"))
    assert not same_key(sent(b"one"), sent(b"two"))


def test_a_masked_body_has_another_checksum() -> None:
    assert same_key(sent(b"password=true one"), sent(b"password=pseudonym"), masks=MASKS)


@pytest.mark.parametrize("number", [7, 1 << 20, 1 << 31, 1 << 60])
def test_a_number_is_compared_whatever_its_size(number: int) -> None:
    """The id of a row is no checksum."""
    asked = ["SELECT name FROM items WHERE id = ?", number + 1]
    assert not same_key(["SELECT name FROM items WHERE id = ?", number], asked, masks=MASKS)


@pytest.mark.parametrize("masks", [None, MASKS])
def test_a_bare_checksum_of_an_older_recording_is_compared(masks: Masks | None) -> None:
    key: Any = sent(b"one")
    older = (key[0], zlib.crc32(b"one"))
    assert same_key(older, key, masks=masks)
    assert same_key((key[0], 5), key, masks=masks) is (masks is not None)


@pytest.mark.parametrize("value", ["<3 bytes>", 5, None, "<3 bytes, crc32 0000000g>", b"x"])
def test_nothing_else_is_a_checksum(value: object) -> None:
    assert crc32_in(value) is None
    assert crc32_in(checksum_of(b"one")) == zlib.crc32(b"one")
