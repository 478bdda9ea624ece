"""sqlean.py: a copy of sqlite3 under another name, with another SQLite.

Hooks: as for sqlite3. Read in sqlean.py 3.50.
"""

from __future__ import annotations

import sqlean

from retrace_core.databases.sqlite.copied import copied_boundary

BOUNDARY = copied_boundary(sqlean, "sqlean.py>=3.45")
