"""paramiko's keys: hook: `Ed25519Key.__init__`, where it reads one. Read in paramiko 3.4 to 5.1."""

from __future__ import annotations

from paramiko.ed25519key import Ed25519Key

from retrace_core.boundary import Boundary, Patch
from retrace_core.crypto.read_key import reading_key

BOUNDARY = Boundary(
    kind="paramiko",
    supports="paramiko>=3.4",
    hooks=(Patch(Ed25519Key, "__init__", reading_key),),
    errors=("paramiko.ssh_exception",),
)
