"""What stands for a secret is as long, of the same characters, the same each time, and keyed."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
import string
import uuid

from cryptography.fernet import Fernet
from hypothesis import assume, given
from hypothesis import strategies as st

from retrace_core.codec import encode
from retrace_core.redaction.forms import forms_of
from retrace_core.redaction.messagepack import integer_bytes
from retrace_core.redaction.numerals import packed_alike, spelled
from retrace_core.redaction.pseudonyms import Pseudonyms, luhn_valid

ONE, OTHER = Pseudonyms(b"one" * 11), Pseudonyms(b"other" * 7)
TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=60)
PLAIN = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40)


def shape(text: str) -> str:
    """Return the kinds of a text's characters."""
    kinds = [(r"[A-Z]", "A"), (r"[a-z]", "a"), (r"[0-9]", "0")]
    for pattern, kind in kinds:
        text = re.sub(pattern, kind, text)
    return text


@given(TEXTS)
def test_as_long_in_bytes(text: str) -> None:
    """The bytes of a recording keep their places."""
    assert len(ONE.of(text).encode()) == len(text.encode())


@given(st.text(string.printable, min_size=1, max_size=60))
def test_of_the_same_characters(text: str) -> None:
    """Digits stay digits and letters letters, but for hex digits, which stay that."""
    assume(not re.fullmatch(r"[0-9a-f]{16,}|[0-9A-F]{16,}", text))
    assume(not re.fullmatch(r"[A-Za-z0-9+/_-]{16,}={0,2}", text))
    assert shape(ONE.of(text)) == shape(text)


@given(PLAIN)
def test_keyed_and_the_same_each_time(text: str) -> None:
    """Equal values are equal, and without the key nobody can try one out."""
    assert ONE.of(text) == ONE.of(text)
    assert ONE.of(text) != OTHER.of(text)
    assert ONE.of(text) != text


@given(st.text(string.ascii_letters, min_size=1, max_size=15))
def test_case_goes_along(text: str) -> None:
    """What the code makes lower case is the pseudonym made lower case."""
    assert ONE.of(text).lower() == ONE.of(text.lower())


@given(st.text(string.digits, min_size=1, max_size=40))
def test_digits_stay_digits(text: str) -> None:
    """A number with noughts before it, as long as hex may be, is one still."""
    assert re.fullmatch(r"[0-9]+", ONE.of(text))


@given(st.binary(min_size=10, max_size=40))
def test_base32_stays_that(raw: bytes) -> None:
    """The key of a one-time password can be decoded, upper case or lower."""
    text = base64.b32encode(raw).decode()
    assume(not re.fullmatch(r"[0-9A-F]+", text))
    made = ONE.of(text)
    assert len(base64.b32decode(made)) == len(raw)
    assert ONE.of(text.lower()) == made.lower()


@given(st.text(string.digits, min_size=12, max_size=18))
def test_a_card_stays_one(digits: str) -> None:
    """It passes the check, and shows no more than a receipt does."""
    check = next(d for d in string.digits if luhn_valid(digits + d))
    card = digits + check
    made = ONE.of_card(card)
    assert luhn_valid(made)
    assert made != card
    assert (len(made), made[-4:]) == (len(card), card[-4:])


def test_separators_of_a_card_stay() -> None:
    """Spaces and dashes are where they were."""
    assert re.fullmatch(r"4242 42\d\d \d{4} 4242", ONE.of_card("4242 4242 4242 4242"))


@given(st.emails(domains=st.just("example.com")))
def test_an_address_stays_one(address: str) -> None:
    """Its domain is the same."""
    assert ONE.of_email(address).endswith("@example.com")
    assert len(ONE.of_email(address)) == len(address)


@given(st.uuids(version=4))
def test_a_uuid_stays_one(value: uuid.UUID) -> None:
    """Of the same version."""
    assert uuid.UUID(ONE.of(str(value))).version == 4


