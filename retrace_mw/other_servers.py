"""Other servers: tells, under `retrace run`, of those whose requests it can not record.

They speak neither ASGI nor WSGI to their applications. Nothing would be said otherwise, and
whoever looks for recordings would find none, and no reason.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wrapt import register_post_import_hook  # pyright: ignore[reportUnknownVariableType]

from retrace_core import failsafe

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["enable"]


@dataclass(frozen=True, slots=True)
class Other:
    """A function that is called when such a server begins to serve."""

    module: str
    owner: str
    """The class that has the function, "" for the module itself."""
    function: str
    what: str
    """What serves, as its users call it."""
    instead: str = ""
    """What to do."""


OTHERS = (
    Other("aiohttp.web_server", "Server", "__init__", "aiohttp.web"),
    Other(
        "granian.rsgi",
        "",
        "_callback_wrapper",
        "granian's RSGI",
        "Of an application that speaks one of them too, granian's --interface asgi or wsgi is"
        " recorded",
    ),
    Other(
        "microdot.microdot",
        "Microdot",
        "start_server",
        "microdot's own server",
        "Microdot's applications are recorded as microdot.asgi's under a server of ASGI, or as"
        " microdot.wsgi's under one of WSGI",
    ),
    Other("robyn.processpool", "", "run_processes", "Robyn"),
    Other(
        "sanic.server.runners",
        "",
        "_serve_http_1",
        "Sanic's own server",
        "Sanic's applications are recorded where uvicorn or hypercorn serves them",
    ),
    *(
        Other(
            "socketify.socketify",
            "App",
            method,
            "socketify's own App",
            "Applications that its ASGI or WSGI serves are recorded",
        )
        for method in ("any", "get", "post")  # an App serves those two, too, and is asked for none
    ),
    Other("tornado.web", "Application", "__init__", "tornado.web"),
)


def enable() -> None:
    """Have it told of each such server that begins to serve from now on."""
    for other in OTHERS:
        hook = functools.partial(_hook, other)
        if other.module in sys.modules:
            hook(sys.modules[other.module])
        else:
            register_post_import_hook(hook, other.module)


def _hook(other: Other, module: ModuleType) -> None:
    with failsafe.gate(f"telling of {other.module}"):
        owner: Any = getattr(module, other.owner) if other.owner else module
        original = getattr(owner, other.function)
        if getattr(original, "retrace_tells", False):
            return

        @functools.wraps(original)
        def hooked(*args: Any, **kwargs: Any) -> Any:
            _tell(other.what, other.instead)
            return original(*args, **kwargs)

        hooked.retrace_tells = True  # type: ignore[attr-defined]
        setattr(owner, other.function, hooked)


@functools.cache
def _tell(what: str, otherwise: str) -> None:
    """Tell once in a process."""
    instead = f". {otherwise}" if otherwise else ""
    print(  # noqa: T201
        f"retrace: requests that {what} serves are not recorded: it speaks neither ASGI"
        f" nor WSGI{instead}",
        file=sys.stderr,
    )
