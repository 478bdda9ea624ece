"""SHA-1 that detects collisions, as Mercurial has it in C: by it each revision is checked.

What has a masked address in it is another revision on replay, taken for broken. So its digest
comes from the recording, as those of `hashlib` do.

Hook: the type itself, in the native part. Read in Mercurial 7.2.
"""

from __future__ import annotations

from typing import Any

from retrace_core import native
from retrace_core.boundary import Boundary


def _install(module: Any) -> None:
    native.hook_hash_type(module.sha1)


BOUNDARY = Boundary(
    kind="mercurial",
    supports="mercurial>=6.0",
    install=_install,
)
