"""WSGI environ: a recorded request as a server hands it to a WSGI application (PEP 3333)."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

if TYPE_CHECKING:
    from retrace_core.recording import Request

__all__ = ["wsgi_environ"]


def wsgi_environ(request: Request) -> dict[str, Any]:
    """Return the WSGI environ of a recorded request."""
    environ: dict[str, Any] = {
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **request.extra,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": request.root_path,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query.decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{request.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(b"".join(request.body)),
        "wsgi.errors": sys.stderr,
    }
    if "wsgi.file_wrapper" in request.extra:
        environ["wsgi.file_wrapper"] = FileWrapper
    if request.server is not None:
        environ.setdefault("SERVER_NAME", request.server[0])
        environ.setdefault("SERVER_PORT", str(request.server[1]))
    if request.client is not None:
        environ.setdefault("REMOTE_ADDR", request.client[0])
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = value
    return environ
