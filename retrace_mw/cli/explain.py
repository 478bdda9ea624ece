"""The command `explain`: which decider would say what of a request, and why."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from retrace_core.cli.screen import Screen, note, print_json
from retrace_core.errors import ConfigurationError
from retrace_core.protocol import find_middleware
from retrace_core.settings import resolve
from retrace_mw.chosen_decider import choose
from retrace_mw.explanation import explain
from retrace_mw.made_request import make_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retrace_mw.decision import Decider
    from retrace_mw.explanation import Explanation

__all__ = ["command"]

_STYLES = {"yes": "green", "tail": "yellow", "no": "dim", "error": "red", "": "dim"}


@click.command(
    name="explain",
    short_help="Say which decider would record a request, and why.",
    epilog="""\b
Examples:
  retrace explain --path /pay --method POST --header 'X-Trace-ID: abc'
  retrace explain --path '/orders/7?debug=1' --client 10.0.0.1 --app shop:app
""",
)
@click.option("--path", default="/", show_default=True, help="Its path, also with a query.")
@click.option("--method", default="GET", show_default=True, help="Its method.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Repeatable.")
@click.option("--query", "queries", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@click.option("--client", default="127.0.0.1", show_default=True, help="The peer's address.")
@click.option("--app", metavar="MODULE:ATTRIBUTE", help="Ask this application's middleware.")
@click.option("--app-dir", metavar="FOLDER", help="Where to import it from; default here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    path: str,
    method: str,
    headers: tuple[str, ...],
    queries: tuple[str, ...],
    client: str,
    app: str | None,
    app_dir: str | None,
    as_json: bool,
) -> int:
    """Say which decider would record a request, and why. Nothing is recorded or counted.

    Without --app the decider of the settings is asked; a decider that the application gives in
    code, and the routes that its router knows, are seen only with --app. Limits are not asked:
    they depend on what else is recorded at that moment.
    """
    listed = [_header(text) for text in headers]
    enabled = resolve().enabled
    decider, wrapped = _decider(app, app_dir)
    request = make_request(
        path, method=method, headers=listed, query="&".join(queries), client=client, app=wrapped
    )
    found = explain(decider, request)
    if as_json:
        print_json(
            {
                "request": {
                    "method": request.method,
                    "path": request.path,
                    "query": request.query_string,
                    "route": request.route,
                    "client": request.client,
                },
                "enabled": enabled,
                "explanation": found.as_dict(),
            }
        )
        return 0
    screen = Screen()
    query = f"?{request.query_string}" if request.query_string else ""
    route = f", route {request.route}" if request.route else ""
    screen.line(f"{request.method} {request.path}{query} from {request.client}{route}", "bold")
    _print(screen, found, 0)
    if not enabled:
        note("recording is off: RETRACE=1 switches it on")
    return 0


def _print(screen: Screen, found: Explanation, depth: int) -> None:
    reason = f": {found.reason}" if found.reason else ""
    verdict = f"{'  ' * depth}{found.verdict or '-':<5}"
    screen.spans((verdict, _STYLES[found.verdict]), f" {found.decider}", (reason, "dim"))
    for part in found.parts:
        _print(screen, part, depth + 1)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ConfigurationError("--header", text, "'Name: value'")
    return name.strip(), value.strip()


def _decider(app: str | None, app_dir: str | None) -> tuple[Decider, Any]:
    """Return the decider to ask, and the application that it is for."""
    if app is None:
        return choose(resolve(), None).decider, None
    from retrace_core.replay.application import load_app

    with _recording_off():
        loaded: Any = load_app(app, app_dir)
        if getattr(loaded, "middleware_stack", False) is None:  # Starlette makes it when called
            loaded.middleware_stack = loaded.build_middleware_stack()
        middleware: Any = find_middleware(loaded)
    if middleware is None:
        note(f"{app} is not wrapped in RetraceMiddleware: the decider of the settings is asked")
        return choose(resolve(), None).decider, loaded
    return middleware.policy().choice.decider, middleware.app


@contextmanager
def _recording_off() -> Iterator[None]:
    """Import an application without installing boundaries, or opening its store."""
    before = os.environ.get("RETRACE")
    os.environ["RETRACE"] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["RETRACE"]
        else:
            os.environ["RETRACE"] = before
