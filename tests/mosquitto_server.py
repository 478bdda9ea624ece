"""A real MQTT broker, mosquitto, on loopback, to be stopped by the tests."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

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


@contextmanager
def mosquitto_server(user: str = "", password: str = "") -> Iterator[int]:
    """Yield the port of a running broker on loopback; it is stopped at the end.

    Args:
        user, password: whom alone it lets in; default: everybody.
    """
    port = free_port()
    settings = [f"listener {port} {HOST}", "persistence false", "user root"]
    settings += [f"allow_anonymous {'false' if user else 'true'}"]
    with own_folder("mosquitto") as folder:
        if user:
            passwords = folder / "passwords"
            subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, user, password], check=True)
            settings += [f"password_file {passwords}"]
        (folder / "conf").write_text("\n".join(settings))
        command = [*ends_with_us(), program("mosquitto", "/usr/sbin"), "-c", str(folder / "conf")]
        with running("mosquitto", command, folder, lambda: says(port)):
            yield port
