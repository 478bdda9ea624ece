"""A program whose own processes do the work of requests: a manager stands between them.

It binds its socket first, and serves in a process of its own, in the end.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def work(orders: Any, results: Any, status: Any) -> None:
    """Do what comes, in a way that no other process would."""
    status["worker"] = "ready"
    while True:
        number, what = orders.get()
        results.put((number, f"{what} {random.random()} by {os.getpid()}"))


def made(orders: Any, results: Any, status: Any) -> FastAPI:
    """Return the application: a task of its start-up hands the results to requests."""
    waiting: dict[int, asyncio.Future[str]] = {}

    async def hand_out() -> None:
        while True:
            try:
                number, result = await asyncio.to_thread(results.get, timeout=0.2)
            except Exception:
                continue
            waiting.pop(number).set_result(result)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(hand_out())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def order(what: str = "tea") -> dict[str, str]:
        number = random.getrandbits(40)
        waiting[number] = asyncio.get_running_loop().create_future()
        future = waiting[number]
        orders.put((number, what))
        return {"made": await future, **status}

    return app


def main() -> None:
    """Start the manager, the worker, and the process that serves."""
    config = uvicorn.Config("unused", port=int(sys.argv[1]), lifespan="on")
    config.app = FastAPI()
    sockets = [config.bind_socket()]
    context = multiprocessing.get_context("fork")
    manager = context.Manager()
    shared = (manager.Queue(), manager.Queue(), manager.dict())
    worker = context.Process(target=work, args=shared, daemon=True)
    worker.start()
    while "worker" not in shared[2]:
        worker.join(0.01)
    server = uvicorn.Server(uvicorn.Config(made(*shared), lifespan="on"))
    serving = context.Process(target=server.run, args=(sockets,), name="serving")
    serving.start()
    signal.signal(signal.SIGTERM, lambda *_: serving.terminate())
    serving.join()
    worker.terminate()
    manager.shutdown()


if __name__ == "__main__":
    main()
