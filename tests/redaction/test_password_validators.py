"""What Django's validators said of a password, they say of its pseudonym."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask
import pytest
from django.contrib.auth import password_validation
from django.core.exceptions import FieldDoesNotExist, ValidationError

from retrace_core import replay
from retrace_mw import RetraceMiddleware
from tests.recorded import only_recording
from tests.redaction.raw import raw
from tests.test_frameworks import configure_django

if TYPE_CHECKING:
    from pathlib import Path

configure_django()

HOME = "django.contrib.auth.password_validation"


class Ann:
    """A user whose model has no names for what it holds."""

    username = "annabella"

    class _meta:  # noqa: N801
        @staticmethod
        def get_field(name: str) -> None:
            raise FieldDoesNotExist(name)


ANN: Any = Ann()
REFUSED = {
    "common": ("password1", "CommonPasswordValidator"),
    "like its user's name": ("xannabella", "UserAttributeSimilarityValidator"),
    "good": ("Tall-Green-B0at", "CommonPasswordValidator"),
}


def verdict(password: str, validator: str) -> str:
    """Return what a validator says, by the texts that users read."""
    options = {"user_attributes": ["username"]} if validator.startswith("User") else {}
    made = password_validation.get_password_validators(
        [{"NAME": f"{HOME}.{validator}", "OPTIONS": options}]
    )
    try:
        password_validation.validate_password(password, ANN, made)
    except ValidationError as error:
        return f"no: {error.messages} {[one.code for one in error.error_list]}"
    return "yes"


@pytest.mark.parametrize("case", REFUSED)
def test_a_pseudonym_is_judged_as_the_password_was(recordings: Path, case: str) -> None:
    """The recording has no password in it."""
    password, validator = REFUSED[case]
    app = flask.Flask("shop")

    @app.post("/")
    def signup() -> str:
        return verdict(flask.request.form["password"], validator)

    app.wsgi_app = RetraceMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    said = app.test_client().post("/", data={"password": password}, buffered=True).text
    assert (said == "yes") is (case == "good")

    result = replay(only_recording(recordings), app)

    assert result.identical, result.summary()
    assert password.encode() not in raw(recordings)


def test_without_a_recording_they_say_what_they_say() -> None:
    assert verdict("Tall-Green-B0at", "CommonPasswordValidator") == "yes"
    assert verdict("password1", "CommonPasswordValidator").startswith("no")
