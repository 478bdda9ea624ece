"""pypiserver as its manual has it for any WSGI server, with the middleware around it."""

import os

import pypiserver

from retrace_mw import RetraceMiddleware

state = os.environ["CORPUS_STATE"]
application = RetraceMiddleware(
    pypiserver.app(
        roots=[f"{state}/packages"],
        password_file=f"{state}/htpasswd",
        authenticate=["update"],
        overwrite=False,
        disable_fallback=True,
    )
)
