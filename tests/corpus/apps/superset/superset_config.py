"""Superset as its manual configures it: metadata in SQLite, a cache in the process."""

import os

SECRET_KEY = os.environ["SUPERSET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['SUPERSET_STATE']}/superset.db"
PREVENT_UNSAFE_DB_CONNECTIONS = False
CACHE_CONFIG = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300}
DATA_CACHE_CONFIG = CACHE_CONFIG
TALISMAN_ENABLED = False
FEATURE_FLAGS = {"TAGGING_SYSTEM": True}
