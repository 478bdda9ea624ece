"""Kinto by its configuration file, as its own `app.wsgi` does it."""

import configparser
import os

from kinto import main

parsed = configparser.ConfigParser(interpolation=None)
with open(os.environ["KINTO_INI"]) as file:
    parsed.read_file(file)
application = main({}, **dict(parsed.items("app:main")))
