"""Apps: which application a recording is replayed with, and where that was said."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from retrace_core.errors import AppNotLoadable, ConfigurationError
from retrace_core.program import can_be_started, command_of
from retrace_core.task_call import METHOD as TASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retrace_core.recording import Header, Program

__all__ = ["App", "for_each", "locate", "may_be_of_program", "package_of"]

DEFAULT_FILE = "retrace.toml"
RECORDED = "the recording"
_SERVERS = frozenset("cheroot daphne gunicorn hypercorn uvicorn waitress".split())
"""Packages whose programs are servers, and make nothing of an application but serve it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An application by name."""

    name: str
    """"module:attribute"."""
    folder: str
    """Where to import it from, absolute."""
    origin: str
    """Where that was said, in words."""
    program: Program | None = None
    """The program to start, where that is how to get it; `name` is how it is typed then."""


def locate(
    header: Header,
    app: str | None,
    app_dir: str | None,
    apps: str | None,
    *,
    as_program: bool = False,
) -> App:
    """Return the application for a recording: as given, as mapped, or as recorded.

    Args:
        header: of the recording.
        app: "module:attribute", as given on the command line.
        app_dir: the folder to import it from, as given.
        apps: path of a mapping file; default ./retrace.toml if there is one.
        as_program: True takes the recorded program, whatever name the application has.

    Raises:
        AppNotLoadable: nothing says which application it is.
        ConfigurationError: the mapping file is wrong.
    """
    recorded = header.environment
    program = _startable(header)
    if as_program:
        if program is None:
            raise AppNotLoadable(
                "--program: the recording does not say what its process was started as (python -c,"
                " a child of multiprocessing, or an earlier Retrace), or it was uWSGI, which can't"
                " be kept from serving: give --app"
            )
        return _as_started(program, app_dir)
    if app:
        return App(name=app, folder=_folder(app_dir or os.getcwd()), origin="--app")
    mapped = _mapped(header.service, apps)
    if mapped is not None:
        name, folder, file = mapped
        return App(name=name, folder=_folder(app_dir or folder), origin=file)
    if recorded.app:
        there = recorded.app_dir if os.path.isdir(recorded.app_dir) else os.getcwd()
        return App(name=recorded.app, folder=_folder(app_dir or there), origin=RECORDED)
    if program is not None and header.method != TASK:
        return _as_started(program, app_dir)
    raise AppNotLoadable(
        f"which application is service {header.service!r}? Its recording does not say: give"
        f' --app module:attribute, or write [apps.{header.service}] app = "module:attribute" in'
        f" {apps or DEFAULT_FILE}, or set RETRACE_APP where it is recorded"
    )


def for_each(app: str | None, headers: Sequence[Header]) -> list[str | None]:
    """Return what `--app` is for each of several recordings: None where it is not meant for it.

    It names the application of one service. Others of the trace, and the tasks of its worker, have
    their own, where they say so; if it is that of none, it stands for all.
    """

    def is_meant(header: Header) -> bool:
        same = package_of(header.environment.app) == package_of(app or "")
        return same and header.method != TASK

    if not any(map(is_meant, headers)):
        return [app] * len(headers)
    return [app if is_meant(one) or not one.environment.app else None for one in headers]


def package_of(app: str) -> str:
    """Return the outermost package: one application may be named in several ways."""
    return app.partition(":")[0].partition(".")[0]


def may_be_of_program(header: Header, app: App) -> bool:
    """Return True where the program may have made the application otherwise than its import does.

    That is where it is by its recorded name, and the program is no server that imports that name.

    Args:
        header: of the recording.
        app: what was replayed.
    """
    program = _startable(header)
    if program is None or app.program is not None or app.origin != RECORDED:
        return False
    if header.method == TASK:
        return False  # a worker serves nothing
    is_server = program.name.partition(":")[0].partition(".")[0] in _SERVERS
    return not is_server or app.name.removesuffix("()") not in program.arguments


def _startable(header: Header) -> Program | None:
    program = header.environment.program
    return program if program is not None and can_be_started(program) else None


def _as_started(program: Program, app_dir: str | None) -> App:
    there = program.folder if os.path.isdir(program.folder) else os.getcwd()
    return App(
        name=command_of(program),
        folder=_folder(app_dir or there),
        origin="the recording's program",
        program=program,
    )


def _folder(path: str) -> str:
    return os.path.abspath(path)


def _mapped(service: str, apps: str | None) -> tuple[str, str, str] | None:
    """Return (app, folder, file) of a service in the mapping file, or None."""
    file = Path(apps or DEFAULT_FILE)
    if apps is None and not file.is_file():
        return None
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            "--apps",
            str(file),
            f"a readable TOML file ({getattr(error, 'strerror', None) or error})",
        ) from None
    table: Any = content.get("apps", {})
    entry: Any = table.get(service) if isinstance(table, dict) else table
    if entry is None:
        return None
    if not isinstance(entry, dict) or not _is_app(cast("dict[str, Any]", entry)):
        allowed = 'app = "module:attribute", and dir = "folder" if it is elsewhere'
        raise ConfigurationError(f"[apps.{service}]", entry, allowed, str(file))
    found = cast("dict[str, str]", entry)
    return found["app"], str(file.resolve().parent / found.get("dir", ".")), str(file)


def _is_app(entry: dict[str, Any]) -> bool:
    return (
        isinstance(entry.get("app"), str)
        and ":" in entry["app"]
        and isinstance(entry.get("dir", "."), str)
        and set(entry) <= {"app", "dir"}
    )
