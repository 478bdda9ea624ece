"""Roundup's WSGI handler, as its manual's wsgi.py has it."""

import os

from roundup.cgi.wsgi_handler import RequestDispatcher

application = RequestDispatcher(os.environ["CORPUS_STATE"] + "/tracker")
