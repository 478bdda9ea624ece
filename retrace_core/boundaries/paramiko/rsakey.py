"""paramiko's keys: hook: `RSAKey.__init__`, where it reads one. Read in paramiko 3.4 to 5.1."""

from __future__ import annotations

from paramiko.rsakey import RSAKey

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.read_key import reading_key

BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(Patch(RSAKey, "__init__", reading_key),),
    errors=("paramiko.ssh_exception",),
)
