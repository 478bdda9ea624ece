"""sqlcipher3: a copy of sqlite3 under another name, with another SQLite.

Hooks: as for sqlite3. Read in sqlcipher3-binary 0.6.
"""

from __future__ import annotations

import sqlcipher3

from retrace_core.databases.sqlite.copied import copied_boundary

BOUNDARY = copied_boundary(sqlcipher3, "sqlcipher3-binary>=0.5")
