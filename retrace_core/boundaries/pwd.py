"""`pwd`: the users of the machine, by which `getpass.getuser` and `expanduser` find their answer.

Hooks: `getpwuid`, `getpwnam` and `getpwall`. Read in CPython 3.11 to 3.13.
"""

from __future__ import annotations

import pwd

from retrace_core.boundary import Boundary
from retrace_core.reading import readings

BOUNDARY = Boundary(
    kind="pwd",
    supports="cpython>=3.11,<3.14",
    hooks=tuple(
        readings(
            pwd,
            "free.pwd",
            {
                "getpwuid": pwd.struct_passwd,
                "getpwnam": pwd.struct_passwd,
                "getpwall": lambda users: [pwd.struct_passwd(user) for user in users],
            },
        )
    ),
)
