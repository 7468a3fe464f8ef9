"""A real kernel for tests: runs cells, and keeps every message that the kernel sends to its front end."""

from __future__ import annotations

import queue
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient, KernelManager

Message = dict[str, Any]
_PATIENCE = 60.0


@dataclass
class Reply:
    """What a cell led to: its status, and the messages that came while it ran."""

    status: str
    messages: list[Message] = field(default_factory=list)
    error: str = ""

    def of(self, kind: str) -> list[Message]:
        return [message["content"] for message in self.messages if message["header"]["msg_type"] == kind]

    @property
    def text(self) -> str:
        """All texts that were shown, printed or returned."""
        parts = [content["data"].get("text/plain", "") for kind in _SHOWN for content in self.of(kind)]
        return "\n".join([*parts, *(content["text"] for content in self.of("stream"))])


_SHOWN = ("display_data", "update_display_data", "execute_result")


class Kernel:
    """One kernel and a client of it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.seen: list[tuple[float, Message]] = []

    def start(self, code: str) -> str:
        """Begin a cell; returns the id of the request."""
        return str(self.client.execute(code))

    def finish(self, request: str, timeout: float = _PATIENCE) -> Reply:
        """Wait for the end of a cell."""
        reply = self.client._recv_reply(request, timeout=timeout)
        messages: list[Message] = []
        self.read_until(lambda message: _is_idle(message, request), messages, timeout)
        content = reply["content"]
        return Reply(content["status"], messages, content.get("evalue", ""))

    def run(self, code: str, timeout: float = _PATIENCE) -> Reply:
        return self.finish(self.start(code), timeout)

    def read_until(
        self, enough: Callable[[Message], bool], into: list[Message] | None = None, timeout: float = _PATIENCE
    ) -> Message:
        """Read messages until one is what was waited for."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=0.5)
            except queue.Empty:
                continue
            self.seen.append((time.monotonic(), message))
            if into is not None:
                into.append(message)
            if enough(message):
                return dict(message)
        raise AssertionError(f"not seen within {timeout} s")


def _is_idle(message: Message, request: str) -> bool:
    return (
        message["header"]["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
        and message["parent_header"].get("msg_id") == request
    )


@contextmanager
def open_kernel(home: Path, folder: Path) -> Iterator[Kernel]:
    """A kernel with the extension loaded; its home is `home`, and it works in `folder`."""
    import os

    manager = KernelManager()
    manager.start_kernel(
        env={**os.environ, "NBFLOW_HOME": str(home)},
        cwd=str(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=_PATIENCE)
        kernel = Kernel(manager, client)
        reply = kernel.run("%load_ext nbflow")
        assert reply.status == "ok", reply.error
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
