"""Language models of this machine: a server that answers in each provider's way, the same words every time."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zlib import crc32

import pytest

from nbflow.tasks.ai.providers import SERVICES

DIMENSIONS = 64


def vector_of(text: str) -> list[float]:
    """Texts that share words point the same way."""
    numbers = [0.0] * DIMENSIONS
    for word in set(re.findall(r"\w{4,}", text.lower())):
        numbers[crc32(word.encode()) % DIMENSIONS] += 1.0
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]


@dataclass
class Models:
    """The server: what it was asked, and what it answers instead of an echo."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    says: str | None = None
    refuses: tuple[int, Any] | None = None

    def answer(self, path: str, body: Any) -> tuple[int, Any]:
        if self.refuses is not None:
            return self.refuses
        bare = path.partition("?")[0]
        if bare.endswith(":batchEmbedContents"):
            texts = [part["content"]["parts"][0]["text"] for part in body["requests"]]
            return 200, {"embeddings": [{"values": vector_of(text)} for text in texts]}
        if bare.endswith("/api/embed"):
            vectors = [vector_of(text) for text in body["input"]]
            return 200, {"embeddings": vectors, "prompt_eval_count": len(vectors)}
        if bare.endswith("/embeddings"):
            data = [{"index": number, "embedding": vector_of(text)} for number, text in enumerate(body["input"])]
            usage = {"prompt_tokens": len(data), "total_tokens": len(data)}
            return 200, {"data": list(reversed(data)), "usage": usage}
        if bare.endswith(":generateContent"):
            said = self.says or body["contents"][-1]["parts"][0]["text"]
            parts = [{"text": "hm", "thought": True}, {"text": said}]
            usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 9}
            candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}
            return 200, {"candidates": [candidate], "usageMetadata": usage}
        said = self.says or body["messages"][-1]["content"]
        if bare.endswith("/api/chat"):
            counts = {"prompt_eval_count": 3, "eval_count": 4}
            return 200, {"message": {"content": said}, "done_reason": "length", **counts}
        if bare.endswith("/messages"):
            usage = {"input_tokens": 3, "output_tokens": 4}
            return 200, {"content": [{"type": "text", "text": said}], "stop_reason": "end_turn", "usage": usage}
        if bare.endswith("/chat/completions"):
            usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
            choice = {"message": {"content": said}, "finish_reason": "stop"}
            return 200, {"choices": [choice], "usage": usage}
        return 404, {"error": {"message": f"no such address: {path}"}}


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    models = Models()
    for service in SERVICES.values():
        monkeypatch.delenv(service.key or "NBFLOW_AI_MODEL", raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            models.asked.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
            code, answer = models.answer(self.path, body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    models.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield models
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
