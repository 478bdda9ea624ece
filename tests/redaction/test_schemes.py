"""Of an authorization of an application's own, its scheme and whose it is are left."""

from __future__ import annotations

import base64

import pytest

from tests.redaction.test_finding import masked

KEY = "482dc4d583844a3a4c71c69991a468b1"


@pytest.mark.parametrize("scheme", ["Session", "SSWS", "GenieKey", "X-Own-Scheme"])
def test_the_word_before_the_secret_is_left(scheme: str) -> None:
    data = masked([("authorization", f"{scheme} {KEY}")])
    assert KEY.encode() not in data
    assert f"{scheme} ".encode() in data


def test_whose_session_it_is_is_left() -> None:
    given = f"Session {base64.b64encode(f'ada:17:{KEY}'.encode()).decode()}"
    data = masked([("authorization", given), ("key", KEY)])
    whole = data[data.index(b"Session ") + 8 :].split(b"\xa3")[0]
    said = base64.b64decode(whole[: len(given) - 8])
    assert said.startswith(b"ada:17:")
    assert KEY.encode() not in data
    assert said[7:] in data


def test_a_password_with_a_number_before_it_is_masked_whole() -> None:
    given = base64.b64encode(b"ada:17:short").decode()
    data = masked([("authorization", f"Basic {given}")])
    assert base64.b64encode(b"ada:17:")[:9] not in data


@pytest.mark.parametrize("given", ["ada:no", "ada:", f"{KEY}:", f"{KEY}:x"])
def test_with_hardly_a_password_it_can_still_be_taken_apart(given: str) -> None:
    """A key may stand for the user, as payment services have it."""
    sent = base64.b64encode(given.encode()).decode()
    data = masked([("authorization", f"Basic {sent}")])
    found = data[data.index(b"Basic ") + 6 :][: len(sent)]
    user, colon, password = base64.b64decode(found).decode().partition(":")
    assert colon
    assert (user == "ada") == (given[:3] == "ada")
    assert len(f"{user}:{password}") == len(given)
    assert "no" not in password and user != KEY


def test_of_a_forged_token_what_it_says_is_left() -> None:
    """By it the code finds out what is wrong: no padding, no JSON, or the signature alone."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x9Z"
    data = masked([("authorization", f"Bearer {token}")])
    assert token.rpartition(".")[0].encode() in data


def test_of_a_token_that_resets_a_password_its_time_is_left() -> None:
    """Django signs it, and looks at it: it is no secret, and the digest is."""
    data = masked(
        [("_password_reset_token", f"ditmhn-{KEY}"), ("path", f"/reset/Mg/ditmhn-{KEY}/")]
    )
    assert KEY.encode() not in data
    assert data.count(b"ditmhn-") == 2


@pytest.mark.parametrize("stamp", ["1796062746-", "1796062746.5312:", "1796062746|"])
def test_of_one_that_begins_with_a_unix_time_that_is_left(stamp: str) -> None:
    """The code asks whether it is over."""
    data = masked([("login_token", f"{stamp}{KEY}"), ("text", f"?t={stamp}{KEY}&u=1")])
    assert KEY.encode() not in data
    assert data.count(stamp.encode()) == 2
