"""Masks: what the code says by itself, where the recording has a pseudonym of it."""

from __future__ import annotations

import pytest

from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.replay.masks import Masks
from retrace_core.replay.shortened import Shortened

PSEUDONYMS = Pseudonyms(b"k" * 32)


@pytest.mark.parametrize(
    "text", ["Passwort ändern", "Мой пароль", "新しいパスワード", "s3cret-value"]
)
def test_a_text_of_the_same_shape_is_the_same(text: str) -> None:
    """In whatever language: a translation of "Change password" is no secret, but masked."""
    pseudonym = PSEUDONYMS.of(text)
    masks = Masks([pseudonym.encode()])
    assert masks.same(f'{{"password": "{pseudonym}"}}', f'{{"password": "{text}"}}')
    assert not masks.same(f'{{"password": "{pseudonym}"}}', f'{{"password": "{text[:-1]}."}}')


def test_it_must_be_the_same_text_each_time() -> None:
    """One pseudonym stands for one secret."""
    masks = Masks([b"ulofuxln"])
    assert masks.same("ulofuxln", "passwort")
    assert not masks.same("ulofuxln", "kennwort")


def test_three_letters_are_a_secret_as_well() -> None:
    """So few are masked, too."""
    assert Masks([b"YVO"]).same("api_key: YVO", "api_key: API")


def test_a_shortened_one_stands_for_several() -> None:
    """Where pseudonyms don't fit into a compressed body, those of one length are one text."""
    masks = Masks([b"eeeeee", b"qx-eeee"])
    assert masks.same("eeeeee and eeeeee", "ljqois and python")
    assert not masks.same("eeeeee and eeeeee", "ljqois and pytho.")
    assert not masks.same("qx-eeee and qx-eeee", "to-days and to-dayz")


def test_the_end_of_one_may_be_filled_up() -> None:
    """The code read it in a compressed body, in which the whole of it had no room."""
    masks = Masks([b"ryw@example.com"])
    assert masks.same("by ryw@example.com", "by ryw@example.000")
    assert masks.same("by ryw@example.com", "by ryw@example.com")
    assert masks.same("of ryw@example.com", "of ann@example.com")
    assert not masks.same("of ryw@example.com", "of ann@example.org")


def test_what_the_code_says_for_one_may_be_filled_up_at_one_place() -> None:
    masks = Masks([b"ryw@example.com"])
    both = "ryw@example.com, ryw@example.com"
    assert masks.same(both, "ann@example.000, ann@example.com")
    assert masks.says == {b"ryw@example.com": b"ann@example.com"}
    assert not masks.same(both, "ann@example.com, ann@example.net")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_what_was_filled_up_is_told_from_what_other_recordings_have(order: list[int]) -> None:
    """By that the digest is found which was recorded of the whole one."""
    known = [b"ryw@0000000.000", b"ryw@example.000", b"ryw@example.com"]
    shortened = Shortened()
    for number in order:
        shortened.note([known[number]])
    for text in known:
        assert shortened.lengthened(b"SUMMARY:with %b" % text) == b"SUMMARY:with ryw@example.com"


def test_a_name_taken_from_an_address_is_its_masks() -> None:
    """The recording has the true one, since nothing tells that it is secret; it is one name."""
    masks = Masks([b"ryw@example.com"])
    assert masks.same("ryw@example.com is ann", "ryw@example.com is ryw")
    assert masks.same("Ann", "Ryw")
    assert not masks.same("bob", "ryw")
    assert not masks.same("ann of us", "ryw of no")


def test_so_is_one_whose_parts_are_written_for_people() -> None:
    """`ann.lee@example.com` is shown as Ann Lee."""
    masks = Masks([b"ryw.qof@example.com"])
    assert masks.same("Hello Ann.Lee", "Hello Ryw.Qof")
    assert masks.same("Hello Ann Lee, ann lee", "Hello Ryw Qof, ryw qof")


def test_so_are_its_first_letters() -> None:
    """They stand for the picture of whoever has none; they are the same ones each time."""
    masks = Masks([b"ryw@example.com"])
    assert masks.same('{"initials": "an"}', '{"initials": "ry"}')
    assert masks.same("<b>A</b>, <b>AN</b>", "<b>R</b>, <b>RY</b>")
    assert not masks.same("<b>B</b>", "<b>R</b>")
    assert not masks.same("<b>xy</b>", "<b>zw</b>")
    assert not masks.same("an hour", "or hour")


