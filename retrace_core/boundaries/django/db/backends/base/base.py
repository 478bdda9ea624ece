"""Django's database connections: connecting and health checks are the process's, not a request's.

Whether a request opens a connection depends on those before it (CONN_MAX_AGE), and so do the
statements by which Django sets a new one up and looks whether an old one still works.

Hooks: `BaseDatabaseWrapper.connect` and the two methods that close what is not usable. Read in
Django 4.2 to 5.2.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch, attempt, mask, on_boot_tape
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT = "django.db.connect"


def _hooked_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def connecting(self: Any) -> Any:
        lane = current()
        if lane is None:
            return connect(self)

        def once() -> Any:
            with mask(), on_boot_tape():
                return connect(self)

        return attempt(lane, _CONNECT, self.alias, once, once)

    return connecting


def _hooked_check(check: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(check)
    def checking(self: Any) -> Any:
        with mask():
            return check(self)

    return checking


# By name, since the core knows no web framework; that module is loaded when this one is.
_WRAPPER: Any = importlib.import_module("django.db.backends.base.base").BaseDatabaseWrapper

_CHECKS = ("close_if_health_check_failed", "close_if_unusable_or_obsolete")

BOUNDARY = Boundary(
    kind="django.db",
    supports="django>=3.2",
    hooks=(
        Patch(_WRAPPER, "connect", _hooked_connect),
        *(Patch(_WRAPPER, name, _hooked_check) for name in _CHECKS if hasattr(_WRAPPER, name)),
    ),
    errors=("django.db.utils",),
)
