"""Celery and RQ: tasks that are sent, and results that are asked for, with the broker gone."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import celery
import pytest
import redis as library
import rq
from celery import group, states
from celery.exceptions import TimeoutError as NoResult

from retrace_core import installer
from retrace_mw import extract
from tests.recorded import assert_identical, body_of, record_wsgi
from tests.redis_server import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retrace_core import Recording
    from tests.redis_server import RedisServer


@pytest.fixture
def client(redis: RedisServer) -> Iterator[library.Redis]:
    """Return a client of the broker."""
    with library.Redis.from_url(redis.url()) as made:
        yield made


def celery_app(url: str, **options: Any) -> Any:
    """Return an application with one task."""
    made = celery.Celery("shop", broker=url, backend=url, set_as_current=False)
    made.conf.update(broker_connection_retry=False, **options)

    @made.task(name="add", shared=False)
    def add(a: int, b: int) -> int:
        return a + b

    return made


def kinds_of(recording: Recording) -> list[str]:
    """Return the kinds of the root lane's calls."""
    return [event.kind for event in recording.lanes[0].events if hasattr(event, "key")]


def test_a_sent_task_is_one_event_and_carries_the_trace(
    recordings: Path, redis: RedisServer, client: library.Redis
) -> None:
    """`delay`, `apply_async` and `send_task` give the recorded ids; the broker is no event."""
    app = celery_app(redis.url())

    def view() -> str:
        add = app.tasks["add"]
        sent = [add.delay(1, 2), add.apply_async((3, 4), countdown=5), app.send_task("other")]
        return repr([one.id for one in sent])

    flask_app, recording = record_wsgi(recordings, view)
    assert kinds_of(recording) == ["celery.send_task"] * 3
    messages = [json.loads(one) for one in client.lrange("celery", 0, -1)]
    assert len(messages) == 3
    for message in messages:
        trace = extract(message["headers"])
        assert trace.trace_id == recording.header.trace_id
    client.flushall()
    assert_identical(recording, flask_app)
    assert client.llen("celery") == 0
    app.close()


def test_results_come_back_with_the_backend_gone(recordings: Path) -> None:
    """State, value, failure and timeout of tasks; a group that is waited for."""
    with redis_server() as server:
        app = celery_app(server.url())
        backend = app.backend
        backend.store_result("done", 7, states.SUCCESS)
        backend.store_result("failed", ValueError("no"), states.FAILURE)

        def view() -> str:
            done, failed = app.AsyncResult("done"), app.AsyncResult("failed")
            found: list[Any] = [app.AsyncResult("x").state, done.get(timeout=5), done.state]
            found += [failed.state, failed.result, failed.ready()]
            try:
                app.AsyncResult("failed").get(timeout=5)
            except ValueError as error:
                found.append(repr(error))
            try:
                app.AsyncResult("never").get(timeout=0.05)
            except NoResult as error:
                found.append(repr(error))
            waited = celery.result.ResultSet([app.AsyncResult("done")], app=app)
            return repr([*found, waited.get(timeout=5)])

        flask_app, recording = record_wsgi(recordings, view)
        # Celery's results call it as they go, which may be after this test.
        called_off: list[Any] = []
        backend.remove_pending_result = called_off.append
        server.stop()
        assert_identical(recording, flask_app)
        # What is pending in a replay calls nobody as it goes; that of the recording may, until now.
        assert [one.id for one in called_off].count("x") == 0
        app.close()
    assert body_of(recording).startswith(
        "['PENDING', 7, 'SUCCESS', 'FAILURE', ValueError('no'), True, \"ValueError('no')\""
    )
    assert body_of(recording).endswith("[7]]")
    assert all(kind.startswith("celery.") for kind in kinds_of(recording))


def test_a_group_is_sent_again(recordings: Path, redis: RedisServer) -> None:
    """Each of its tasks is an event."""
    app = celery_app(redis.url())

    def view() -> str:
        add = app.tasks["add"]
        sent = group(add.s(1, 1), add.s(2, 2), app=app).apply_async()
        return repr([one.id for one in sent.results])

    flask_app, recording = record_wsgi(recordings, view)
    assert kinds_of(recording).count("celery.send_task") == 2
    redis.flush()
    assert_identical(recording, flask_app)
    app.close()


def test_an_eager_task_is_the_applications_code(recordings: Path, redis: RedisServer) -> None:
    """Nothing is sent; it runs again on replay."""
    app = celery_app(redis.url(), task_always_eager=True)
    flask_app, recording = record_wsgi(recordings, lambda: str(app.tasks["add"].delay(1, 2).get()))
    assert body_of(recording) == "3"
    assert not [kind for kind in kinds_of(recording) if kind.startswith("celery")]
    assert_identical(recording, flask_app)
    app.close()


def test_a_broker_that_refuses_refuses_again(recordings: Path) -> None:
    """The error is kombu's."""
    app = celery_app("redis://127.0.0.1:9/0", task_publish_retry=False, task_ignore_result=True)

    def view() -> str:
        try:
            app.tasks["add"].delay(1, 2)
        except Exception as error:  # noqa: BLE001
            return type(error).__qualname__
        return "sent"

    flask_app, recording = record_wsgi(recordings, view)
    assert body_of(recording) == "OperationalError"
    assert_identical(recording, flask_app)
    app.close()


def test_an_enqueued_job_is_one_event_and_carries_the_trace(
    recordings: Path, redis: RedisServer, client: library.Redis
) -> None:
    """`enqueue`, `enqueue_in`: ids, states and times come back; Redis is no event."""
    from datetime import timedelta

    queue = rq.Queue("mail", connection=client)

    def view() -> str:
        jobs = [
            queue.enqueue("shop.mail", "ann", copies=2),
            queue.enqueue_in(timedelta(seconds=60), "shop.mail", "bob", meta={"a": 1}),
            queue.enqueue("shop.mail", job_id="mine"),
        ]
        return repr([[job.id, job.get_status(refresh=False), job.enqueued_at] for job in jobs])

    app, recording = record_wsgi(recordings, view)
    assert kinds_of(recording) == ["rq.enqueue", "rq.schedule", "rq.enqueue"]
    found = [client.hget(key, "meta") for key in client.keys("rq:job:*")]
    metas = [pickle.loads(one) for one in found if one]
    assert len(metas) == 3
    assert {extract(meta).trace_id for meta in metas} == {recording.header.trace_id}
    client.flushall()
    assert_identical(recording, app)
    assert client.keys() == []


def test_many_jobs_are_what_they_ask_of_redis(
    recordings: Path, redis: RedisServer, client: library.Redis
) -> None:
    """`enqueue_many` is recorded as its pipeline; the jobs carry the trace all the same."""

    def view() -> str:
        queue = rq.Queue("mail", connection=client)
        data = [rq.Queue.prepare_data("shop.mail", args=(name,)) for name in ("ann", "bob")]
        return repr([[job.id, job.enqueued_at] for job in queue.enqueue_many(data)])

    app, recording = record_wsgi(recordings, view)
    keys = client.keys("rq:job:*")
    assert len(keys) == 2
    assert all(
        extract(pickle.loads(client.hget(key, "meta"))).trace_id == recording.header.trace_id
        for key in keys
    )
    client.flushall()
    assert_identical(recording, app)


def test_outside_a_request_nothing_is_added(redis: RedisServer, client: library.Redis) -> None:
    """A job of a script has the meta that it was given."""
    installer.install(["rq.queue", "redis.client"])
    job = rq.Queue("mail", connection=client).enqueue("shop.mail", meta={"a": 1})
    assert job.meta == {"a": 1}
