"""redis-py, sync: its hooks are in retrace_core/databases/redis/client_hooks.py."""

from __future__ import annotations

from redis.client import Pipeline, PubSub, Redis
from redis.exceptions import WatchError

from retrace_core.databases.redis.client_hooks import client_boundary

BOUNDARY = client_boundary(Redis, Pipeline, PubSub, WatchError, "redis>=4.3")
