"""nats-py's names: those of inboxes and consumers count on in the process, and are events.

Hook: `NUID.next`, from which all of them are. Read in nats-py 2.9 to 2.16.
"""

from __future__ import annotations

from typing import Any

from nats.nuid import NUID

from retrace_core.boundary import Boundary, Hook


def _no_key(_: Any) -> None:
    return None


BOUNDARY = Boundary(
    kind="nats",
    supports="nats-py>=2.9",
    hooks=(
        Hook(
            owner=NUID, name="next", key=_no_key, kind="nats.name", encode=bytes, decode=bytearray
        ),
    ),
)
