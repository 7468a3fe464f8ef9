"""A registry of images for tests: the part of the distribution API that pushing and pulling need, with a password.

Source: the OCI Distribution Specification 1.1, sections "Pull" and "Push".
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Registry:
    """What was pushed, and how often somebody was turned away."""

    address: str
    login: str
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    turned_away: int = 0

    @property
    def user(self) -> str:
        return self.login.partition(":")[0]

    @property
    def password(self) -> str:
        return self.login.partition(":")[2]


@contextmanager
def serve(login: str = "ada:lovelace") -> Iterator[Registry]:
    """A registry on loopback, which wants this login (`user:password`)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            registry.asked.append(f"{self.command} {self.path}")
            wanted = "Basic " + base64.b64encode(registry.login.encode()).decode()
            if self.headers.get("Authorization") != wanted:
                registry.turned_away += 1
                self._answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', WWW_Authenticate='Basic realm="tests"')
                return
            path = urlsplit(self.path).path
            kind, _, name = path.rpartition("/")
            if kind.endswith("/blobs") and name in registry.blobs:
                self._answer(200, registry.blobs[name], Docker_Content_Digest=name)
            elif kind.endswith("/manifests") and (kind + "/" + name) in registry.manifests:
                media, body = registry.manifests[kind + "/" + name]
                self._answer(200, body, Content_Type=media, Docker_Content_Digest=_digest(body))
            else:
                self._answer(200 if path == "/v2/" else 404, b"{}")

        do_HEAD = do_GET  # noqa: N815  # the name http.server calls

        def do_POST(self) -> None:
            registry.asked.append(f"{self.command} {self.path}")
            upload = str(len(registry.uploads))
            registry.uploads[upload] = b""
            self._answer(202, b"", Location=f"{urlsplit(self.path).path.rstrip('/')}/{upload}", Range="0-0")

        def do_PATCH(self) -> None:
            upload = urlsplit(self.path).path.rpartition("/")[2]
            registry.uploads[upload] += self._body()
            end = max(len(registry.uploads[upload]) - 1, 0)
            self._answer(202, b"", Location=urlsplit(self.path).path, Range=f"0-{end}")

        def do_PUT(self) -> None:
            registry.asked.append(f"{self.command} {self.path}")
            parts = urlsplit(self.path)
            body = self._body()
            if "/uploads/" in parts.path:
                digest = parse_qs(parts.query)["digest"][0]
                registry.blobs[digest] = registry.uploads.pop(parts.path.rpartition("/")[2]) + body
            else:
                digest = _digest(body)
                stored = (self.headers.get("Content-Type", ""), body)
                registry.manifests[parts.path] = registry.manifests[parts.path.rpartition("/")[0] + f"/{digest}"] = (
                    stored
                )
            self._answer(201, b"", Location=parts.path, Docker_Content_Digest=digest)

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while length := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(length))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _answer(self, code: int, body: bytes, **headers: str) -> None:
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry = Registry(f"127.0.0.1:{server.server_port}", login)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
