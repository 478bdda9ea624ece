"""The WSGI application, as gunicorn is given it by pgAdmin's manual."""

from pgadmin4.pgAdmin4 import app

__all__ = ["app"]
