"""MoinMoin by its own configuration file, as its manual serves it by WSGI."""

import os

from moin.app import create_app

application = create_app(os.environ["MOIN_CONFIG"])
