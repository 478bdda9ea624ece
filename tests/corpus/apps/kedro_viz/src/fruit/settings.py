"""Where the data are."""

import os

CONFIG_LOADER_ARGS = {"custom_resolvers": {"state": lambda: os.environ["CORPUS_STATE"]}}
