"""A chat: Chainlit with passwords, threads kept by SQLAlchemy, files, actions and a model."""

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

import chainlit as cl
import httpx
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer

STATE = Path(os.environ["CORPUS_STATE"])
TABLES = """
CREATE TABLE users ("id" TEXT PRIMARY KEY, "identifier" TEXT NOT NULL UNIQUE, "metadata" TEXT,
  "createdAt" TEXT);
CREATE TABLE threads ("id" TEXT PRIMARY KEY, "createdAt" TEXT, "name" TEXT, "userId" TEXT,
  "userIdentifier" TEXT, "tags" TEXT, "metadata" TEXT);
CREATE TABLE steps ("id" TEXT PRIMARY KEY, "name" TEXT, "type" TEXT, "threadId" TEXT,
  "parentId" TEXT, "streaming" INTEGER, "waitForAnswer" INTEGER, "isError" INTEGER,
  "metadata" TEXT, "tags" TEXT, "input" TEXT, "output" TEXT, "createdAt" TEXT, "command" TEXT,
  "start" TEXT, "end" TEXT, "generation" TEXT, "showInput" TEXT, "language" TEXT,
  "indent" INTEGER, "defaultOpen" INTEGER, "autoCollapse" INTEGER, "modes" TEXT, "icon" TEXT);
CREATE TABLE elements ("id" TEXT PRIMARY KEY, "threadId" TEXT, "type" TEXT, "url" TEXT,
  "chainlitKey" TEXT, "name" TEXT, "display" TEXT, "objectKey" TEXT, "size" TEXT, "page" INTEGER,
  "language" TEXT, "forId" TEXT, "mime" TEXT, "props" TEXT, "autoPlay" TEXT,
  "playerConfig" TEXT);
CREATE TABLE feedbacks ("id" TEXT PRIMARY KEY, "forId" TEXT, "threadId" TEXT, "value" INTEGER,
  "comment" TEXT);
"""


@cl.data_layer
def data_layer():
    return SQLAlchemyDataLayer(f"sqlite+aiosqlite:///{STATE}/chat.db")


@cl.password_auth_callback
async def log_in(name, password):
    if (name, password) == ("ann", "Lemon-Tree-17"):
        return cl.User(identifier="ann", metadata={"role": "gardener"})
    return None


@cl.set_starters
async def starters(user=None, language=None):
    return [cl.Starter(label="Apples", message="Tell me of apples")]


@cl.on_chat_start
async def start():
    cl.user_session.set("asked", 0)
    await cl.Message("Welcome to the orchard").send()


@cl.on_chat_resume
async def resume(thread):
    cl.user_session.set("asked", len(thread["steps"]))


@cl.step(type="tool")
async def look_up(words):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{os.environ['ORIGIN']}/words", params={"q": words})
    return answer.json()["found"]


@cl.action_callback("again")
async def again(action):
    await cl.Message(f"again: {action.payload['words']}").send()


@cl.on_message
async def message(asked: cl.Message):
    count = cl.user_session.get("asked") + 1
    cl.user_session.set("asked", count)
    if asked.content == "break":
        raise ValueError("that was too much")
    sizes = [os.path.getsize(one.path) for one in asked.elements or ()]  # noqa: ASYNC240
    found = await look_up(asked.content)
    answer = cl.Message("")
    for word in found:
        await answer.stream_token(word + " ")
        await asyncio.sleep(0.005)
    answer.content += f"({count}, {sizes})"
    answer.actions = [cl.Action(name="again", payload={"words": asked.content}, label="Again")]
    await answer.send()


if __name__ == "__main__":
    with sqlite3.connect(sys.argv[1]) as made:
        made.executescript(TABLES)
