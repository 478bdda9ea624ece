"""valkey, sync: its hooks are in retrace_core/databases/redis/client_hooks.py."""

from __future__ import annotations

from valkey.client import Pipeline, PubSub, Valkey
from valkey.exceptions import WatchError

from retrace_core.databases.redis.client_hooks import client_boundary

BOUNDARY = client_boundary(Valkey, Pipeline, PubSub, WatchError, "valkey>=6.1")
