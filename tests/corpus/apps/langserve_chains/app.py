"""Chains that LangServe serves: a model that is none, a tool, memory in files, and a retriever."""

import os
import random
import time
from datetime import datetime
from pathlib import Path

import httpx
from fastapi import FastAPI
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import GenericFakeChatModel, ParrotFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import (
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
    chain,
)
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.vectorstores import InMemoryVectorStore
from langserve import add_routes

STATE = Path(os.environ["CORPUS_STATE"])
app = FastAPI(title="Chains")


def _answers():
    while True:
        yield AIMessage(
            f"It is {datetime.now():%H:%M:%S.%f}, and {random.choice('abcdef')} is next"
        )


model = GenericFakeChatModel(messages=_answers())
prompt = ChatPromptTemplate.from_messages([("system", "You know {topic}"), ("human", "{question}")])
add_routes(app, prompt | model | StrOutputParser(), path="/ask", enable_feedback_endpoint=False)

store = InMemoryVectorStore(DeterministicFakeEmbedding(size=16))
store.add_texts(["apples are red", "pears are green", "plums are blue", "quinces are hard"])


@chain
def note(text: str) -> str:
    """Keep a line in a file."""
    with (STATE / "notes.txt").open("a") as notes:
        notes.write(f"{time.time()} {text}\n")
    return f"noted, {len((STATE / 'notes.txt').read_text().splitlines())} lines"


@chain
async def look_up(word: str) -> str:
    """Ask another service."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{os.environ['ORIGIN']}/{word}")
    return answer.json()["found"]


add_routes(app, note, path="/note")
add_routes(app, look_up, path="/look_up")
both = RunnableParallel(noted=note, found=look_up, given=RunnablePassthrough())
add_routes(app, both.with_types(input_type=str), path="/both")
retriever = store.as_retriever(search_kwargs={"k": 2})
documents = retriever | RunnableLambda(lambda found: [one.page_content for one in found])
add_routes(app, documents.with_types(input_type=str), path="/documents")


@chain
def fail(text: str) -> str:
    """Never work."""
    raise ValueError(f"no {text} here")


add_routes(app, fail, path="/fail")
histories: dict[str, InMemoryChatMessageHistory] = {}


def history_of(session_id: str) -> InMemoryChatMessageHistory:
    return histories.setdefault(session_id, InMemoryChatMessageHistory())


talk = ChatPromptTemplate.from_messages([MessagesPlaceholder("past"), ("human", "{words}")])
talking = RunnableWithMessageHistory(
    talk | ParrotFakeChatModel(),
    history_of,
    input_messages_key="words",
    history_messages_key="past",
)
add_routes(app, talking, path="/talk")
