"""A real NATS server on loopback, with JetStream, to be stopped by the tests."""

from __future__ import annotations

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
def nats_server(*options: str) -> Iterator[str]:
    """Yield the address of a running server, without a scheme; it is stopped at the end.

    Args:
        options: further ones of its command line.
    """
    port = free_port()
    command = [*ends_with_us(), program("nats-server"), "--addr", HOST, "--port", str(port)]
    with own_folder("nats") as folder:
        command += ["--jetstream", "--store_dir", str(folder), *options]
        with running("nats-server", command, folder, lambda: says(port, b"INFO")):
            yield f"{HOST}:{port}"
