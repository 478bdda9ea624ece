"""redis-py for asyncio: its hooks are in retrace_core/databases/redis/asyncio_hooks.py."""

from __future__ import annotations

from redis.asyncio.client import Pipeline, PubSub, Redis
from redis.exceptions import WatchError

from retrace_core.databases.redis.asyncio_hooks import asyncio_client_boundary

BOUNDARY = asyncio_client_boundary(Redis, Pipeline, PubSub, WatchError, "redis>=4.3")
