"""What a signed ticket says of who came (mod_auth_tkt's), for the boundaries of its libraries.

A ticket is the digest of what it says and of a secret, the time, and a name. A masked one is of no
secret and says nothing, so that nobody was logged in on replay.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Patch, call_free
from retrace_core.crypto.checking import secret, takes_part
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["reads_tickets"]


def reads_tickets(owner: Any, name: str, kind: str) -> Patch:
    """Return the hook of a function that reads a ticket.

    It gets the secret, the ticket and the caller's address, and returns time, name, tokens and
    data, or raises. What is said is recorded; a ticket that is none is read again on replay.

    Args:
        owner: the class or module that holds it.
        name: of the function.
        kind: what its events are called, after "free.".
    """

    def factory(original: Any) -> Any:
        static = isinstance(original, staticmethod)
        parse: Callable[..., Any] = original.__func__ if static else original

        @functools.wraps(parse)
        def reading(key: Any, ticket: Any, ip: Any, *args: Any, **kwargs: Any) -> Any:
            lane = current()
            live = functools.partial(parse, key, ticket, ip, *args, **kwargs)
            if lane is None or not takes_part(lane) or not isinstance(ticket, str | bytes):
                return live()
            refused: list[Exception] = []

            def said() -> Any:
                try:
                    return live()
                except Exception as error:  # noqa: BLE001  # the library's, told to the caller
                    refused.append(error)
                    return None

            answer = call_free(lane, f"free.{kind}", [secret(ticket), ip], said)
            if refused:
                raise refused[0]
            return live() if answer is None else answer

        return staticmethod(reading) if static else reading

    return Patch(owner, name, factory)
