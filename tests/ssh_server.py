"""A real sshd on loopback, for the user who runs the tests, to be stopped by them."""

from __future__ import annotations

import getpass
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.server_process import (
    HOST,
    ends_with_us,
    free_port,
    own_folder,
    program,
    running,
    says,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PasswordAuthentication no
PermitRootLogin yes
PidFile none
StrictModes no
Subsystem sftp internal-sftp
UsePAM no
"""


@dataclass(frozen=True, slots=True)
class SshServer:
    """Where it is, and with which key one logs in."""

    port: int
    key: Path
    host: str = HOST

    @property
    def login(self) -> dict[str, Any]:
        """What `SSHClient.connect` is to be told to log in."""
        return {
            "hostname": self.host,
            "port": self.port,
            "username": getpass.getuser(),
            "key_filename": str(self.key),
            "allow_agent": False,
            "look_for_keys": False,
        }


@contextmanager
def ssh_server() -> Iterator[SshServer]:
    """Yield a running server; it is stopped at the end."""
    port, sshd = free_port(), program("sshd", "/usr/sbin")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it parts with its privileges
    with own_folder("sshd") as folder:
        for name in ("host", "user"):
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(make, check=True)
        (folder / "settings").write_text(_SETTINGS.format(port=port, folder=folder))
        command = [*ends_with_us(), sshd, "-D", "-e", "-f", str(folder / "settings")]
        with running("sshd", command, folder, lambda: says(port, b"SSH-")):
            yield SshServer(port, folder / "user")
