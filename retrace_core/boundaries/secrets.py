"""secrets: whether two secrets are equal, as it was found when it was recorded.

One of them may be reckoned from what a replay has only a pseudonym of: the signature of a
webhook's body. The outcomes come in their order, by the sizes of what is compared.

Hooks: `secrets.compare_digest`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import secrets
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.crypto.checking import checks


def _asked(a: Any, b: Any, /) -> object:
    return [len(a), len(b)]


BOUNDARY = Boundary(
    kind="secrets",
    supports="cpython>=3.11,<3.14",
    hooks=(checks(secrets, "compare_digest", "secrets.compare_digest", _asked),),
)
