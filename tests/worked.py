"""A shop that leaves work to others: a Flask application, Celery tasks and functions for RQ.

`BROKER` says where Redis is. Nothing here knows of Retrace, but where `RECORDED` is set.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

import celery
import flask
import redis
import rq

BROKER = os.environ.get("BROKER", "redis://127.0.0.1:9/0")

queue_app = celery.Celery("shop", broker=BROKER, backend=BROKER)
queue_app.conf.update(
    broker_connection_retry_on_startup=False,
    worker_send_task_events=False,
    task_always_eager=bool(os.environ.get("EAGER")),
)
store = redis.Redis.from_url(BROKER)
web = flask.Flask("shop")

if os.environ.get("RECORDED"):
    from retrace_mw import celery as recorded_celery

    recorded_celery.install(queue_app, service="billing")


DRAWN = random.random()
"""What the process asks as it starts."""


class InContext(celery.Task):  # type: ignore[type-arg]
    """A task that runs in the Flask application's context, as Flask's documentation has it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        with web.app_context():
            return super().__call__(*args, **kwargs)


@queue_app.task(name="charge", bind=True)
def charge(self: Any, order: int, *, currency: str = "EUR") -> dict[str, Any]:
    """Ask Redis, the clock and chance, and say which task this is."""
    total = store.incr(f"order-{order}")
    return {
        "order": order,
        "currency": currency,
        "total": total,
        "at": time.time(),
        "draw": random.random() + DRAWN,
        "task": self.request.id,
    }


@queue_app.task(name="refund", bind=True, max_retries=2)
def refund(self: Any, order: int) -> str:
    """Fail once, and be asked again."""
    if store.incr(f"refund-{order}") < 2:
        try:
            raise ConnectionError("the bank is closed")
        except ConnectionError as error:
            raise self.retry(exc=error, countdown=0) from error
    return f"refunded after {self.request.retries}"


@queue_app.task(name="fail")
def fail(order: int) -> None:
    """Raise what depends on an answer of the world."""
    raise ValueError(f"order {order} is {store.get('state')!r}")


@queue_app.task(name="lead", base=InContext, bind=True)
def lead(self: Any, order: int) -> str:
    """Send two tasks of its own."""
    charge.delay(order)
    return f"{flask.current_app.name} {self.request.id} {charge.delay(order).id}"


@queue_app.task(name="double")
def double(number: int) -> int:
    """Return the number twice."""
    store.get("any")
    return 2 * number


def mail(name: str, *, copies: int = 1) -> list[Any]:
    """Be RQ's: ask Redis, the clock, and RQ itself which job this is."""
    job: Any = rq.get_current_job()
    return [name, copies, store.incr("mails"), DRAWN, job.id, job.meta.get("note"), time.time()]


async def mail_later(name: str) -> str:
    """Be RQ's, and a coroutine."""
    return f"{name} {store.incr('mails')}"


def bounce(name: str) -> None:
    """Be RQ's, and fail."""
    raise LookupError(f"{name}: {store.get('state')!r}")


@web.post("/<kind>/<name>")
def post(kind: str, name: str) -> str:
    """Send one task or job."""
    if kind == "celery":
        return str(queue_app.tasks[name].delay(7).id)
    if kind == "chain":
        steps = celery.chain(double.s(3), double.s())
        return str(steps.apply_async().id)
    job = rq.Queue(connection=store).enqueue(f"tests.worked.{name}", "ann", meta={"note": "x"})
    return str(job.id)
