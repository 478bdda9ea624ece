"""Environment: what is known of the process that records, found out once for each app."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import inspect
import os
import platform
import re
import sys
import time
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from retrace_core import failsafe, installer, native
from retrace_core.code_literals import file_of
from retrace_core.interpreter import interpreter
from retrace_core.program import program_of
from retrace_core.recording import Environment, Program
from retrace_core.surroundings import secret_values
from retrace_core.weakly import weakly

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from retrace_core.settings import Settings

__all__ = ["hash_seed", "name_of_app", "of_app", "unwrapped", "versions"]

_FRAMEWORKS = (
    "aiohttp aiomysql aiosqlite anthropic anyio apsw asyncmy asyncpg boto3 botocore cachelib"
    " cachetools celery"
    " django falcon fastapi flask flask_caching gevent grpcio gunicorn httpx httpx2 kombu litestar"
    " mysql-connector-python mysqlclient numpy openai peewee psycopg psycopg2 psycopg_pool pydantic"
    " pymysql pyramid quart"
    " redis requests rq sqlalchemy sqlmodel starlette urllib3 uvicorn uvloop valkey waitress"
    " websockets werkzeug"
).split()
_IMPORTED_AS = {
    "grpcio": "grpc",
    "mysql-connector-python": "mysql.connector",
    "mysqlclient": "MySQLdb",
}
_SPEC = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?")
_FACTORY_OPTIONS = frozenset(("--factory", "--call"))
"""By which uvicorn and waitress are told that the attribute makes the application."""
_DEPTH = 12

_known: dict[int, tuple[Callable[[], object], int, Environment]] = {}
"""id of an application -> what gives it while it lives, boundaries then, what was found out."""


def of_app(app: object, settings: Settings) -> Environment:
    """Return the environment to note in a recording of `app`; cached for each app object."""
    loaded = len(installer.installed())
    cached = _known.get(id(app))
    if cached is not None and cached[0]() is app and cached[1] == loaded:
        return cached[2]
    environment = Environment()
    with failsafe.gate("environment"):
        environment = _find_out(app, settings)
    _known[id(app)] = (weakly(app, _known), loaded, environment)
    return environment


def _find_out(app: object, settings: Settings) -> Environment:
    name, folder = settings.app, ""
    with failsafe.gate("name of the application"):
        found, folder = name_of_app(app)
        name = name or found
    program: Program | None = None
    with failsafe.gate("program"):
        is_open = settings.redact or settings.record_secret_variables
        program = program_of(unwrapped(app), () if is_open else secret_values())
    return Environment(
        python=platform.python_version(),
        implementation=native.IMPLEMENTATION,
        platform=sys.platform,
        retrace=_version("retrace-mw"),
        app=name,
        app_dir=folder or os.getcwd(),
        commit=commit_of(folder or os.getcwd()),
        pid=os.getpid(),
        host=platform.node(),
        timezone=time.tzname[0],
        libraries=versions(),
        boundaries=_boundaries(),
        hash_seed=hash_seed(consent=settings.record_hash_seed),
        program=program,
        interpreter=interpreter(),
    )


def _boundaries() -> list[str]:
    """Return those of libraries; those of Python itself are there always, and tell nothing."""
    return [
        name
        for name in installer.installed()
        if name.partition(".")[0] not in sys.stdlib_module_names
    ]


def name_of_app(app: object) -> tuple[str, str]:
    """Return ("module:attribute", folder to import it from) of an application object.

    It looks where the wrapped object, else one of those that it wraps, is a global of one of
    the application's modules; failing that, at the command line, as uvicorn and gunicorn
    write it. Both are "" where nothing was found.
    """
    # Copies: making pairs may collect garbage, and a finalizer import something.
    globals_ = [
        (module_name, module, vars(module).copy())
        for module_name, module in sys.modules.copy().items()
        if _is_the_applications(module)
    ]
    # What is called wraps what could be; nobody calls the application of a task queue.
    for candidate in unwrapped(app):
        if callable(app) and not callable(candidate):
            continue
        for module_name, module, values in globals_:
            for attribute, value in values.items():
                if value is candidate:
                    return _spec(module_name, module, attribute)
    for argument in sys.argv[1:]:
        if _SPEC.fullmatch(argument) and _may_be_served(argument):
            made = _FACTORY_OPTIONS.intersection(sys.argv) and not argument.endswith("()")
            return argument + "()" * bool(made), os.getcwd()
    return "", ""


def _is_the_applications(module: ModuleType) -> bool:
    """Return True for a module that was not installed, nor came with Python."""
    file = file_of(module)
    library = os.path.dirname(os.__file__)
    return bool(file) and "-packages" + os.sep not in file and not file.startswith(library)


def _may_be_served(spec: str) -> bool:
    """Return False for the name of an object that no server can call.

    A program of its own may take such a name, and make an application of what it means.
    """
    module, _, attribute = spec.removesuffix("()").partition(":")
    found: object = sys.modules.get(module)
    for part in attribute.split("."):
        found = inspect.getattr_static(found, part, None)
    if found is None or inspect.isroutine(found) or inspect.isclass(found):
        return True  # not loaded by that name, or perhaps a factory
    try:
        signature = inspect.signature(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return callable(found)
    for count in (2, 3):
        with contextlib.suppress(TypeError):
            signature.bind(*range(count))
            return True
    return False


def unwrapped(app: object) -> list[object]:
    """Return `app` and the applications that it wraps, as far as can be seen, outermost first."""
    found: list[object] = []
    waiting = [app]
    while waiting and len(found) < _DEPTH:
        one = waiting.pop(0)
        if one is None or any(one is other for other in found):
            continue
        found.append(one)
        waiting.append(getattr(one, "__self__", None))
        with failsafe.gate("name of the application"):
            inner = vars(one) if hasattr(one, "__dict__") else {}
            waiting += [inner.get(name) for name in ("app", "application", "wsgi_app", "_app")]
    return found


def _spec(module_name: str, module: ModuleType, attribute: str) -> tuple[str, str]:
    file = Path(str(module.__file__)).resolve()
    if module_name == "__main__":
        spec = getattr(module, "__spec__", None)
        module_name = spec.name if spec is not None else file.stem
    elif "." not in module_name and file.stem.isidentifier() and not _is_found(module_name):
        # It was loaded by its path, and named by whoever loaded it: uWSGI's --wsgi-file does so.
        module_name = file.stem
    depth = module_name.count(".") + (1 if file.name == "__init__.py" else 0)
    return f"{module_name}:{attribute}", str(file.parents[depth])


def _is_found(module_name: str) -> bool:
    """Return True for a module that an import finds by its name."""
    with failsafe.gate("name of the application"):
        return PathFinder.find_spec(module_name) is not None
    return True


@functools.cache
def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def versions() -> dict[str, str]:
    """Return the versions of the frameworks and hooked libraries that are loaded."""
    names = {name for name in _FRAMEWORKS if _IMPORTED_AS.get(name, name) in sys.modules}
    return {name: version for name in sorted(names) if (version := _version(name))}


def hash_seed(*, consent: bool) -> str:
    """Return what fixes the order of sets: PYTHONHASHSEED, or with consent the hash secret.

    Args:
        consent: True when the user has allowed the process's hash secret to be recorded.
            It is 24 bytes at `_Py_HashSecret`; whoever has it can craft colliding keys.
    """
    if not consent:
        return ""
    seed = os.environ.get("PYTHONHASHSEED", "random")
    if seed != "random" and seed:
        return seed
    with failsafe.gate("hash secret"):
        return bytes((ctypes.c_char * 24).in_dll(ctypes.pythonapi, "_Py_HashSecret")).hex()
    return ""


@functools.cache
def commit_of(folder: str) -> str:
    """Return the git commit that a folder is checked out at, or "" where there is none."""
    for parent in (Path(folder), *Path(folder).parents):
        head = parent / ".git" / "HEAD"
        try:
            text = head.read_text().strip()
        except OSError:
            continue
        if not text.startswith("ref: "):
            return text[:40]
        try:
            return (parent / ".git" / text[5:]).read_text().strip()[:40]
        except OSError:
            return ""
    return ""
