"""valkey for asyncio: its hooks are in retrace_core/databases/redis/asyncio_hooks.py."""

from __future__ import annotations

from valkey.asyncio.client import Pipeline, PubSub, Valkey
from valkey.exceptions import WatchError

from retrace_core.databases.redis.asyncio_hooks import asyncio_client_boundary

BOUNDARY = asyncio_client_boundary(Valkey, Pipeline, PubSub, WatchError, "valkey>=6.1")
