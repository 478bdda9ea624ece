"""The server on a folder and on an index behind it, as its command makes it."""

import os

from simple_repository_server.__main__ import create_app

app = create_app(
    [f"{os.environ['CORPUS_STATE']}/local", f"{os.environ['CORPUS_ORIGIN']}/simple/"],
    stream_http_resources=True,
)
