"""grpcio's server: the ports that it binds. What it is asked there is of no request of ours.

Hook: `_Server.add_insecure_port` and `add_secure_port`, below them all is C. Read in grpcio 1.85.
"""

from __future__ import annotations

from grpc import _server as server  # pyright: ignore[reportAttributeAccessIssue]

from retrace_core.boundary import Boundary, Patch
from retrace_core.http_clients.grpc_port import binding

BOUNDARY = Boundary(
    kind="grpc",
    supports="grpcio>=1.66",
    hooks=(
        Patch(server._Server, "add_insecure_port", binding),
        Patch(server._Server, "add_secure_port", binding),
    ),
)
