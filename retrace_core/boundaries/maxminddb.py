"""maxminddb: databases of addresses that its extension maps by their name; geoip2's by way of it.

Hook: `maxminddb.open_database`.
Read in maxminddb 2.8.
"""

from __future__ import annotations

import sys
from typing import Any

from retrace_core.boundary import Boundary
from retrace_core.files.named_files import opening

maxminddb: Any = sys.modules["maxminddb"]

BOUNDARY = Boundary(
    kind="file",
    supports="maxminddb>=2",
    hooks=(*opening(maxminddb, "open_database", 0, "database"),),
)
