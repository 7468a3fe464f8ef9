"""A real `nbflow server` process for tests, over a home of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

SECONDS = 120.0
"""How long a test waits for a server that shares its machine with others."""


@dataclass(frozen=True)
class LiveServer:
    """A server that runs."""

    process: subprocess.Popen[str]
    url: str
    home: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to stop; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)


@contextmanager
def live_server(home: Path, *options: str, env: dict[str, str] | None = None) -> Iterator[LiveServer]:
    """`nbflow server` on a free port; it has said where it listens when this begins, and is gone when it ends."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NBFLOW_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "nbflow.cli.main", "server", "--home", str(home), "--port", "0", *options],
        env={**clean, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield LiveServer(process, _address(process), home)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(SECONDS)
        if process.stdout is not None:
            process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    """Where it listens. What it says later is read too, so that it never waits for a reader."""
    lines: Queue[str | None] = Queue()

    def read() -> None:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.put(line)
        except ValueError:  # closed at the end of the test
            pass
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said = []
    while True:
        try:
            line = lines.get(timeout=SECONDS)
        except Empty:
            raise AssertionError(f"the server says nothing: {said}") from None
        if line is None:
            raise AssertionError(f"the server ended: {said}")
        said.append(line)
        found = re.search(r"http://(\S+?)/api/v1", line)
        if found is not None:
            return f"http://{found[1]}"
