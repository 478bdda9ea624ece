"""A real memcached on loopback, to be stopped by the tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.server_process import (
    HOST,
    ends_with_us,
    free_port,
    not_as_root,
    own_folder,
    program,
    running,
    says,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def memcached_server() -> Iterator[tuple[str, int]]:
    """Yield the address of a running server; it is stopped at the end."""
    port = free_port()
    command = [*ends_with_us(), *not_as_root("memcache", "nobody"), program("memcached")]
    command += ["--listen", HOST, "--port", str(port)]

    def answers() -> bool:
        return says(port, b"VERSION", asked=b"version\r\n")

    with own_folder("memcached") as folder, running("memcached", command, folder, answers):
        yield HOST, port
