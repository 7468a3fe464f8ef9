"""A Git repository of this machine, and a server that wants a login for it."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_WHO = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def git(*arguments: str, at: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=at, env={**os.environ, **_WHO}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Remote:
    """A bare repository, and a clone that tests commit with."""

    path: Path
    work: Path

    def commit(self, files: dict[str, str], *, branch: str = "main", message: str = "change", tag: str = "") -> str:
        """Commit files to a branch; the id of the commit."""
        if git("branch", "--list", branch, at=self.work) or not git("branch", "--list", at=self.work):
            git("checkout", "-q", *(["-B"] if not git("branch", "--list", at=self.work) else []), branch, at=self.work)
        else:
            git("checkout", "-q", "-b", branch, at=self.work)
        for name, content in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        git("add", "--all", at=self.work)
        git("commit", "-q", "-m", message, at=self.work)
        if tag:
            git("tag", "-a", "-m", tag, tag, at=self.work)
        git("push", "-q", "--tags", "origin", branch, at=self.work)
        return git("rev-parse", "HEAD", at=self.work)

    def files(self, branch: str = "main") -> dict[str, str]:
        """The files of a branch, as they were pushed."""
        names = git("ls-tree", "-r", "--name-only", branch, at=self.path).splitlines()
        return {name: git("show", f"{branch}:{name}", at=self.path) for name in names}

    def log(self, branch: str = "main") -> list[str]:
        return git("log", "--format=%an <%ae> %s", branch, at=self.path).splitlines()


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    path, work = tmp_path / "remote.git", tmp_path / "work"
    git("init", "-q", "--bare", "-b", "main", str(path), at=tmp_path)
    git("clone", "-q", str(path), str(work), at=tmp_path)
    return Remote(path, work)


@dataclass
class GitSite:
    """An HTTP server in front of a repository that wants a login."""

    url: str = ""
    password: str = "p@ss word's"
    logins: list[str] = field(default_factory=list)


@pytest.fixture
def git_site(remote: Remote) -> Iterator[GitSite]:
    site = GitSite()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            login = base64.b64decode(given).decode()
            if login != f"ada:{site.password}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=git")
                self.end_headers()
                return
            site.logins.append(login)
            path, _, query = self.path.partition("?")
            environment = {
                **os.environ,
                "GIT_PROJECT_ROOT": str(remote.path.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "ada",
            }
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = [line.split(": ", 1) for line in head.decode().splitlines()]
            status = next((value for name, value in headers if name == "Status"), "200 OK")
            self.send_response(int(status.split()[0]))
            for name, value in headers:
                if name != "Status":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # the name http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/remote.git"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
