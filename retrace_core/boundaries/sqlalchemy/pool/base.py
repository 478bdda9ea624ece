"""SQLAlchemy's pool: checkout, ping, connect and reset are infrastructure, not the request's.

Whether a checkout connects, pings or finds a warm connection depends on the process's past, so
all of it runs masked; a checkout that fails (timeout, database down) is an event.

A connect, with what dialect and
application do on a new connection, is on the boot tape.

Hooks: `_ConnectionFairy._checkout`, `_finalize_fairy`, `_ConnectionRecord.__connect`.
Read in SQLAlchemy 2.0 and 2.1.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool import base

from retrace_core.boundary import Boundary, Patch, attempt, mask, on_boot_tape
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable


def _hooked_checkout(raw: Any) -> Any:
    checkout: Callable[..., Any] = raw.__func__

    @functools.wraps(checkout)
    def checking_out(cls: Any, pool: Any, *args: Any, **kwargs: Any) -> Any:
        lane = current()
        if lane is None:
            return checkout(cls, pool, *args, **kwargs)

        def masked() -> Any:
            with mask():
                return checkout(cls, pool, *args, **kwargs)

        return attempt(lane, "sqlalchemy.checkout", None, masked, masked)

    return classmethod(checking_out)


def _hooked_finalize(finalize: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(finalize)
    def finalizing(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return finalize(*args, **kwargs)
        with mask():
            return finalize(*args, **kwargs)

    return finalizing


def _hooked_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    def connecting(self: Any) -> Any:
        with on_boot_tape("sqlalchemy.connect", _engine(self)):
            return connect(self)

    return connecting


def _engine(record: Any) -> str:
    """Return which database a pool connects to, as far as it can be told."""
    pool = getattr(record, "_ConnectionRecord__pool", None)
    dialect = getattr(pool, "_dialect", None)
    return f"{getattr(dialect, 'name', '')}+{getattr(dialect, 'driver', '')}"


_RECORD: Any = base._ConnectionRecord  # pyright: ignore[reportPrivateUsage]
_FAIRY: Any = base._ConnectionFairy  # pyright: ignore[reportPrivateUsage]

BOUNDARY = Boundary(
    kind="sqlalchemy",
    supports="sqlalchemy>=2",
    hooks=(
        Patch(_FAIRY, "_checkout", _hooked_checkout),
        Patch(base, "_finalize_fairy", _hooked_finalize),
        Patch(_RECORD, "_ConnectionRecord__connect", _hooked_connect),
    ),
    errors=("sqlalchemy.exc",),
)
