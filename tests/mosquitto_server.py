"""A real MQTT broker, mosquitto, on loopback, to be stopped by the tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server_process import ends_with_us, free_port, started

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST, _UP_WITHIN_S = "127.0.0.1", 30.0


@contextmanager
def mosquitto_server(user: str = "", password: str = "") -> Iterator[int]:
    """Yield the port of a running broker on loopback; it is stopped at the end.

    Args:
        user, password: whom alone it lets in; default: everybody.
    """
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None:
        raise RuntimeError("mosquitto is not installed; run scripts/services")
    folder, port = Path(tempfile.mkdtemp(prefix="mosquitto-")), free_port()
    settings = [f"listener {port} {_HOST}", "persistence false", "user root"]
    settings += [f"allow_anonymous {'false' if user else 'true'}"]
    if user:
        passwords = folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, user, password], check=True)
        settings += [f"password_file {passwords}"]
    (folder / "conf").write_text("\n".join(settings))

    def answers() -> bool:
        try:
            socket.create_connection((_HOST, port), timeout=5).close()
        except OSError:
            return False
        return True

    command = [*ends_with_us(), program, "-c", str(folder / "conf")]
    process = started("mosquitto", command, folder, answers, within_s=_UP_WITHIN_S)
    try:
        yield port
    finally:
        process.kill()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
