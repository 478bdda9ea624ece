"""Files in SQL: which texts of a statement name files, in the SQL of DuckDB.

Only those that stand where a file does: after FROM, JOIN, ATTACH or COPY ... TO, or as what
`read_csv` and its like are given first, be it a parameter.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrace_core.files.named_files import MAKES, READS, UPDATES, WRITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NamedFile", "files_in", "with_places"]

_TOKEN = re.compile(
    r"""
    (?P<nothing>--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<parameter>\?\d*|\$\d+|\$[A-Za-z_]\w*(?!\w*\$))
    |(?P<dollars>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>\w+)
    |(?P<mark>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_READERS = frozenset(
    """
    GLOB PARQUET_FILE_METADATA PARQUET_KV_METADATA PARQUET_METADATA PARQUET_SCAN PARQUET_SCHEMA
    READ_BLOB READ_CSV READ_CSV_AUTO READ_JSON READ_JSON_AUTO READ_JSON_OBJECTS
    READ_JSON_OBJECTS_AUTO READ_NDJSON READ_NDJSON_AUTO READ_NDJSON_OBJECTS READ_PARQUET READ_TEXT
    READ_XLSX SNIFF_CSV ST_READ ST_READ_META
    """.split()
)
_CLAUSES = frozenset(
    "EXCEPT GROUP HAVING INTERSECT LIMIT ORDER QUALIFY SELECT SET UNION VALUES WHERE WINDOW".split()
)
"""Words after which those that FROM names are over."""
_LOOKS_LIKE_A_FILE = re.compile(r"[./\\*]")


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One place in a statement where a file is named."""

    begin: int
    end: int
    how: str
    text: str = ""
    """The path; "" where a parameter gives it."""
    parameter: str | int | None = None
    """Which of the parameters: its number, from 0, or its name."""
    quote: str = "'"


@functools.lru_cache(256)
def files_in(sql: str) -> tuple[NamedFile, ...]:
    """Return where files are named in the statements of a text, in order."""
    return tuple(_found(sql))


def with_places(sql: str, found: tuple[NamedFile, ...], place: Callable[[NamedFile], str]) -> str:
    """Return a text with other paths in the place of those that are named in it."""
    parts, done = [], 0
    for one in found:
        if one.parameter is None:
            told = place(one).replace(one.quote, one.quote * 2)
            parts += [sql[done : one.begin], one.quote, told, one.quote]
            done = one.end
    return "".join((*parts, sql[done:]))


def _found(sql: str) -> Iterator[NamedFile]:
    statement: list[str] = []
    """Words of the statement, as far as it goes."""
    before = ""
    """What stands before a token: a word in capitals, or a mark."""
    depth, reader = 0, 0
    """How deep in brackets, and how deep the arguments of what reads a file are."""
    listing: set[int] = set()
    """How deep in brackets tables are listed, after FROM."""
    parameters = 0
    whole = sql.upper()
    for token in _TOKEN.finditer(sql):
        kind, text = token.lastgroup, token.group()
        if kind in ("nothing", "tag"):
            continue
        listed = before == "," and depth in listing
        how = READS if reader or listed else _how(statement, before, whole)
        if kind == "parameter":
            at = _parameter(text, parameters)
            parameters += text == "?"
            if how is not None:
                yield NamedFile(token.start(), token.end(), how, parameter=at)
        elif kind in ("text", "quoted") and how is not None:
            path = text[1:-1].replace(text[0] * 2, text[0])
            if path and (kind == "text" or (not reader and _LOOKS_LIKE_A_FILE.search(path))):
                yield NamedFile(token.start(), token.end(), how, path, quote=text[0])
        elif kind == "word":
            statement.append(text.upper())
            if statement[-1] == "FROM":
                listing.add(depth)
            elif statement[-1] in _CLAUSES:
                listing.discard(depth)
        elif text in "([{":
            depth += 1
            if text == "(" and before in _READERS and not reader:
                reader = depth
        elif text in ")]}":
            reader = 0 if reader == depth else reader
            listing.discard(depth)
            depth -= 1
        elif text == "," and reader == depth:
            reader = 0
        elif text == ";":
            statement, depth, reader = [], 0, 0
            listing.clear()
        before = text.upper() if kind in ("word", "mark") else ""


def _how(statement: list[str], before: str, whole: str) -> str | None:
    """Return what is done to a file that is named here; None where none is."""
    if not statement or before != statement[-1]:
        return None
    if before in ("FROM", "JOIN"):
        return READS
    first = statement[0]
    if first == "ATTACH" and before in ("ATTACH", "DATABASE", "EXISTS"):
        return READS if "READ_ONLY" in whole else UPDATES
    if first == "COPY" and before == "TO":
        return MAKES if "PARTITION_BY" in whole else WRITES
    if before == "DATABASE" and first in ("EXPORT", "IMPORT"):
        return MAKES if first == "EXPORT" else READS
    return None


def _parameter(text: str, number: int) -> str | int:
    if text == "?":
        return number
    return int(text[1:]) - 1 if text[1:].isdigit() else text[1:]
