"""uuid_utils: ids with random parts and times in them, made in native code.

Hooks: `uuid1`, `uuid4`, `uuid6`, `uuid7` of `uuid_utils`, and `uuid4`, `uuid7` of
`uuid_utils.compat`, which go past those. Read in uuid_utils 0.12.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import uuid_utils
import uuid_utils.compat

from retrace_core.boundary import Boundary, Hook


def _asked(*args: Any, **kwargs: Any) -> object:
    return [args, kwargs] if args or kwargs else None


def _bytes(made: Any) -> bytes:
    data: bytes = made.bytes
    return data


BOUNDARY = Boundary(
    kind="uuid_utils",
    supports="uuid_utils>=0.9",
    hooks=(
        *(
            Hook(
                owner=uuid_utils,
                name=name,
                key=_asked,
                encode=_bytes,
                decode=lambda data: uuid_utils.UUID(bytes=data),
            )
            for name in ("uuid1", "uuid4", "uuid6", "uuid7")
        ),
        *(
            Hook(
                owner=uuid_utils.compat,
                name=name,
                kind=f"uuid_utils.compat.{name}",
                key=_asked,
                encode=_bytes,
                decode=lambda data: UUID(bytes=data),
            )
            for name in ("uuid4", "uuid7")
        ),
    ),
)
