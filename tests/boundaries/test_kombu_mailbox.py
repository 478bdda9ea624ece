"""Questions to Celery's workers, as its `inspect` asks them, and a channel that is kept."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from kombu import Connection
from kombu.pidbox import Mailbox

from retrace_core.recording import Event
from tests.recorded import assert_identical, body_of, record_wsgi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.redis_server import RedisServer


@contextmanager
def worker(url: str) -> Iterator[None]:
    """Answer questions, as a worker does."""
    over, listens = threading.Event(), threading.Event()

    def serve() -> None:
        with Connection(url) as connection, connection.channel() as channel:
            mailbox = Mailbox("shop", type="fanout", accept=["json"])(connection)
            node = mailbox.Node("worker@shop", state={}, channel=channel)
            node.handlers["active"] = lambda state, of: {"of": of, "tasks": ["mail"]}
            with node.listen(channel=channel):
                listens.set()
                while not over.is_set():
                    try:
                        connection.drain_events(timeout=0.1)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=serve)
    thread.start()
    assert listens.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("is_kept", [False, True], ids=["new", "kept"])
def test_what_the_workers_answer(recordings: Path, redis: RedisServer, *, is_kept: bool) -> None:
    """On a connection of its own, or on one that an earlier request had opened."""
    connection = Connection(redis.url())
    mailbox = Mailbox("shop", type="fanout", accept=["json"])

    def view() -> str:
        bound = mailbox(connection)
        found = bound.multi_call("active", {"of": "all"}, timeout=5, limit=1)
        waiting = connection.default_channel.queue_declare("mails").message_count
        return f"{found} {waiting}"

    with worker(redis.url()):
        if is_kept:
            assert connection.default_channel
        app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "[{'worker@shop': {'of': 'all', 'tasks': ['mail']}}] 0"
    kinds = [one.kind for one in recording.lanes[0].events if isinstance(one, Event)]
    assert kinds[0] == "kombu.broadcast"
    connection.release()
    assert_identical(recording, app)
