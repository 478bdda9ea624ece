"""A real sshd on loopback, for the user who runs the tests, to be stopped by them."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.server_process import ends_with_us, free_port, started

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST, _UP_WITHIN_S = "127.0.0.1", 30.0
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
    host: str = _HOST

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
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise RuntimeError("sshd is not installed; run scripts/services")
    folder, port = Path(tempfile.mkdtemp(prefix="sshd-")), free_port()
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True)
    (folder / "settings").write_text(_SETTINGS.format(port=port, folder=folder))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it parts with its privileges

    def answers() -> bool:
        try:
            with socket.create_connection((_HOST, port), timeout=5) as connection:
                return connection.recv(100).startswith(b"SSH-")
        except OSError:
            return False

    command = [*ends_with_us(), program, "-D", "-e", "-f", str(folder / "settings")]
    process = started("sshd", command, folder, answers, within_s=_UP_WITHIN_S)
    try:
        yield SshServer(port, folder / "user")
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
