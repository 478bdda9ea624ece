"""A service that sums texts up: BentoML, with a second service, files, streams and tasks."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import AsyncGenerator  # noqa: TC003
from pathlib import Path
from typing import Annotated

import bentoml
import httpx
from pydantic import BaseModel, Field

STATE = Path(os.environ["CORPUS_STATE"])


class Text(BaseModel):
    """What is given."""

    title: str = Field(min_length=1)
    words: list[str] = []


class Summary(BaseModel):
    """What comes out."""

    title: str
    short: str
    score: float
    took: float


@bentoml.service(workers=1, traffic={"timeout": 20}, metrics={"enabled": True})
class Summaries:
    """Sums texts up."""

    def __init__(self) -> None:
        self.weights = [random.random() for _ in range(8)]
        self.database = sqlite3.connect(STATE / "summaries.db", check_same_thread=False)
        self.database.execute("CREATE TABLE IF NOT EXISTS said(title TEXT, short TEXT, at REAL)")
        self.counts: dict[str, int] = {}

    @bentoml.api
    def summarise(self, text: Text) -> Summary:
        begun = time.perf_counter()
        score = sum(len(word) * self.weights[len(word) % 8] for word in text.words)
        short = " ".join(text.words[:3])
        with self.database:
            self.database.execute(
                "INSERT INTO said VALUES (?, ?, ?)", (text.title, short, time.time())
            )
        took = time.perf_counter() - begun
        return Summary(title=text.title, short=short, score=score, took=took)

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=2000)
    def lengths(self, texts: list[str]) -> list[int]:
        return [len(one) for one in texts]

    @bentoml.api
    async def look_up(self, word: str) -> dict[str, object]:
        async with httpx.AsyncClient(base_url=os.environ["ORIGIN"]) as client:
            answers = await asyncio.gather(*(client.get(f"/{word}/{n}") for n in range(3)))
        return {"found": [one.json() for one in answers], "at": time.time()}

    @bentoml.api
    async def stream(self, count: int = 3) -> AsyncGenerator[str, None]:
        for number in range(count):
            yield f"{number} {random.random()}\n"
            await asyncio.sleep(0.01)

    @bentoml.api
    def measure(self, file: Path) -> dict[str, int]:
        return {"bytes": file.stat().st_size, "lines": file.read_text().count("\n")}

    @bentoml.api
    def chart(self, width: Annotated[int, Field(ge=1, le=99)], context: bentoml.Context) -> Path:
        path = Path(context.temp_dir) / "chart.txt"
        path.write_text("#" * width)
        return path

    @bentoml.api
    def history(self, limit: int = 5) -> list[list[object]]:
        found = self.database.execute("SELECT * FROM said ORDER BY at DESC LIMIT ?", (limit,))
        return [list(row) for row in found]

    @bentoml.api
    def count(self, name: str) -> int:
        self.counts[name] = self.counts.get(name, 0) + 1
        return self.counts[name]

    @bentoml.api
    def fail(self, why: str) -> str:
        raise ValueError(why)

    @bentoml.task
    def slowly(self, name: str) -> str:
        time.sleep(0.05)
        return f"done with {name} at {time.time()}"
