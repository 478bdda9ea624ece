"""The WSGI application, as `trac-admin deploy` writes it."""

import os

os.environ["TRAC_ENV"] = os.path.join(os.environ["CORPUS_STATE"], "project")

from trac.web.main import dispatch_request

application = dispatch_request
