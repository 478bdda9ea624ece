"""Mercurial's hgwebdir, as its contrib/hgweb.wsgi makes it."""

import os

from mercurial.hgweb import hgwebdir

application = hgwebdir(os.environ["CORPUS_STATE"].encode() + b"/hgweb.config")
