"""DuckDB: database files that it opens, and files that its SQL names, reads and writes.

It is a database in the process, that has its file for itself: what it does with that runs again
on replay, on a copy of the file as it was when it was opened.

Hooks: `duckdb.connect`; what runs SQL or reads a file, as a function and as a method of a
connection; what writes a relation to a file. Read in DuckDB 1.4 and 2.0.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Any

from retrace_core.boundary import Boundary, Patch
from retrace_core.calling import called_from
from retrace_core.files.duckdb_file import mend
from retrace_core.files.file_access import is_infrastructure
from retrace_core.files.files_in_sql import NamedFile, files_in, with_places
from retrace_core.files.named_files import READS, UPDATES, WRITES, opening, placed
from retrace_core.files.named_folders import companions
from retrace_core.lane_hook import lane_hook
from retrace_core.native import current

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

duckdb: Any = sys.modules["duckdb"]
_CONNECTION, _RELATION = duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation
_SQL = ("execute", "executemany", "extract_statements", "from_query", "query", "sql")
_READING = "read_csv from_csv_auto read_json read_parquet from_parquet"
_NO_FILE = (":", "md:", "motherduck:")
_log_beside = companions("+.wal")
_CALL = compile("_retrace_call()", "<frozen retrace>", "eval")


def _connects(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    database = args[0] if args else kwargs.get("database", ":memory:")
    if str(database).startswith(_NO_FILE):
        return None
    return READS if (args[1] if len(args) > 1 else kwargs.get("read_only")) else UPDATES


def _in_the_place_of(frame: FrameType, call: Callable[[], Any]) -> Any:
    """Return what a call returns, made where it sees the variables of that frame.

    A table may have the name of a variable of whoever runs the SQL, which DuckDB looks for.
    """
    return eval(_CALL, frame.f_globals, {**frame.f_locals, "_retrace_call": call})  # noqa: S307


def _runs_sql(at: int) -> Callable[[Any], Any]:
    """Return a factory for what is given SQL, and then parameters.

    Args:
        at: the place of the SQL among the arguments.
    """

    def factory(original: Callable[..., Any]) -> Any:
        @functools.wraps(original)
        def hooked(*args: Any, **kwargs: Any) -> Any:
            lane, frame = current(), called_from()
            if lane is not None and len(args) > at and isinstance(args[at], str):
                found = () if is_infrastructure(frame) else files_in(args[at])
                if found:
                    args, kwargs = _with_places(lane, found, at, args, kwargs)
            return _in_the_place_of(frame, functools.partial(original, *args, **kwargs))

        return lane_hook(original, hooked)

    return factory


def _with_places(
    lane: Any,
    found: tuple[NamedFile, ...],
    at: int,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call with the places of the files that they name."""
    sql = with_places(args[at], found, lambda one: _place(lane, one.text, one.how))
    args = (*args[:at], sql, *args[at + 1 :])
    by_place = len(args) > at + 1
    name = "parameters" if "parameters" in kwargs else "params"
    given = args[at + 1] if by_place else kwargs.get(name)
    changed = _parameters(lane, found, given)
    if changed is given:
        return args, kwargs
    if by_place:
        return (*args[: at + 1], changed, *args[at + 2 :]), kwargs
    return args, {**kwargs, name: changed}


def _parameters(lane: Any, found: tuple[NamedFile, ...], given: Any) -> Any:
    named = [one for one in found if one.parameter is not None]
    if not named or not isinstance(given, dict | list | tuple):
        return given
    changed: Any = dict(given) if isinstance(given, dict) else list(given)
    for one in named:
        try:
            changed[one.parameter] = _place(lane, changed[one.parameter], one.how)
        except (KeyError, IndexError, TypeError):  # the call will say so
            continue
    return changed


def _place(lane: Any, given: Any, how: str) -> Any:
    if isinstance(given, str) and given.startswith(_NO_FILE):
        return given
    reads = how == READS
    beside = None if how == WRITES else _log_beside
    found = placed(lane, given, how, beside=beside, many=reads, if_there=reads, mend=mend)
    return os.fspath(found) if isinstance(found, os.PathLike) else found


def _sql_hooks() -> list[Patch]:
    return [
        Patch(owner, name, _runs_sql(at))
        for owner, at in ((duckdb, 0), (_CONNECTION, 1))
        for name in _SQL
        if hasattr(owner, name)
    ]


BOUNDARY = Boundary(
    kind="file",
    supports="duckdb>=1",
    hooks=(
        *opening(duckdb, "connect", 0, "database", _connects, beside=_log_beside, mend=mend),
        *_sql_hooks(),
        *opening(duckdb, _READING, 0, "path_or_buffer", many=True, calls_back=True),
        *opening(_CONNECTION, _READING, 1, "path_or_buffer", many=True, calls_back=True),
        *opening(
            _RELATION,
            "write_csv to_csv write_parquet to_parquet",
            1,
            "file_name",
            WRITES,
            calls_back=True,
        ),
    ),
)
