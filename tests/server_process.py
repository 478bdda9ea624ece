"""Server process: a real server on loopback that the tests start, wait for, and stop."""

from __future__ import annotations

import itertools
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HOST = "127.0.0.1"


def program(name: str, *folders: str | Path) -> str:
    """Return the path of a server's program.

    Args:
        name: of the program.
        folders: where it may be besides the usual path; looked into first.
    """
    places = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    found = shutil.which(name, path=places)
    if found is None:
        raise RuntimeError(f"{name} is not installed; run scripts/services")
    return found


@contextmanager
def own_folder(server: str, *accounts: str) -> Iterator[Path]:
    """Yield a folder for a server's files, which is deleted at the end.

    Args:
        server: by which it is named.
        accounts: as of `not_as_root`; default: it stays ours.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"{server}-"))
    try:
        if accounts and os.getuid() == 0:
            shutil.chown(folder, *account(*accounts))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    folder: Path,
    answers: Callable[[], bool],
    *,
    within_s: float = 30.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process of a command, which answers; it is killed at the end.

    Args: as of `started`.
    """
    process = started(name, command, folder, answers, within_s=within_s)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def says(port: int, begins: bytes = b"", *, asked: bytes = b"") -> bool:
    """Return True when whoever listens at a port of ours says something that begins so.

    Args:
        port: where.
        begins: what it says; default: that it listens is enough.
        asked: what it is told first.
    """
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(asked)
            return not begins or connection.recv(100).startswith(begins)
    except OSError:
        return False


def started(
    name: str,
    command: Sequence[str],
    folder: Path,
    answers: Callable[[], bool],
    *,
    within_s: float,
) -> subprocess.Popen[bytes]:
    """Return the process of a command, when it answers.

    Args:
        name: what the server is called, for the error.
        command: runs it.
        folder: for its log.
        answers: tells whether it does.
        within_s: how long it may take.
    """
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    deadline = time.monotonic() + within_s
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait(30)
            said = (folder / "log").read_text(errors="replace")
            raise RuntimeError(f"{name} did not start:\n{said[-2000:]}")
        time.sleep(0.02)
    return process


def ends_with_us(signal: str = "KILL") -> list[str]:
    """Return a command line's beginning by which the process ends with this one."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", signal] if setpriv else []


def not_as_root(*accounts: str, ends_by: str = "") -> list[str]:
    """Return a command line's beginning that leaves root, which servers of databases refuse.

    Args:
        accounts: to run as, the first that there is.
        ends_by: the signal that it gets when this process ends; "" for none.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []  # not on Linux: we are hardly root there
    options = ["--pdeathsig", ends_by] if ends_by else []
    if os.getuid() == 0:
        user, group = account(*accounts)
        options += ["--reuid", str(user), "--regid", str(group), "--clear-groups"]
    return [setpriv, *options] if options else []


def account(*names: str) -> tuple[int, int]:
    """Return (user id, group id) of the first account that there is."""
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RuntimeError(f"no user {' or '.join(names)} to run a server as")


_LOWEST_PORT, _PORTS_EACH = 10_000, 2_000
"""Below the ports that outgoing connections take by themselves (32,768 on Linux)."""


def free_port() -> int:
    """Return a port that nobody listens on, nor will: each process of the tests has its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    first = _LOWEST_PORT + worker % 10 * _PORTS_EACH
    for _ in range(_PORTS_EACH):
        port = first + next(_ports) % _PORTS_EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port is free from {first} to {first + _PORTS_EACH - 1}")


_ports = itertools.count(random.Random(os.urandom(8)).randrange(_PORTS_EACH))
