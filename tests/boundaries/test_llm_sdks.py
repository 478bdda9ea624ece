"""The SDKs of OpenAI and Anthropic, as they are: answers and streams come back, part by part."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

import anthropic
import openai

from tests.fresh import record_in_a_process, replay_in_a_process
from tests.llm_origin import llm_origin
from tests.recorded import assert_identical, identical_body, record_asgi, record_wsgi

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from retrace_core import Recording

KEY: Any = {"api_key": "secret-1"}
ASKED: Any = [{"role": "user", "content": "a story, please"}]


def chunks(recording: Recording) -> int:
    """Return how many parts of bodies were recorded."""
    kinds = [event.kind for lane in recording.lanes for event in lane.events]
    return sum(kind.endswith(".chunk") for kind in kinds)


def test_openai_comes_back(recordings: Path) -> None:
    """A completion, one after a retry, and a stream."""
    with llm_origin() as base:
        client = openai.OpenAI(base_url=f"{base}/v1", api_key="secret-1")

        def view() -> dict[str, Any]:
            create = client.chat.completions.create
            parts = create(model="stub", messages=ASKED, stream=True)
            return {
                "whole": create(model="stub", messages=ASKED).model_dump(),
                "retried": create(model="busy", messages=ASKED).choices[0].message.content,
                "streamed": [part.choices[0].delta.content for part in parts],
            }

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    assert chunks(recording) >= 6
    assert "secret-1" not in str([lane.events for lane in recording.lanes])
    assert_identical(recording, app)


def test_openai_comes_back_asynchronously(recordings: Path) -> None:
    """A completion and a stream, by a client that lives for the request only."""
    with llm_origin() as base:

        async def handler() -> dict[str, Any]:
            async with openai.AsyncOpenAI(base_url=f"{base}/v1", api_key="secret-1") as client:
                create = client.chat.completions.create
                whole = await create(model="stub", messages=ASKED)
                parts = await create(model="stub", messages=ASKED, stream=True)
                streamed = [part.choices[0].delta.content async for part in parts]
                return {"whole": whole.choices[0].message.content, "streamed": streamed}

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    assert chunks(recording) >= 6
    assert_identical(recording, app)


def test_anthropic_comes_back(recordings: Path) -> None:
    """A message, one after a retry, and a stream."""
    with llm_origin() as base:
        client = anthropic.Anthropic(base_url=base, api_key="secret-1")

        def view() -> dict[str, Any]:
            asked: Any = {"max_tokens": 50, "messages": ASKED}
            with client.messages.stream(model="stub", **asked) as stream:
                streamed = list(stream.text_stream)
            return {
                "whole": client.messages.create(model="stub", **asked).model_dump(),
                "retried": client.messages.create(model="busy", **asked).to_dict(),
                "streamed": streamed,
            }

        app, recording = record_wsgi(recordings, view)
    assert recording.response is not None and recording.response.status == 200
    assert chunks(recording) >= 6
    assert_identical(recording, app)


def test_anthropic_comes_back_asynchronously(recordings: Path) -> None:
    """The same, asynchronously."""
    with llm_origin() as base:

        async def handler() -> dict[str, Any]:
            asked: Any = {"model": "stub", "max_tokens": 50, "messages": ASKED}
            async with anthropic.AsyncAnthropic(base_url=base, api_key="secret-1") as client:
                whole = await client.messages.create(**asked)
                async with client.messages.stream(**asked) as stream:
                    streamed = [text async for text in stream.text_stream]
            return {"whole": whole.to_dict(), "streamed": streamed}

        app, recording = record_asgi(recordings, handler)
    assert recording.response is not None and recording.response.status == 200
    assert chunks(recording) >= 6
    assert_identical(recording, app)


def test_a_client_that_lived_before_comes_back_as_a_new_one(recordings: Path) -> None:
    """Which platform it runs on, a new one asks on a thread, before the request has its own."""
    with llm_origin() as base:
        lived: list[Any] = [
            openai.AsyncOpenAI(base_url=f"{base}/v1", **KEY),
            anthropic.AsyncAnthropic(base_url=base, **KEY),
        ]
        for client in lived:
            client._platform = "Linux"  # as the first request of its life leaves it

        async def handler() -> list[Any]:
            by_openai = lived.pop(0) if lived else openai.AsyncOpenAI(base_url=f"{base}/v1", **KEY)
            async with by_openai as client:
                whole = await client.chat.completions.create(model="stub", messages=ASKED)
                drawn = await asyncio.to_thread(secrets.token_hex, 4)
            by_anthropic = lived.pop(0) if lived else anthropic.AsyncAnthropic(base_url=base, **KEY)
            async with by_anthropic as client:
                asked: Any = {"model": "stub", "max_tokens": 50, "messages": ASKED}
                message = await client.messages.create(**asked)
                more = await asyncio.to_thread(secrets.token_hex, 4)
            return [whole.choices[0].message.content, drawn, message.to_dict(), more]

        app, recording = record_asgi(recordings, handler)
    identical_body(recording, app)


APP = """
import os

import anthropic
import openai
from fastapi import FastAPI
from retrace_mw import RetraceMiddleware

app = FastAPI()
base = os.environ["LLM_BASE"]
asked = [{"role": "user", "content": "a story, please"}]


@app.get("/")
async def root():
    async with openai.AsyncOpenAI(base_url=base + "/v1", api_key="x") as client:
        parts = await client.chat.completions.create(model="stub", messages=asked, stream=True)
        first = [part.choices[0].delta.content async for part in parts]
    async with anthropic.AsyncAnthropic(base_url=base, api_key="x") as client:
        async with client.messages.stream(model="stub", max_tokens=9, messages=asked) as stream:
            return [first, [text async for text in stream.text_stream]]


app.add_middleware(RetraceMiddleware)
"""


def test_streams_come_back_in_a_fresh_process(
    recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the service gone."""
    with llm_origin() as base:
        monkeypatch.setenv("LLM_BASE", base)
        assert record_in_a_process(recordings, APP).startswith("200")
    replay_in_a_process(recordings)