@pytest.mark.parametrize("backwards", [False, True], ids=["", "backwards"])
def test_those_that_the_code_sorts_are_in_another_order_than_the_true_ones(backwards: bool) -> None:
    """To whom a mail went, say, as the code stores it."""
    masks = Masks([b"zzb@example.com", b"tsrd@example.com", b"lxdf@example.com"])
    recorded = '["zzb@example.com", "lxdf@example.com", "tsrd@example.com"] of tsrd@example.com'
    listed = sorted(["zzb@example.com", "lxdf@example.com", "tsrd@example.com"], reverse=backwards)
    asked = f'["{listed[0]}", "{listed[1]}", "{listed[2]}"] of tsrd@example.com'
    assert masks.same(recorded, asked)
    assert not masks.says


def test_those_that_are_in_no_order_must_be_where_they_were() -> None:
    """Who gets a mail, and who sends it, is no list."""
    masks = Masks([b"zzb@example.com", b"tsrd@example.com", b"lxdf@example.com"])
    recorded = "zzb@example.com, lxdf@example.com, tsrd@example.com"
    assert not masks.same(recorded, "lxdf@example.com, zzb@example.com, tsrd@example.com")
    recorded = "from zzb@example.com to lxdf@example.com for tsrd@example.com"
    assert not masks.same(recorded, "from lxdf@example.com to zzb@example.com for tsrd@example.com")


def test_what_did_not_hold_teaches_nothing() -> None:
    """Of two texts the first was the same: what it said for its pseudonym is forgotten."""
    masks = Masks([b"ulofuxln"])

    def both(first: str, second: str) -> bool:
        return masks.same("ulofuxln", first) and masks.same("of gpt", second)

    assert not masks.hold(lambda: both("kennwort", "of another"))
    assert not masks.hold(lambda: both("passwort", "of gpt"), learns=False)
    assert masks.hold(lambda: both("passwort", "of gpt"))
    assert masks.hold(lambda: both("passwort", "of gpt"), learns=False)


def test_characters_by_their_numbers_are_compared_as_characters() -> None:
    """A letter has two digits or three; but a character by its number is none that stands there."""
    masks = Masks([b"&#97;&#98;&#99;&#64;"])
    assert masks.same("to &#97;&#98;&#99;&#64;!", "to &#120;&#98;&#121;&#64;!")
    assert not masks.same("to &#97;&#98;&#99;&#64;!", "to &#122;&#98;&#121;&#64;!")
    assert not masks.same("to &#97;&#98;&#99;&#64;&#60;", "to &#120;&#98;&#121;&#64;<")
    assert not masks.same("to &#97;&#98;&#99;&#64;!", "to &#120;&#98;&#121;&#64;?")


def test_base64_of_a_masked_digest_is_the_same_in_either_alphabet() -> None:
    """The digest had none of the characters in which they differ, so nobody knows which it was."""
    masks = Masks([b"ryw@example.com"])
    assert masks.same("key_A/Y7VYaDZO4+tu0y", "key_A_Y7VYaDZO4-tu0y")
    assert masks.same("ryw@example.com A/Y7VYaDZO4+tu0y", "ann@example.com A_Y7VYaDZO4-tu0y")
    assert not masks.same("key_A/Y7VYaDZO4+tu0y", "key_A_Y7VYaDZO4-tu0z")
    assert not masks.same("1/2 + 3", "1_2 - 3")


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("<b>Hash</b>: 2OCR+6******", "<b>Hash</b>: 1BZG+2******"),
        ("2OCR+6\u2022\u2022\u2022\u2022", "1BZG+2\u2022\u2022\u2022\u2022"),
        ("key 2OC\u2026, key 2OCR...", "key 1BZ\u2026, key 1BZG..."),
        ("id-****8wXu", "id-****K2ra"),
    ],
    ids=["stars", "bullets", "points", "at-the-end"],
)
def test_a_part_may_be_shown_where_the_rest_is_hidden(recorded: str, asked: str) -> None:
    """As a page has the first characters of a password's hash, or the last ones of a key."""
    assert Masks([b"1BZG+2Ab5Pd4oK2ra"]).same(recorded, asked)
    assert not Masks([b"9BZG+2Ab5Pd4oK2rx"]).same(recorded, asked)


def test_one_part_is_the_same_each_time() -> None:
    assert not Masks([b"1BZG+2Ab5"]).same("2OCR*** 2OCS***", "1BZG*** 1BZG***")
