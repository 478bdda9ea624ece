"""zxcvbn: how good a masked password is comes from the recording.

A pseudonym is no common word. Recorded are the score and what a user is told; not the number of
guesses, nor the words in it, by which the password could be told.

Hook: `zxcvbn.zxcvbn` (Flask-Security asks it, and others). Read in zxcvbn 4.5.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import zxcvbn

from retrace_core.boundary import Boundary, Patch, call_free
from retrace_core.crypto.checking import secret, takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_KIND = "free.zxcvbn"
_SAID = ("score", "feedback")


def _estimating(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @functools.wraps(original)
    def estimate(password: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        made = original(password, *args, **kwargs)
        lane: Any = current()
        if lane is None or not isinstance(password, str) or not takes_part(lane):
            return made
        here = {name: made[name] for name in _SAID if name in made}
        return {**made, **call_free(lane, _KIND, secret(password), lambda: here)}

    return estimate


BOUNDARY = Boundary(
    kind="zxcvbn",
    supports="zxcvbn>=4.4",
    hooks=(Patch(zxcvbn, "zxcvbn", _estimating),),
)
