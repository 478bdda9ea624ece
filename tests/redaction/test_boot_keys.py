"""Keys that a start-up had by their name are masked where a request says them without it."""

from __future__ import annotations

import pytest

from retrace_core.codec import encode
from retrace_core.redaction.boot_keys import BootKeys
from retrace_core.redaction.known_secrets import KnownSecrets
from retrace_core.redaction.names import Names
from retrace_core.redaction.pseudonyms import Pseudonyms
from retrace_core.redaction.redactor import Redactor
from retrace_core.redaction.replacements import Forms
from retrace_core.redaction.replacing import Region

KEY = "8b02e75027e14c83faebee2196ae55d0"


def redacted(redactor: Redactor, value: object, *, boot: bool = False) -> bytes:
    data = encode(value)
    return redactor.redact(data, [Region(0, len(data))], (), boot=boot).data


def a_redactor() -> Redactor:
    names = Names()
    return Redactor(names, Forms(Pseudonyms(b"k" * 32), names), known_secrets=KnownSecrets())


def test_a_page_that_shows_the_key_of_the_settings_has_its_pseudonym() -> None:
    redactor = a_redactor()
    settings = redacted(redactor, {"api_token": KEY}, boot=True)
    page = redacted(redactor, f"<b>Your key:</b> <span>{KEY}</span>")
    assert KEY.encode() not in page
    assert page[page.index(b"<span>") + 6 : page.index(b"</span>")] in settings


@pytest.mark.parametrize(
    "value",
    [
        "Please enter your password",
        "/accounts/password/reset/",
        "short-1234",
        "correct-horse-battery",
    ],
)
def test_what_may_stand_in_a_page_by_chance_is_no_key(value: str) -> None:
    keys = BootKeys()
    keys.add([(value.encode(), "password", False)])
    assert not list(keys.in_any(f"<p>{value}</p>".encode()))
