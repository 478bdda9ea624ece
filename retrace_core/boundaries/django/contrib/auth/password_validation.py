"""Django's validators of passwords say of a masked one what they said of the true one.

A pseudonym is in no list of common passwords, and like no name of its user's.

Hook: `get_password_validators`, which makes them all, the default ones, too; the `validate` of each
asks as ever (a list of leaked passwords, over HTTP), and what comes of it is compared with what was
recorded. Read in Django 4.2 to 6.0.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.checking import secret, takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND = "free.django.password"


def _making(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    @functools.wraps(original)
    def get_password_validators(*args: Any, **kwargs: Any) -> list[Any]:
        made = original(*args, **kwargs)
        for one in made:
            with suppress(AttributeError, TypeError):  # one that lets nothing be set is left
                one.validate = _checked(one.validate, type(one).__qualname__)
        return made

    return get_password_validators


def _checked(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def validate(password: Any, *args: Any, **kwargs: Any) -> Any:
        lane: Any = current()
        if lane is None or not isinstance(password, str) or not takes_part(lane):
            return original(password, *args, **kwargs)
        raised: ValidationError | None = None
        try:
            original(password, *args, **kwargs)
        except ValidationError as error:
            raised = error
        here = _said(raised)
        said = call_free(lane, _KIND, [name, secret(password)], lambda: here)
        if said is None:
            return None
        if raised is not None and said == here:
            raise raised
        raise ValidationError([ValidationError(text, code=code) for text, code in said])

    return validate


def _said(error: ValidationError | None) -> list[list[str | None]] | None:
    """Return the texts of an error, each with its code."""
    if error is None:
        return None
    errors: list[Any] = ValidationError([error]).error_list
    return [
        [str(one.message % one.params if one.params else one.message), one.code] for one in errors
    ]


BOUNDARY = Boundary(
    kind="django.password",
    supports="django>=3.2",
    hooks=(Patch(password_validation, "get_password_validators", _making),),
)
