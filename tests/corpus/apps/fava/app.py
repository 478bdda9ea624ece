"""Fava on one ledger, as its command makes it."""

import os

from fava.application import create_app

app = create_app([f"{os.environ['CORPUS_STATE']}/ledger.beancount"], load=True)
