"""A process under way, as asyncio starts it: its streams, its status, and word of its end."""

from __future__ import annotations

import asyncio

CHUNK_BYTES = 64 * 1024
"""Bytes read from a stream at once."""


class Running(asyncio.subprocess.SubprocessStreamProtocol):
    """A process under way. asyncio's own `wait` returns once nobody holds the pipes any more; this tells before."""

    transport: asyncio.SubprocessTransport

    def __init__(self) -> None:
        super().__init__(limit=CHUNK_BYTES, loop=asyncio.get_running_loop())
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        self.exited.set()
        super().process_exited()

    @property
    def pid(self) -> int:
        return self.transport.get_pid()

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self.transport.get_returncode()

    def kill(self) -> None:
        """Kill the process itself."""
        self.transport.kill()

    def close(self) -> None:
        """Close its streams."""
        self.transport.close()
