"""Pings of Redis: how often one is made depends on how warm the process is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotThere

from tests.recorded import assert_identical, body_of, record_wsgi
from tests.server_process import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.redis_server import RedisServer


@pytest.mark.parametrize("before", [True, False], ids=["more", "fewer"])
def test_more_or_fewer_than_recorded(recordings: Path, redis: RedisServer, *, before: bool) -> None:
    """As one is made for each connection that is opened."""
    client = Redis.from_url(redis.url(), decode_responses=True)
    client.set("name", "Ann")
    opened = [before]

    def view() -> str:
        if not opened.pop():
            client.ping()
        return str(client.get("name"))

    app, recording = record_wsgi(recordings, view)
    opened[:] = [not before]
    assert_identical(recording, app, times=1)


def test_one_that_fails(recordings: Path) -> None:
    """A page that says whether Redis is there says so again."""
    client = Redis(port=free_port())

    def view() -> str:
        try:
            return str(client.ping())
        except NotThere as error:
            return type(error).__name__

    app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "ConnectionError"
    assert_identical(recording, app)
