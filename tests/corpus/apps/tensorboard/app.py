"""TensorBoard as a WSGI application, made as its command makes it, with its data server."""

import os

from tensorboard import default, program
from tensorboard.backend import application as backend

_board = program.TensorBoard(plugins=default.get_plugins())
_board.configure(argv=["tensorboard", "--logdir", os.path.join(os.environ["CORPUS_STATE"], "logs")])
_provider, _multiplexer = _board._make_data_provider()
application = backend.TensorBoardWSGIApp(
    _board.flags,
    _board.plugin_loaders,
    _provider,
    _board.assets_zip_provider,
    _multiplexer,
)
