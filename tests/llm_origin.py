"""A stub of the services that the OpenAI and Anthropic SDKs talk to, on loopback.

It speaks as much of their protocols as the tests ask for: a whole answer, or server-sent
events one after another, with random content; a path with "busy" in the model fails once.
"""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = "the cat sat on a mat and thought about it for a while".split()


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    refused: set[str]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["model"] == "busy" and self.path not in self.refused:
            self.refused.add(self.path)
            self._send(429, b'{"error": {"message": "busy", "type": "rate_limit_error"}}')
            return
        words = random.sample(WORDS, 5)
        chat = self.path.endswith("/chat/completions")
        if not asked.get("stream"):
            self._send(200, json.dumps((_completion if chat else _message)(words)).encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in (_chat_events if chat else _message_events)(words):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After-Ms", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def _completion(words: list[str]) -> dict[str, Any]:
    message = {"role": "assistant", "content": " ".join(words)}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return {**_chat("chat.completion"), "choices": [choice], "usage": usage}


def _chat(kind: str) -> dict[str, Any]:
    return {"id": f"c-{random.random()}", "object": kind, "created": 1, "model": "stub"}


def _chat_events(words: list[str]) -> Iterator[bytes]:
    for word in words:
        choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
        part = {**_chat("chat.completion.chunk"), "choices": [choice]}
        yield f"data: {json.dumps(part)}\n\n".encode()
    yield b"data: [DONE]\n\n"


def _message(words: list[str]) -> dict[str, Any]:
    return {
        "id": f"m-{random.random()}",
        "type": "message",
        "role": "assistant",
        "model": "stub",
        "content": [{"type": "text", "text": " ".join(words)}] if words else [],
        "stop_reason": "end_turn" if words else None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


def _message_events(words: list[str]) -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()

    yield event("message_start", message=_message([]))
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for word in words:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield event("content_block_stop", index=0)
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=end, usage={"output_tokens": 5})
    yield event("message_stop")


@contextmanager
def llm_origin() -> Iterator[str]:
    """Yield the address of a service; it is stopped at the end."""
    handler = type("Service", (_Service,), {"refused": set()})
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
