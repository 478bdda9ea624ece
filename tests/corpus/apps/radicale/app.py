"""Radicale as its manual has it for any WSGI server, with the middleware around it."""

from radicale import application as radicale

from retrace_mw import RetraceMiddleware

application = RetraceMiddleware(radicale)
