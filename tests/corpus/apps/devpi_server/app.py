"""devpi's application, as a worker that handles requests and leaves events to another."""

import os

from devpi_server.config import get_pluginmanager, parseoptions
from devpi_server.main import XOM

SERVER = os.environ["CORPUS_STATE"] + "/server"
CHEAP = ("--argon2-memory-cost", "1024", "--argon2-time-cost", "1")  # of hashing the secret
config = parseoptions(
    get_pluginmanager(), ["devpi-server", "--serverdir", SERVER, "--requests-only", *CHEAP]
)
config.init_nodeinfo()
xom = XOM(config)
application = xom.create_app()
xom.thread_pool.start()
