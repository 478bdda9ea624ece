"""A shop on FastAPI: orders are worked on by taskiq and arq, and one may watch."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import redis.asyncio
import taskiq_fastapi
from arq import create_pool
from arq.connections import RedisSettings
from arq.jobs import Job, ResultNotFound
from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from taskiq import TaskiqDepends
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REDIS = os.environ["CORPUS_REDIS"]

broker = ListQueueBroker(REDIS, queue_name="orders").with_result_backend(
    RedisAsyncResultBackend(REDIS, result_ex_time=600)
)
taskiq_fastapi.init(broker, "app:app")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the connections."""
    app.state.redis = redis.asyncio.from_url(REDIS, decode_responses=True)
    app.state.arq = await create_pool(RedisSettings.from_dsn(REDIS))
    if not broker.is_worker_process:
        await broker.startup()
    yield
    if not broker.is_worker_process:
        await broker.shutdown()
    await app.state.arq.aclose()
    await app.state.redis.aclose()


app = FastAPI(lifespan=lifespan)


def store(request: Annotated[Request, TaskiqDepends()]) -> redis.asyncio.Redis:
    """Return the client."""
    return request.app.state.redis


def store_of(request: Request) -> redis.asyncio.Redis:
    """Return the client."""
    return request.app.state.redis


Store = Annotated[redis.asyncio.Redis, Depends(store_of)]


@broker.task
async def price(order_id: str, client: Annotated[Any, TaskiqDepends(store)]) -> dict[str, Any]:
    """Work out what an order costs."""
    lines = json.loads(await client.hget(f"order:{order_id}", "lines"))
    total = Decimal(0)
    for line in lines:
        total += Decimal(await client.hget(f"product:{line['sku']}", "price")) * line["count"]
    await client.hset(f"order:{order_id}", mapping={"total": str(total), "state": "priced"})
    await client.publish(f"order:{order_id}", json.dumps({"state": "priced", "total": str(total)}))
    return {"total": str(total), "at": datetime.now(UTC).isoformat()}


@broker.task(retry_on_error=True, max_retries=1)
async def refund(order_id: str) -> None:
    """Fail."""
    raise ValueError(f"nothing was paid for {order_id}")


class Line(BaseModel):
    """A line of an order."""

    sku: str
    count: int = Field(gt=0, le=100)


class Order(BaseModel):
    """An order."""

    email: str
    lines: list[Line]


class Product(BaseModel):
    """A product."""

    sku: str
    name: str
    price: Decimal
    stock: int = 0


class Login(BaseModel):
    """Who comes in."""

    email: str
    password: str


async def visitor(client: Store, session: Annotated[str | None, Cookie()] = None) -> str:
    """Return who asks."""
    who = await client.get(f"session:{session}") if session else None
    if who is None:
        raise HTTPException(401, "log in first")
    return who


Who = Annotated[str, Depends(visitor)]


@app.post("/login")
async def login(given: Login, response: Response, client: Store) -> dict[str, str]:
    """Open a session."""
    attempts = await client.incr(f"attempts:{given.email}")
    await client.expire(f"attempts:{given.email}", 60)
    if attempts > 5:
        raise HTTPException(429, "too many")
    if given.password != await client.hget("accounts", given.email):
        raise HTTPException(403, "no")
    token = secrets.token_urlsafe(24)
    await client.set(f"session:{token}", given.email, ex=timedelta(hours=1))
    response.set_cookie("session", token, httponly=True)
    return {"hello": given.email}


@app.post("/register", status_code=201)
async def register(given: Login, client: Store) -> dict[str, str]:
    """Make an account; a welcome is sent by arq."""
    if not await client.hsetnx("accounts", given.email, given.password):
        raise HTTPException(409, "there already")
    job = await app.state.arq.enqueue_job("welcome", given.email)
    return {"job": job.job_id}


@app.put("/products/{sku}")
async def put_product(sku: str, product: Product, client: Store) -> dict[str, Any]:
    """Keep a product."""
    async with client.pipeline(transaction=True) as pipe:
        pipe.hset(f"product:{sku}", mapping={k: str(v) for k, v in product.model_dump().items()})
        pipe.zadd("products", {sku: float(product.price)})
        added = await pipe.execute()
    return {"added": added}


@app.get("/products")
async def products(client: Store, cheapest: int = 0, most: int = 1000) -> list[dict[str, str]]:
    """List by price."""
    found = await client.zrangebyscore("products", cheapest, most)
    return await asyncio.gather(*(client.hgetall(f"product:{sku}") for sku in found))


@app.post("/products/upload")
async def upload(file: UploadFile, client: Store) -> dict[str, int]:
    """Take products as CSV."""
    count = 0
    for line in (await file.read()).decode().splitlines()[1:]:
        sku, name, cost = line.split(",")
        await client.hset(f"product:{sku}", mapping={"sku": sku, "name": name, "price": cost})
        await client.zadd("products", {sku: float(cost)})
        count += 1
    return {"count": count}


