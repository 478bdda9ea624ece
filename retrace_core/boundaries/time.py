"""Clocks, sleeps and entropy, hooked at their C functions: soft events.

One file for `time`, `datetime`, `random`, `os.urandom`, `uuid` and their like, because they
are one table in the native part (`native.SOFT_KINDS`), put in place and removed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrace_core import native
from retrace_core.boundary import Boundary
from retrace_core.exempt import policy

if TYPE_CHECKING:
    from types import ModuleType


def _install(_: ModuleType) -> None:
    native.set_policy(policy)
    native.install_clock_hooks()


BOUNDARY = Boundary(
    kind="time",
    supports="cpython>=3.11,<3.14",
    install=_install,
    remove=native.remove_clock_hooks,
)
