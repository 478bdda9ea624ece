"""Generated names: what in a statement differs from run to run by its nature.

Django names savepoints after the thread, SQLAlchemy and Django name cursors after addresses.
"""

from __future__ import annotations

import re

__all__ = ["without_generated_names"]

_GENERATED = re.compile(
    r'["`]?\b(s\d+_x\d+|_django_curs_\d+_\w+|c_[0-9a-f]+_[0-9a-f]+)\b["`]?', re.ASCII
)
_NAMING = (
    "DESCRIBE",
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
    "DECLARE",
    "FETCH",
    "CLOSE",
    "MOVE",
    "SELECT 1 FROM",
)
_NAMING_LATER = re.compile(r"(?:;|\*/)\s*(?:" + "|".join(_NAMING[:-1]) + r")\b")
"""After another statement, as django-pghistory sends its context, or after a tracer's comment."""


def without_generated_names(sql: str) -> str:
    """Return a statement as part of a key: as it is, but generated names are left out."""
    if sql.startswith(_NAMING) or (
        (";" in sql or sql.startswith("/*")) and _NAMING_LATER.search(sql)
    ):
        return _GENERATED.sub('"generated"', sql)
    return sql
