"""rq-dashboard: the queues of RQ in a browser (Flask, Redis)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

FILL = """
import sys
from redis import Redis
from rq import Queue, SimpleWorker

connection = Redis.from_url(sys.argv[1])
work = Queue("work", connection=connection)
for n in range(8):
    work.enqueue("math.factorial", n, job_id=f"fac-{n}")
for n in range(3):
    work.enqueue("operator.truediv", n, 0, job_id=f"div-{n}")
SimpleWorker([work], connection=connection).work(burst=True)
for n in range(12):
    work.enqueue("math.factorial", n, job_id=f"waits-{n}", meta={"n": n})
Queue("mail", connection=connection).enqueue("math.sqrt", 2, job_id="mail-1")
"""


def prepare(place: Place) -> None:
    """Put work into Redis, done, failed and waiting."""
    place.run("python", "-c", FILL, "{redis}")


def drive(visitor: Visitor) -> None:
    """Look at everything, requeue, delete, empty."""
    base = "/rq"
    visitor.get(f"{base}/")
    visitor.get(f"{base}/0/view/workers")
    visitor.get(f"{base}/0/view/jobs")
    visitor.get(f"{base}/0/view/jobs/work/queued/5/asc/1")
    visitor.get(f"{base}/0/view/job/fac-3")
    visitor.get(f"{base}/0/data/queues.json")
    visitor.get(f"{base}/0/data/workers.json")
    for registry in ("queued", "finished", "failed", "started", "deferred", "scheduled"):
        visitor.get(f"{base}/0/data/jobs/work/{registry}/5/asc/1.json")
    visitor.get(f"{base}/0/data/jobs/work/queued/5/dsc/2.json")
    visitor.get(f"{base}/0/data/job/fac-3.json")
    visitor.get(f"{base}/0/data/job/div-1.json")
    visitor.get(f"{base}/0/data/job/absent.json", 404, 500)
    visitor.post(f"{base}/job/div-1/requeue")
    visitor.post(f"{base}/job/waits-2/delete")
    visitor.post(f"{base}/job/waits-2/delete")
    visitor.post(f"{base}/requeue/work")
    visitor.post(f"{base}/queue/work/compact")
    visitor.get(f"{base}/0/data/queues.json")
    visitor.post(f"{base}/queue/work/queued/empty")
    visitor.post(f"{base}/queue/work/finished/empty")
    visitor.get(f"{base}/0/data/queues.json")
    visitor.get(f"{base}/static/absent.css", 404)
    visitor.get(f"{base}/7/data/queues.json", 200, 404, 500)


APP = Application(
    name="rq_dashboard",
    framework="Flask",
    uses=("Redis",),
    packages=("rq-dashboard==0.9.0", "six==1.17.0", "gunicorn==23.0.0"),
    server=(
        *("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2"),
        "rq_dashboard.app:create_app()",
    ),
    environment={"RQ_DASHBOARD_REDIS_URL": "{redis}", "RQ_DASHBOARD_URL_PREFIX": "/rq"},
    needs=frozenset({"redis"}),
    prepare=prepare,
    drive=drive,
)
