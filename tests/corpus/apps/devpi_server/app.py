"""devpi's application, as a worker that handles requests and leaves events to another."""

import os

from devpi_server.config import get_pluginmanager, parseoptions
from devpi_server.main import XOM

SERVER = os.environ["CORPUS_STATE"] + "/server"
config = parseoptions(
    get_pluginmanager(), ["devpi-server", "--serverdir", SERVER, "--requests-only"]
)
config.init_nodeinfo()
xom = XOM(config)
application = xom.create_app()
xom.thread_pool.start()
