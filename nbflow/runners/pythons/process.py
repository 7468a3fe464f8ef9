"""The process of a Python that waits: started in one step, and from then on watched until it ends.

asyncio's own start of a process takes several steps, and hangs where the loop ends between two of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from nbflow.plugins import Command
from nbflow.runners.ending import MARK
from nbflow.runners.running import CHUNK_BYTES
from nbflow.types import new_id

_WAITING = str(Path(__file__).with_name("waiting.py"))
_LOOK_SECONDS = 0.02


class WaitingPython:
    """A Python that waits to become a command, and afterwards the process of that command.

    Raises: OSError when it cannot be started.
    """

    def __init__(self, python: str, env: Mapping[str, str], modules: Sequence[str]) -> None:
        self.mark = new_id()
        self.modules = frozenset(modules)
        self.is_ready = asyncio.Event()
        """Set when all is imported; also when it has ended before."""
        self.exited = asyncio.Event()
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._loop = asyncio.get_running_loop()
        self._transports: list[asyncio.ReadTransport] = []
        self._attached: list[IO[bytes]] = []
        self._pidfd: int | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._ready, closes = os.pipe()
        try:
            self._process = subprocess.Popen(
                [python, _WAITING, str(closes), *modules],
                cwd=os.sep,
                env={**env, MARK: self.mark},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=(closes,),
            )
        except BaseException:
            os.close(self._ready)
            raise
        finally:
            os.close(closes)
        self._loop.add_reader(self._ready, self._note_ready)
        self._watch()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.returncode

    @property
    def is_alive(self) -> bool:
        return not self.exited.is_set()

    async def become(self, command: Command) -> None:
        """Have it run a command, from now on. Cancelled meanwhile, it must be ended."""
        assert command.ahead is not None
        job = {
            "arguments": list(command.arguments),
            "directory": str(command.working_dir),
            "env": {**command.env, MARK: self.mark},
            "folders": list(command.ahead.folders),
        }
        self.stdout = await self._reader(self._process.stdout)
        self.stderr = await self._reader(self._process.stderr)
        await asyncio.to_thread(self._send, json.dumps(job).encode() + b"\n")

    def kill(self) -> None:
        """End it at once, and what is in its group."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close its streams."""
        self._note_ready()
        for transport in self._transports:
            transport.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None and stream not in self._attached:
                with contextlib.suppress(OSError):
                    stream.close()

    def end(self) -> None:
        """End it at once and close its streams."""
        self.kill()
        self.close()

    def end_now(self) -> None:
        """The same for the end of the loop: blocks for some milliseconds."""
        self.end()
        self._has_exited()

    async def _reader(self, pipe: IO[bytes] | None) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=CHUNK_BYTES)
        assert pipe is not None
        self._attached.append(pipe)  # the transport closes it
        transport, _ = await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        self._transports.append(transport)
        return reader

    def _send(self, line: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended: its status says so
            stdin.write(line)
            stdin.close()

    def _note_ready(self) -> None:
        if not self.is_ready.is_set():
            self._loop.remove_reader(self._ready)
            os.close(self._ready)
            self.is_ready.set()

    def _watch(self) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # an old system has no pidfd_open
                self._pidfd = os.pidfd_open(self._process.pid)
                self._loop.add_reader(self._pidfd, self._has_exited)
                return
        self._look()

    def _look(self) -> None:
        if self._process.poll() is None:
            self._looking = self._loop.call_later(_LOOK_SECONDS, self._look)
        else:
            self.exited.set()

    def _has_exited(self) -> None:
        self._process.wait()
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._looking is not None:
            self._looking.cancel()
        self.exited.set()
