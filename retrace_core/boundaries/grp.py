"""`grp`: the groups of users of the machine, as `pathlib.Path.group` says them.

Hooks: `getgrgid`, `getgrnam` and `getgrall`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import grp

from retrace_core.boundary import Boundary
from retrace_core.reading import readings

BOUNDARY = Boundary(
    kind="grp",
    supports="cpython>=3.11,<3.14",
    hooks=tuple(
        readings(
            grp,
            "free.grp",
            {
                "getgrgid": grp.struct_group,
                "getgrnam": grp.struct_group,
                "getgrall": lambda groups: [grp.struct_group(group) for group in groups],
            },
        )
    ),
)
