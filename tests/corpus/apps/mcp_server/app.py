"""A server of tools for language models, as the manual of the MCP package writes one."""

import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import anyio
import anyio.to_thread
import httpx
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

STATE = Path(os.environ["CORPUS_STATE"])
ORIGIN = os.environ["CORPUS_ORIGIN"]


@dataclass
class Shared:
    """What all calls share."""

    client: httpx.AsyncClient
    database: sqlite3.Connection


@asynccontextmanager
async def lifespan(_: MCPServer) -> AsyncIterator[Shared]:
    database = sqlite3.connect(STATE / "notes.db", check_same_thread=False)
    database.execute("CREATE TABLE IF NOT EXISTS note (id TEXT, title TEXT, body TEXT, made TEXT)")
    async with httpx.AsyncClient(base_url=ORIGIN) as client:
        yield Shared(client, database)
    database.close()


mcp = MCPServer("notes", instructions="Keeps notes and tells the weather.", lifespan=lifespan)


class Note(BaseModel):
    """One note."""

    id: str
    title: str = Field(min_length=1, max_length=80)
    body: str
    made: datetime


@mcp.tool()
def add_note(title: str, body: str, ctx: Context[Shared]) -> Note:
    """Keep a note."""
    note = Note(id=str(uuid4()), title=title, body=body, made=datetime.now(UTC))
    database = ctx.request_context.lifespan_context.database
    with database:
        values = (note.id, title, body, note.made.isoformat())
        database.execute("INSERT INTO note VALUES (?, ?, ?, ?)", values)
    return note


@mcp.tool()
def find_notes(words: str, ctx: Context[Shared]) -> list[Note]:
    """Find notes by what stands in them."""
    rows = ctx.request_context.lifespan_context.database.execute(
        "SELECT id, title, body, made FROM note WHERE title || body LIKE ? ORDER BY made",
        (f"%{words}%",),
    )
    return [Note(id=one, title=title, body=body, made=made) for one, title, body, made in rows]


@mcp.tool()
async def weather(city: str, ctx: Context[Shared]) -> str:
    """Tell the weather."""
    client = ctx.request_context.lifespan_context.client
    answer = await client.get("/weather", params={"city": city})
    answer.raise_for_status()
    return f"{city}: {answer.json()['degrees']} degrees at {datetime.now(UTC):%H:%M:%S}"


@mcp.tool()
async def compare(cities: list[str], ctx: Context[Shared]) -> dict[str, int]:
    """Compare the weather of cities, which are asked at once, saying how far it got."""
    client = ctx.request_context.lifespan_context.client
    found: dict[str, int] = {}

    async def ask(city: str) -> None:
        answer = await client.get("/weather", params={"city": city})
        found[city] = answer.json()["degrees"]
        await ctx.report_progress(len(found), len(cities), f"{city} is done")

    async with anyio.create_task_group() as group:
        for city in cities:
            group.start_soon(ask, city)
    return found


@mcp.tool()
async def export(ctx: Context[Shared]) -> str:
    """Write all notes to a file, and say its size."""

    def write() -> int:
        rows = ctx.request_context.lifespan_context.database.execute("SELECT * FROM note")
        with tempfile.NamedTemporaryFile("w", dir=STATE, suffix=".txt", delete=False) as file:
            file.writelines(f"{row}\n" for row in rows)
        return Path(file.name).stat().st_size

    await ctx.info("exporting")
    size = await anyio.to_thread.run_sync(write)
    return f"{size} bytes"


@mcp.resource("notes://all")
def all_notes() -> str:
    """All titles."""
    with sqlite3.connect(STATE / "notes.db") as database:
        return "\n".join(title for (title,) in database.execute("SELECT title FROM note"))


@mcp.resource("notes://{number}/body")
def one_note(number: str) -> str:
    """The body of one note."""
    with sqlite3.connect(STATE / "notes.db") as database:
        row = database.execute("SELECT body FROM note WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise ValueError(f"no note {number}")
    return str(row[0])


@mcp.prompt()
def summarise(title: str) -> str:
    """Ask for a summary."""
    return f"Summarise the note {title} as of {datetime.now(UTC):%Y-%m-%d}."


@mcp.custom_route("/health", methods=["GET"])
async def health(_: Request) -> Response:
    return JSONResponse({"up": True, "at": datetime.now(UTC).isoformat()})


app = mcp.streamable_http_app()
