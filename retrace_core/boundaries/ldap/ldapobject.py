"""python-ldap: each question to a directory and each answer, above the client that is in C.

Hook: `SimpleLDAPObject._ldap_call`, through which all of them come; so Django's and Flask's logins
by LDAP. Options and what sets a connection up are no events while they work. Passwords are in no
key. Read in python-ldap 3.4.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ldap.ldapobject import SimpleLDAPObject

from retrace_core.boundary import Boundary, Patch, attempt, call, in_replay
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

_SETS_UP = frozenset(("start_tls_s", "unbind_ext"))
_BINDS = frozenset(("simple_bind", "sasl_bind_s", "sasl_interactive_bind_s"))
_PASSWORDS = frozenset(("userpassword", "unicodepwd"))
_MASK = "***"


def _key(connection: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
    """Return what is asked, with a mask where a password is told."""
    if name in _BINDS:
        args = args[:1]
    elif name == "passwd":
        args = (args[0], _MASK, _MASK, *args[3:])
    elif name in ("add_ext", "modify_ext"):
        args = (args[0], [_masked(one) for one in args[1]], *args[2:])
    return [connection._uri, name, *args, *(value for _, value in sorted(options.items()))]


def _masked(change: tuple[Any, ...]) -> tuple[Any, ...]:
    *what, attribute, _ = change
    return (*what, attribute, _MASK) if str(attribute).lower() in _PASSWORDS else change


def _hooked_call(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def _ldap_call(self: Any, func: Any, *args: Any, **options: Any) -> Any:
        lane, name = current(), func.__name__
        live = functools.partial(original, self, func, *args, **options)
        if name == "set_option":
            return live()  # of this process: nobody is asked
        if lane is None:
            return None if in_replay() else live()
        key = _key(self, name, args, options)
        if name in _SETS_UP:
            substitute = _nothing if in_replay() else live
            return attempt(lane, f"ldap.{name}", key, substitute, _nothing)
        return call(lane, f"ldap.{name}", key, live)

    return _ldap_call


def _nothing() -> None:
    return None


BOUNDARY = Boundary(
    kind="ldap",
    supports="python-ldap>=3.4",
    hooks=(Patch(SimpleLDAPObject, "_ldap_call", _hooked_call),),
    errors=("ldap",),
)