@app.get("/products/{sku}")
async def product(sku: str, client: Store) -> dict[str, str]:
    """Tell of one."""
    found = await client.hgetall(f"product:{sku}")
    if not found:
        raise HTTPException(404, "no such product")
    return found


@app.post("/orders", status_code=202)
async def order(given: Order, who: Who, client: Store) -> dict[str, str]:
    """Take an order; it is priced in a worker."""
    order_id = str(uuid.uuid4())
    lines = json.dumps([line.model_dump() for line in given.lines])
    await client.hset(
        f"order:{order_id}",
        mapping={"lines": lines, "who": who, "email": given.email, "state": "new"},
    )
    await client.lpush(f"orders:{who}", order_id)
    task = await price.kiq(order_id)
    return {"order": order_id, "task": task.task_id}


@app.post("/orders/now")
async def order_now(given: Order, who: Who, client: Store) -> dict[str, Any]:
    """Take an order and wait for its price."""
    order_id = str(uuid.uuid4())
    lines = json.dumps([line.model_dump() for line in given.lines])
    await client.hset(f"order:{order_id}", mapping={"lines": lines, "who": who, "state": "new"})
    await client.lpush(f"orders:{who}", order_id)
    task = await price.kiq(order_id)
    result = await task.wait_result(check_interval=0.05, timeout=10)
    return {"order": order_id, "took": result.execution_time, **result.return_value}


@app.get("/orders/{order_id}/task/{task_id}")
async def task_result(order_id: str, task_id: str) -> dict[str, Any]:
    """Tell what became of a task."""
    backend = broker.result_backend
    if not await backend.is_result_ready(task_id):
        return {"ready": False}
    result = await backend.get_result(task_id)
    return {"ready": True, "error": result.is_err, "value": result.return_value}


@app.get("/orders/{order_id}/events")
async def events(order_id: str, who: Who, client: Store) -> StreamingResponse:
    """Tell of an order as it goes, by server-sent events."""

    async def stream() -> AsyncIterator[str]:
        async with client.pubsub() as listener:
            await listener.subscribe(f"order:{order_id}")
            await price.kiq(order_id)
            async for message in listener.listen():
                yield f"event: {message['type']}\ndata: {message['data']}\n\n"
                if message["type"] == "message":
                    return

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.get("/orders")
async def orders(who: Who, client: Store) -> list[dict[str, str]]:
    """List one's orders."""
    found = await client.lrange(f"orders:{who}", 0, -1)
    return [{"id": one, **await client.hgetall(f"order:{one}")} for one in found]


@app.post("/orders/{order_id}/refund")
async def give_back(order_id: str, who: Who) -> dict[str, Any]:
    """Ask for a refund, which fails."""
    task = await refund.kicker().with_labels(who=who).kiq(order_id)
    result = await task.wait_result(timeout=10)
    try:
        result.raise_for_error()
    except ValueError as error:
        raise HTTPException(409, str(error)) from error
    return {}


@app.post("/reports")
async def report(who: Who) -> dict[str, Any]:
    """Ask arq for a report, and wait for it."""
    named = f"report:{uuid.uuid4().hex}"
    later = timedelta(seconds=0.2)
    job = await app.state.arq.enqueue_job("report", who, _job_id=named, _defer_by=later)
    try:
        said = await job.result(timeout=10, poll_delay=0.05)
    except ResultNotFound:  # it came between the two questions that arq asks
        said = await job.result(timeout=10, poll_delay=0.05)
    return {"job": job.job_id, "said": said}


@app.post("/reports/later")
async def report_later(who: Who) -> dict[str, Any]:
    """Ask arq for a report at another time."""
    job = await app.state.arq.enqueue_job("report", who, _defer_by=timedelta(hours=1))
    return {
        "job": job.job_id,
        "status": await job.status(),
        "info": str((await job.info()).function),
    }


@app.get("/jobs/{job_id}")
async def job_status(job_id: str) -> dict[str, Any]:
    """Tell of a job of arq's."""
    job = Job(job_id, app.state.arq)
    info = await job.info()
    status = (await job.status()).value
    if info is None:
        return {"status": status}
    return {"status": status, "function": info.function, "try": info.job_try}


@app.get("/jobs")
async def jobs() -> dict[str, int]:
    """Count the jobs of arq's."""
    queued = await app.state.arq.queued_jobs()
    return {"queued": len(queued), "done": len(await app.state.arq.all_job_results())}


async def welcome(ctx: dict[str, Any], email: str) -> str:
    """Welcome a customer (arq)."""
    await ctx["redis"].hset("welcomed", email, datetime.now(UTC).isoformat())
    return f"welcome {email}"


async def make_report(ctx: dict[str, Any], who: str) -> dict[str, Any]:
    """Count a customer's orders (arq)."""
    return {"orders": await ctx["redis"].llen(f"orders:{who}"), "try": ctx["job_try"]}


class WorkerSettings:
    """For `arq app.WorkerSettings`."""

    from arq.worker import func as _func

    functions = (welcome, _func(make_report, name="report"))
    redis_settings = RedisSettings.from_dsn(REDIS)
    poll_delay = 0.1


scheduler_source = LabelScheduleSource(broker)
