"""A real LDAP directory (OpenLDAP's slapd) on loopback, to be stopped by the tests."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import account, free_port, not_as_root, started

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_HOST, _UP_WITHIN_S = "127.0.0.1", 30.0
_ACCOUNTS = ("openldap", "nobody")
_SETTINGS = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
database mdb
suffix "dc=shop"
rootdn "cn=admin,dc=shop"
rootpw {password}
directory {folder}/data
"""


@dataclass
class LdapServer:
    """A directory, empty but for its administrator."""

    url: str
    process: subprocess.Popen[bytes]
    admin = "cn=admin,dc=shop"
    password = "open sesame"

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(30)


@contextmanager
def ldap_server() -> Iterator[LdapServer]:
    """Yield a running server; it is stopped and deleted at the end."""
    program = shutil.which(
        "slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/openldap"
    )
    if program is None:
        raise RuntimeError("slapd is not installed; run scripts/services")
    folder, port = Path(tempfile.mkdtemp(prefix="slapd-")), free_port()
    (folder / "data").mkdir()
    settings = _SETTINGS.format(folder=folder, password=f'"{LdapServer.password}"')
    (folder / "slapd.conf").write_text(settings)
    if os.getuid() == 0:
        for path in (folder, folder / "data", folder / "slapd.conf"):
            shutil.chown(path, *account(*_ACCOUNTS))

    def answers() -> bool:
        try:
            socket.create_connection((_HOST, port), timeout=5).close()
        except OSError:
            return False
        return True

    url = f"ldap://{_HOST}:{port}"
    command = [*not_as_root(*_ACCOUNTS, ends_by="KILL"), program, "-d", "0", "-h", url]
    command += ["-f", str(folder / "slapd.conf")]
    server = LdapServer(url, started("slapd", command, folder, answers, within_s=_UP_WITHIN_S))
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
