"""Exempt: whose clock and entropy reads are infrastructure, and no events.

Looked at is only the immediate caller's code, once per code object (of `uuid`, `random` and
`secrets`, which draw for everybody, their caller's too; of an event loop's `time` its caller's
instead: timers are infrastructure, an application that asks for the time is not). Infrastructure
reads a clock for its own sake (pools, event loops, caches of compiled statements, tracers), how
often depends on how warm the process is. Not exempt is what decides for the application: token
and cookie expiry (jwt, itsdangerous), caches with a time to live (cachetools).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = [
    "BEHALF",
    "classify",
    "is_for_caller",
    "policy",
    "read_site",
    "recorded_site",
    "site_name",
    "site_names",
]

_DISTRIBUTIONS = frozenset(
    """
    MySQLdb aiohttp aiomysql aiosqlite anyio asgiref asyncmy asyncpg botocore celery daphne ddtrace
    debugpy
    _pydevd_bundle pydevd_bundle
    elasticapm hypothesis
    gevent granian grpc gunicorn h11 h2 httpcore httpcore2 hypercorn kombu launchdarkly_eventsource
    ldclient msgspec mysql nest_asyncio nest_asyncio2
    newrelic opentelemetry
    playhouse prometheus_client psycopg psycopg_pool psycopg2 pymongo pymysql pytest
    _pytest redis
    retrace_core retrace_mw sentry_sdk sniffio sqlalchemy starlette urllib3 uvicorn uvloop valkey
    waitress watchfiles websockets wrapt wsproto zstandard
    """.split()
)
_STANDARD = frozenset(
    """
    asyncio bdb cProfile cmd code concurrent ctypes importlib inspect linecache logging
    multiprocessing pdb profile pstats pydoc queue runpy sched selectors socketserver
    subprocess threading tokenize trace traceback tracemalloc warnings weakref wsgiref zipimport
    """.split()
)
"""Not `random`, `uuid`, `secrets`, `tempfile`: they draw on behalf of their caller."""

_PATHS = sysconfig.get_paths()
_SITE = tuple(
    {os.path.join(_PATHS[name], "") for name in ("purelib", "platlib")}
    | {os.path.join(entry, "") for entry in sys.path if entry.endswith("-packages")}
)
_STDLIB = os.path.join(_PATHS["stdlib"], "")
_OURS = tuple(
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), name, "")
    for name in ("retrace_core", "retrace_mw")
)

_DEFAULTS = os.path.join("sqlalchemy", "sql", "schema.py")
_LOCKS = tuple(
    os.path.join(client, *folder, "lock.py")
    for client in ("redis", "valkey")
    for folder in ((), ("asyncio",))
)
_DATES = (os.path.join("wsgiref", "handlers.py"), "format_date_time")
_SIGNERS = tuple(os.path.join("botocore", name) for name in ("auth.py", "compat.py", "signers.py"))
"""They say when a URL was signed, which the application hands on."""
_IDS = (
    os.path.join("opentelemetry", "sdk", "trace", "id_generator.py"),
    os.path.join("opentelemetry", "sdk", "extension", "aws", "trace", "aws_xray_id_generator.py"),
)
"""A trace's and a span's, which applications tell in a header or on a page of errors."""
_CARRIERS = ("carried", "lent")
_HANDED_ON = frozenset(
    (
        (os.path.join("sentry_sdk", "integrations", "threading.py"), "wrapped_fn"),
        (
            os.path.join("opentelemetry", "instrumentation", "threading", "__init__.py"),
            "wrapped_func",
        ),
    )
)
"""What tracers put around a function that is handed to a pool: `executor.submit(open, path)`."""

_ON_BEHALF = frozenset(
    os.path.join(_STDLIB, name) for name in ("random.py", "secrets.py", "uuid.py")
)
BEHALF = " < "
"""Between a function of these and its caller, in the name of a site: a tracer may make one id
more than when it was recorded, and the application's are its own all the same."""

_FOR_CALLER = frozenset(
    (
        (os.path.join("asyncio", "base_events.py"), "time"),
        (os.path.join("anyio", "_core", "_eventloop.py"), "current_time"),
        (os.path.join("anyio", "_backends", "_asyncio.py"), "current_time"),
        (os.path.join("retrace_core", "boundaries", "uvloop.py"), "time"),
    )
)
"""What tells the clock of an event loop."""
_TELLING = frozenset(name for _, name in _FOR_CALLER)

