"""Calibre-Web's application with the parts that its command puts in."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

package = find_spec("calibreweb")
assert package is not None and package.origin is not None
sys.path.insert(0, str(Path(package.origin).parent))
sys.argv = ["cps.py", "-p", f"{os.environ['CORPUS_STATE']}/app.db"]

from cps import create_app  # noqa: E402  # after the path and the arguments are there

PARTS = (
    ("search", "search"),
    ("tasks_status", "tasks"),
    ("web", "web"),
    ("basic", "basic"),
    ("opds", "opds"),
    ("jinjia", "jinjia"),
    ("about", "about"),
    ("shelf", "shelf"),
    ("admin", "admi"),
    ("remotelogin", "remotelogin"),
    ("search_metadata", "meta"),
    ("gdrive", "gdrive"),
    ("editbooks", "editbook"),
)
application = create_app()
for module, name in PARTS:
    application.register_blueprint(getattr(import_module(f"cps.{module}"), name))
import_module("cps.error_handler").init_errorhandler()
