"""A program whose application is a global of the module that is run, and of no imported one."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from waitress import serve

    from tests.unchanged import bare_wsgi

    application = bare_wsgi()
    serve(application, host="127.0.0.1", port=int(sys.argv[1]))