_names: list[str] = ["?"]
_numbers: dict[str, int] = {"?": 0}
_pairs: dict[tuple[int, int], tuple[int, CodeType, CodeType]] = {}
"""Functions of these with their callers, by their ids; both are kept, so that these stay, in the
native part as well."""


def policy(code: CodeType, caller: CodeType | None = None) -> int:
    """Return what `classify` does, for the hooks.

    -2 for code whose caller is to be named, too; -3 for code whose caller takes its place.
    """
    if code.co_filename not in _ON_BEHALF:
        return -3 if is_for_caller(code) else classify(code)
    if caller is None:
        return -2
    known = _pairs.get((id(code), id(caller)))
    if known is None:
        number = _number(f"{site_name(code)}{BEHALF}{site_name(caller)}")
        known = _pairs[id(code), id(caller)] = (number, code, caller)
    return known[0]


def read_site(code: CodeType | None) -> str:
    """Return the site under which a read was recorded that this code makes now."""
    for_caller = code is not None and is_for_caller(code)
    if code is None or (code.co_filename not in _ON_BEHALF and not for_caller):
        return recorded_site(code)
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    if for_caller:
        while frame is not None and is_for_caller(frame.f_code):
            frame = frame.f_back
        return recorded_site(frame.f_code if frame is not None else None)
    while frame is not None and frame.f_code.co_filename in _ON_BEHALF:
        frame = frame.f_back
    return _names[policy(code, frame.f_code)] if frame is not None else recorded_site(code)


def is_for_caller(code: CodeType) -> bool:
    """Return True for the functions that tell the clock of an event loop."""
    name = code.co_name
    if name not in _TELLING:
        return False
    filename = code.co_filename
    location = _within(filename)[0]
    if not location and filename.startswith(_OURS):
        location = filename[filename.rindex(f"{os.sep}retrace_core{os.sep}") + 1 :]
    return (location, name) in _FOR_CALLER


def classify(code: CodeType) -> int:
    """Return the site number of a calling function, or -1 when its reads are no events."""
    filename = code.co_filename
    if filename.startswith("<frozen "):
        return -1
    if filename.startswith(_OURS):
        # A built-in that is handed to a thread (`to_thread(random.random)`) is called by us.
        carried = code.co_name in _CARRIERS and filename.endswith("carrying.py")
        return _number("?") if carried else -1
    location, owners = _within(filename)
    if location.endswith(_DEFAULTS):
        return _number(site_name(code))  # a column's default: `default=datetime.now`
    if location in _LOCKS:
        return _number(site_name(code))  # how often a lock is tried is up to its clock
    if location in _SIGNERS or location in _IDS:
        return _number(site_name(code))
    if (location, code.co_name) in _HANDED_ON:
        return _number("?")
    if (location, code.co_name) == _DATES:
        return _number(site_name(code))  # a web server's, but for the text of a date now
    if location and location.split(os.sep, 1)[0].removesuffix(".py") in owners:
        return -1
    return _number(site_name(code))


def site_name(code: CodeType) -> str:
    """Return "file.py:qualified.name", the same on every machine that has the same code."""
    return f"{_short(code.co_filename)}:{code.co_qualname}"


def recorded_site(code: CodeType | None) -> str:
    """Return the site under which reads of `code` were recorded."""
    number = classify(code) if code is not None else 0
    return _names[max(number, 0)]


def site_names(numbers: list[int]) -> dict[int, str]:
    """Return the names of these site numbers."""
    return {number: _names[number] for number in numbers if number < len(_names)}


def _within(filename: str) -> tuple[str, frozenset[str]]:
    for prefix in _SITE:
        if filename.startswith(prefix):
            return filename[len(prefix) :], _DISTRIBUTIONS
    if filename.startswith(_STDLIB):
        return filename[len(_STDLIB) :], _STANDARD
    return "", frozenset()


def _short(filename: str) -> str:
    location, _ = _within(filename)
    if location:
        return location
    best = ""
    # A server may put "." on the path; a file from there is "/where/it/is/./file.py".
    filename = os.path.normpath(filename)
    for entry in sys.path:
        prefix = os.path.join(os.path.abspath(entry), "")
        if filename.startswith(prefix) and len(prefix) > len(best):
            best = prefix
    return filename[len(best) :]


def _number(name: str) -> int:
    number = _numbers.get(name)
    if number is None:
        number = len(_names)
        _names.append(name)
        _numbers[name] = number
    return number
