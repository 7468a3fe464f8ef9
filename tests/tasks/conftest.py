"""What tests of tasks share: a real HTTP server of this machine, and flows from text on a real engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine, Execution
from tests.s3 import S3Server, running_s3

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Site:
    """A server: what it answers by path, and what it was asked."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, path: str, body: object = b"", code: int = 200, **headers: str) -> str:
        """Answer this at a path; the URL. A body that is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        self.answers[path] = (
            code,
            {**kind, **{name.replace("_", "-"): value for name, value in headers.items()}},
            content,
        )
        return self.url + path


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            site.asked.append((self.command, self.path, dict(self.headers.items()), self.rfile.read(length)))
            code, headers, body = site.answers.get(self.path.partition("?")[0], (404, {}, b"no such page"))
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            if not any(name.lower() in ("content-length", "transfer-encoding") for name in headers):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET  # noqa: N815  # the names http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def any_s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture
def s3(any_s3: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3Server:
    """The server with one empty bucket `box`; nothing of this machine tells who the user is."""
    any_s3.reset()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    any_s3.client.create_bucket(Bucket="box")
    return any_s3


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


RunTasks = Callable[..., Execution]


@pytest.fixture
def run_tasks(engine: Engine) -> RunTasks:
    """Run a flow made of these tasks (YAML) to its end."""

    def run(tasks: str, *, more: str = "", wait: bool = True, **inputs: object) -> Execution:
        engine.deploy("id: flow\nnamespace: tests\n" + dedent(more) + "\ntasks:\n" + indent(dedent(tasks), "  "))
        return engine.run("tests", "flow", inputs, wait=wait, timeout=60)

    return run


def messages(execution: Execution) -> list[str]:
    return [entry.message for entry in execution.logs()]
