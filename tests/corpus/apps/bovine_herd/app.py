"""A server for the Fediverse, as the package's manual has it; a proxy says who asks."""

import os

from bovine_herd import BovineHerd
from bovine_herd.server.authorize import add_authorization_with_cattle_grid
from quart import Quart

app = Quart(__name__)
BovineHerd(
    app,
    db_url=f"sqlite://{os.environ['CORPUS_STATE']}/bovine.sqlite3",
    authorization_adder=add_authorization_with_cattle_grid,
)
