"""A real LDAP directory (OpenLDAP's slapd) on loopback, to be stopped by the tests."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.server_process import (
    HOST,
    account,
    free_port,
    not_as_root,
    own_folder,
    program,
    running,
    says,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

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
    port, slapd = free_port(), program("slapd", "/usr/sbin", "/usr/lib/openldap")
    url = f"ldap://{HOST}:{port}"
    with own_folder("slapd", *_ACCOUNTS) as folder:
        (folder / "data").mkdir()
        settings = _SETTINGS.format(folder=folder, password=f'"{LdapServer.password}"')
        (folder / "slapd.conf").write_text(settings)
        if os.getuid() == 0:
            for path in (folder / "data", folder / "slapd.conf"):
                shutil.chown(path, *account(*_ACCOUNTS))
        command = [*not_as_root(*_ACCOUNTS, ends_by="KILL"), slapd, "-d", "0", "-h", url]
        command += ["-f", str(folder / "slapd.conf")]
        with running("slapd", command, folder, lambda: says(port)) as process:
            yield LdapServer(url, process)
