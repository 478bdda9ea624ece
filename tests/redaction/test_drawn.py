"""Drawn: a UUID that is a secret is masked in the draw of which it was made, too."""

from __future__ import annotations

import json
import secrets
import string
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.redaction.drawn import drawn_for, is_random_uuid
from tests.recorded import assert_identical, record_wsgi
from tests.redaction.raw import raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("write", [str, lambda made: made.hex], ids=["dashes", "hex"])
def test_a_token_that_the_request_makes(recordings: Path, write: Callable[[Any], str]) -> None:
    """A replay draws the pseudonym: neither the UUID nor its draw is in the recording."""

    def view() -> dict[str, str]:
        return {"token": write(uuid.uuid4()), "number": str(uuid.uuid4())}

    said: list[str] = []

    def noted() -> dict[str, str]:
        answer = view()
        said.append(answer["token"])
        return answer

    app, recording = record_wsgi(recordings, noted)
    made = uuid.UUID(said[0])
    content = raw(recordings)
    assert said[0].encode() not in content and made.hex.encode() not in content
    assert made.bytes[9:] not in content and made.bytes[:6] not in content
    assert recording.response is not None
    assert json.loads(recording.response.body[0])["token"] != said[0]
    assert_identical(recording, app)


@given(drawn=st.binary(min_size=16, max_size=16), around=st.binary(max_size=9))
def test_whatever_was_drawn(drawn: bytes, around: bytes) -> None:
    """The masked draw makes the pseudonym."""
    made = uuid.UUID(bytes=drawn, version=4)
    stands = uuid.UUID("51e801df-27b3-4617-8695-7b9d3a9a904e")
    pairs = list(drawn_for(around + drawn + around, str(made).encode(), str(stands)))
    assert is_random_uuid(str(made).encode()) and is_random_uuid(made.hex.encode())
    ((was, now),) = set(pairs)
    assert was == drawn
    masked = uuid.UUID(bytes=now, version=4)
    assert masked.bytes[:8] == stands.bytes[:8] and masked.bytes[9:] == stands.bytes[9:]
    assert masked.bytes[8] & 0x3F == stands.bytes[8] & 0x3F


ALPHABETS = {
    "letters and digits": string.ascii_letters + string.digits,
    "base32": string.ascii_uppercase + "234567",
    "upper case and digits": string.ascii_uppercase + string.digits,
    "hex": "0123456789abcdef",
    "digits": string.digits,
}


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_drawn_character_by_character(recordings: Path, alphabet: str) -> None:
    """A replay draws the pseudonym: the secret can't be reckoned from what was drawn."""
    said: list[str] = []

    def view() -> dict[str, str]:
        said.append("".join(secrets.choice(alphabet) for _ in range(24)))
        return {"access_token": said[-1]}

    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    masked = json.loads(recording.response.body[0])["access_token"]
    assert masked != said[0]
    assert_identical(recording, app)
    assert said[1] == masked