@given(st.binary(min_size=12, max_size=48))
def test_base64_can_be_decoded_and_written_again(raw: bytes) -> None:
    """A token that was drawn as bytes is what comes of the masked bytes."""
    text = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    made = ONE.of(text)
    decoded = base64.urlsafe_b64decode(made + "=" * (-len(made) % 4))
    assert base64.urlsafe_b64encode(decoded).decode().rstrip("=") == made


@given(st.integers(min_value=1000, max_value=2**64 - 1))
def test_a_number_stays_as_wide(value: int) -> None:
    """MessagePack makes as many bytes of it."""
    made = ONE.of(str(value))
    assert len(integer_bytes(int(made))) == len(integer_bytes(value))


@given(TEXTS)
def test_each_form_is_as_long_for_both(text: str) -> None:
    """Digests, encodings and decodings of a secret and its pseudonym differ in no length."""
    for was, now in forms_of(text, ONE.of(text)):
        assert len(was) == len(now)


def test_digests_are_among_the_forms() -> None:
    """A token that is looked up by its digest is found."""
    token = "tok_0123456789"
    forms = dict(forms_of(token, ONE.of(token)))
    digest = hashlib.sha256(token.encode()).hexdigest().encode()
    assert forms[digest] == hashlib.sha256(ONE.of(token).encode()).hexdigest().encode()


@given(st.integers(-(2**63), 2**64 - 1))
def test_an_integer_stays_one_of_its_size(number: int) -> None:
    """It fits into the same columns, and takes as many bytes."""
    made = ONE.of(str(number))
    assert len(made) == len(str(number))
    assert str(int(made)) == made
    assert (number < 0) == (int(made) < 0) or number == 0
    for bits in (15, 31, 63):
        assert (-(2**bits) <= number < 2**bits) == (-(2**bits) <= int(made) < 2**bits)
    packed = packed_alike(str(number), made)
    assert (packed is None) == (-1000 < number < 1000)
    assert packed is None or packed == (encode(number), encode(int(made)))


@given(st.floats(0.001, 1e15) | st.floats(-1e15, -0.001) | st.just(0.0))
def test_a_float_stays_one(number: float) -> None:
    """Written again it is the same text."""
    made = ONE.of(repr(number))
    assert len(made) == len(repr(number))
    assert repr(float(made)) == made
    packed = packed_alike(repr(number), made)
    assert packed == (encode(number), encode(float(made)))


@given(st.dates(datetime.date(1000, 1, 1)))
def test_a_day_stays_one(day: datetime.date) -> None:
    """In each spelling, and as an object."""
    made = datetime.date.fromisoformat(ONE.of(day.isoformat()))
    assert packed_alike(day.isoformat(), made.isoformat()) == (encode(day), encode(made))
    spellings = dict(spelled(day.isoformat(), made.isoformat()))
    assert spellings[day.strftime("%d.%m.%Y")] == made.strftime("%d.%m.%Y")


@given(st.datetimes(datetime.datetime(1000, 1, 1)), st.sampled_from("T "))
def test_a_moment_stays_one(moment: datetime.datetime, between: str) -> None:
    """It can be read, and is as long."""
    text = moment.isoformat(between)
    assert datetime.datetime.fromisoformat(ONE.of(text)).isoformat(between) == ONE.of(text)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 2**33))
def test_a_token_of_fernet_says_when_it_was_made(secret: bytes, moment: int) -> None:
    """It stands in clear at its beginning, where some read it; the rest is another."""
    fernet = Fernet(Fernet.generate_key())
    token = fernet.encrypt_at_time(secret, moment).decode()
    for text in (token, token.rstrip("=")):
        made = ONE.of(text)
        assert made != text
        raw = base64.urlsafe_b64decode(made + "=" * (-len(made) % 4))
        assert raw[:1] == b"\x80"
        assert int.from_bytes(raw[1:9], "big") == moment
        assert text[16:40] not in made
