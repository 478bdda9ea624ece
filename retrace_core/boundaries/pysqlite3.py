"""pysqlite3: a copy of sqlite3 under another name, with another SQLite.

Hooks: as for sqlite3. Read in pysqlite3-binary 0.5.
"""

from __future__ import annotations

import pysqlite3

from retrace_core.databases.sqlite.copied import copied_boundary

BOUNDARY = copied_boundary(pysqlite3, "pysqlite3-binary>=0.5")
