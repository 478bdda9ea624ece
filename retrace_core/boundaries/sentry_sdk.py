"""sentry_sdk: the ids and samples that it draws for itself are nobody's events.

It draws them by functions of `uuid` and `random`, whose draws else are their caller's. How many
there are is up to the process: what Sentry has wrapped lies outside of what is recorded here,
and within what is replayed there, say. One more would give the application the draw before.

Hooks: the name `uuid` in the SDK's modules, and `Random` in `tracing_utils`: what they stand
for there has the same code under a file name of the SDK's. Read in sentry_sdk 2.20 to 2.75.
"""

from __future__ import annotations

import random
import sys
import uuid
from types import FunctionType, ModuleType
from typing import Any

import sentry_sdk

from retrace_core.boundary import Boundary, Patch


def _as_its_own(function: Any) -> Any:
    """Return a function whose code is taken for the SDK's."""
    code = function.__code__.replace(co_filename=str(sentry_sdk.__file__))
    own = FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    own.__kwdefaults__ = function.__kwdefaults__
    return own


class _Random(random.Random):
    """Draws by code that is taken for the SDK's."""

    _randbelow: Any = _as_its_own(vars(random.Random)["_randbelow_with_getrandbits"])


def _own_uuid(_: ModuleType) -> ModuleType:
    own = ModuleType("uuid", uuid.__doc__)
    vars(own).update(vars(uuid))
    vars(own).update({name: _as_its_own(getattr(uuid, name)) for name in ("uuid1", "uuid4")})
    return own


def _patches() -> tuple[Patch, ...]:
    loaded = [one for name, one in sys.modules.items() if name.startswith("sentry_sdk.")]
    found = [Patch(one, "uuid", _own_uuid) for one in loaded if vars(one).get("uuid") is uuid]
    drawing = [one for one in loaded if vars(one).get("Random") is random.Random]
    return (*found, *(Patch(one, "Random", lambda _: _Random) for one in drawing))


BOUNDARY = Boundary(kind="sentry_sdk", supports="sentry-sdk>=2", hooks=_patches())
