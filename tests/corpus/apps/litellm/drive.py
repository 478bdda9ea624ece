"""LiteLLM's proxy: one API before many models (FastAPI, httpx and the SDKs, cache in Redis)."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.visitor import Visitor

WORDS = ("Lemons ", "are ", "yellow", ".")


class Models(BaseHTTPRequestHandler):
    """Answers as OpenAI and Anthropic do: whole, or word by word."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer as the path and the body say."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] == "failing":
            self._send(429, {"error": {"message": "too many", "type": "rate", "code": "429"}})
        elif self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25, 0.125]}]
            usage = {"prompt_tokens": 2, "total_tokens": 2}
            self._send(200, {"object": "list", "data": data, "model": "words", "usage": usage})
        elif self.path.endswith("/v1/messages"):
            self._anthropic(asked)
        else:
            self._openai(asked)

    def _openai(self, asked: dict[str, Any]) -> None:
        head = {"id": "chatcmpl-1", "created": 1767225600, "model": asked["model"]}
        if asked.get("stream"):
            deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
            deltas += [{"content": word} for word in WORDS]
            chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
            chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
            name = "chat.completion.chunk"
            self._stream(
                [{**head, "object": name, "choices": [chunk]} for chunk in chunks], end="[DONE]"
            )
            return
        message: dict[str, Any] = {"role": "assistant", "content": "".join(WORDS)}
        if asked.get("tools"):
            call = {"name": "weather", "arguments": '{"city": "Oslo"}'}
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
            }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
        answer = {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        self._send(200, answer)

    def _anthropic(self, asked: dict[str, Any]) -> None:
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"]}
        usage = {"input_tokens": 9, "output_tokens": 4}
        if not asked.get("stream"):
            content = [{"type": "text", "text": "".join(WORDS)}]
            end = {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
            self._send(200, {**head, "content": content, **end})
            return
        block = {"type": "text", "text": ""}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**head, "content": [], "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": block},
        ]
        events += [
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}}
            for w in WORDS
        ]
        events += [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
            {"type": "message_stop"},
        ]
        self._stream(events)

    def _send(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, events: list[dict[str, Any]], end: str = "") -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in [*events, *([end] if end else [])]:
            name = (
                f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
            )
            text = event if isinstance(event, str) else json.dumps(event)
            data = f"{name}data: {text}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def drive(visitor: Visitor) -> None:
    """Chat with two providers, whole and streamed; embeddings, tools, a cache, refusals."""
    key = {"Authorization": "Bearer sk-corpus"}
    chat = "/v1/chat/completions"

    def ask(model: str, text: str, *expect: int, path: str = chat, **more: Any) -> None:
        messages = [{"role": "user", "content": text}]
        body = {"model": model, "messages": messages, **more}
        visitor.post(path, *expect, json=body, headers=key)

    visitor.get("/health/liveliness")
    visitor.get("/health/readiness")
    visitor.get("/v1/models", 500)  # no key: it asks for the driver of a database it has not
    visitor.get("/v1/models", headers=key)
    visitor.get("/v1/model/info", headers=key)
    ask("small", "What colour are lemons?")
    ask("small", "What colour are lemons?")  # from the cache
    ask("small", "And limes?", temperature=0.5, max_tokens=20)
    ask("small", "Tell me.", stream=True)
    ask("small", "Tell me more.", stream=True, stream_options={"include_usage": True})
    ask("thinker", "What colour are lemons?")
    ask("thinker", "And limes?", stream=True)
    ask("small", "Not from the cache.", cache={"no-cache": True})
    ask("failing", "Hello", 429)
    ask("absent", "Hello", 400)
    weather = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": weather}}
    ask("small", "What is the weather in Oslo?", tools=[tool])
    ask("small", "In the path", path="/openai/deployments/small/chat/completions")
    visitor.post("/v1/embeddings", json={"model": "words", "input": "lemon"}, headers=key)
    visitor.post("/v1/embeddings", json={"model": "words", "input": "lemon"}, headers=key)
    visitor.post(chat, 400, json={"model": "small"}, headers={"Authorization": "Bearer sk-no"})
    visitor.post(chat, 400, content="{nonsense", headers=key)
    ask("thinker", "As Anthropic has it", path="/v1/messages", max_tokens=50)
    ask("thinker", "And streamed", path="/v1/messages", max_tokens=50, stream=True)
    ask("small", "As Anthropic has it, by the other", path="/v1/messages", max_tokens=50)
    tokens = {"model": "small", "messages": [{"role": "user", "content": "How many?"}]}
    visitor.post("/utils/token_counter", json=tokens, headers=key)
    visitor.get("/utils/supported_openai_params?model=small", headers=key)
    visitor.get("/cache/ping", headers=key)
    visitor.get("/nowhere", 404)


APP = Application(
    name="litellm",
    framework="FastAPI",
    uses=("HTTP", "Redis", "tasks"),
    packages=("litellm[proxy]==1.108.7", "uvicorn==0.54.0"),
    server=("uvicorn", "--port", "{port}", "litellm.proxy.proxy_server:app"),
    environment={
        "CONFIG_FILE_PATH": "{here}/config.yaml",
        "CORPUS_ORIGIN": "{origin}",
        "CORPUS_ORIGIN_V1": "{origin}/v1",
        "CORPUS_REDIS": "{redis}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    },
    needs=frozenset({"redis"}),
    origin=Models,
    drive=drive,
)
